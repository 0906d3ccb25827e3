//! Decimal numbers that are added without rounding: up to 76 digits. Not here: what is added up, and by whom.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::i256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most digits behind the point; numbers with more are not taken.
const SCALE_MAX: u32 = 60;

/// An exact decimal: `unscaled` / 10^`scale`. Equal numbers are equal whatever their scale.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    unscaled: i256,
    scale: u32,
}

impl Default for Exact {
    fn default() -> Self {
        Self { unscaled: i256::from_i128(0), scale: 0 }
    }
}

impl Exact {
    /// A number from its digits and how many of them stand behind the point; fewer than none are zeros before it.
    pub fn new(unscaled: i256, scale: i8) -> Option<Self> {
        match u32::try_from(scale) {
            Ok(scale) => Some(Self { unscaled, scale }),
            Err(_) => {
                Some(Self { unscaled: unscaled.checked_mul(ten_to(scale.unsigned_abs().into())?)?, scale: 0 })
            }
        }
    }

    /// The sum; `None` where it has too many digits.
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.scale == other.scale {
            return Some(Self { unscaled: self.unscaled.checked_add(other.unscaled)?, scale: self.scale });
        }
        let scale = self.scale.max(other.scale);
        let unscaled = self.at(scale)?.checked_add(other.at(scale)?)?;
        Some(Self { unscaled, scale })
    }

    /// The difference; `None` where it has too many digits.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { unscaled: other.unscaled.checked_neg()?, scale: other.scale })
    }

    /// Whether it is nought.
    pub fn is_zero(self) -> bool {
        self.unscaled == i256::from_i128(0)
    }

    /// The same number with the digits behind the point of the finer of both, for people who compare them.
    pub fn like(self, other: Self) -> Self {
        let scale = self.scale.max(other.scale);
        self.at(scale).map_or(self, |unscaled| Self { unscaled, scale })
    }

    fn at(self, scale: u32) -> Option<i256> {
        self.unscaled.checked_mul(ten_to(scale - self.scale)?)
    }
}

fn ten_to(power: u32) -> Option<i256> {
    i256::from_i128(10).checked_pow(power)
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.minus(*other).is_some_and(Self::is_zero)
    }
}

impl Eq for Exact {}

impl From<i64> for Exact {
    fn from(number: i64) -> Self {
        Self { unscaled: i256::from_i128(number.into()), scale: 0 }
    }
}

impl FromStr for Exact {
    type Err = ();

    /// Reads `-12.50` and `1.25e3`; blanks around it do not count. Nothing else is taken for a number.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(drop)?),
            None => (text, 0),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) {
            return Err(());
        }
        let joined = format!("{sign}{whole}{fraction}");
        let unscaled = i256::from_string(&joined).ok_or(())?;
        let scale = i32::try_from(fraction.len()).map_err(drop)?.checked_sub(exponent).ok_or(())?;
        match u32::try_from(scale) {
            Ok(scale) if scale > SCALE_MAX => Err(()),
            Ok(scale) => Ok(Self { unscaled, scale }),
            Err(_) => {
                let power = ten_to(scale.unsigned_abs()).ok_or(())?;
                Ok(Self { unscaled: unscaled.checked_mul(power).ok_or(())?, scale: 0 })
            }
        }
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.to_string();
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("a sum is not a number"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> Exact {
        text.parse().unwrap()
    }

    #[test]
    fn a_tenth_and_two_tenths_are_three_tenths() {
        let sum = exact("0.1").plus(exact("0.2")).unwrap();
        assert_eq!(sum, exact("0.30"));
        assert_eq!(sum.to_string(), "0.3");
        assert_eq!(exact("-0.05").to_string(), "-0.05");
        assert_eq!(exact(" 1.25e3 "), exact("1250"));
        assert_eq!(exact("125e-4").to_string(), "0.0125");
        assert_eq!(exact("12.5").like(exact("1.000")).to_string(), "12.500");
    }

    #[test]
    fn what_is_no_plain_number_is_not_taken_for_one() {
        for text in [
            "",
            "-",
            ".",
            "1,5",
            "1.2.3",
            "NaN",
            "Infinity",
            "0x1f",
            "1e",
            "1e999999999",
            "--1",
            "1_000",
            "£5",
        ] {
            assert!(text.parse::<Exact>().is_err(), "{text}");
        }
        let long = "9".repeat(80);
        assert!(long.parse::<Exact>().is_err());
    }

    proptest! {
        #[test]
        fn adding_and_taking_away_lose_nothing(a in any::<i64>(), b in any::<i64>(), s in 0i8..12, t in 0i8..12) {
            let number = |n: i64, scale| Exact::new(i256::from_i128(n.into()), scale).unwrap();
            let (one, other) = (number(a, s), number(b, t));
            let sum = one.plus(other).unwrap();
            prop_assert_eq!(sum.minus(other).unwrap(), one);
            prop_assert_eq!(exact(&sum.to_string()), sum);
            let whole = number(a, 0).plus(number(b, 0)).unwrap();
            prop_assert_eq!(whole.to_string(), (i128::from(a) + i128::from(b)).to_string());
        }
    }
}
