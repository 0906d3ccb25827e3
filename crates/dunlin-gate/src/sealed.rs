//! Data under seal: what leaves the engine towards a person, a screen or a file outside the stores.
//!
//! Not here: breaking the seal, which is for [`open`](crate::open()) and [`open_stream`](crate::open_stream) alone.

use dunlin_plan::{Class, Kind};

/// Customer data that nobody may look at. It cannot be printed, serialised, compared or indexed:
///
/// ```compile_fail,E0277
/// let sealed = dunlin_gate::Sealed::seal("a value".to_owned());
/// println!("{sealed:?}");
/// ```
/// ```compile_fail,E0277
/// let sealed = dunlin_gate::Sealed::seal("a value".to_owned());
/// println!("{sealed}");
/// ```
/// ```compile_fail,E0277
/// let sealed = dunlin_gate::Sealed::seal("a value".to_owned());
/// serde_json::to_string(&sealed).unwrap();
/// ```
/// ```compile_fail,E0608
/// let sealed = dunlin_gate::Sealed::seal(vec![1, 2, 3]);
/// let first = sealed[0];
/// ```
/// ```compile_fail,E0616
/// let sealed = dunlin_gate::Sealed::seal("a value".to_owned());
/// let value = sealed.0;
/// ```
/// ```compile_fail,E0599
/// let sealed = dunlin_gate::Sealed::seal("a value".to_owned());
/// let length = sealed.len();
/// ```
/// What is allowed is to seal, to hand on, and to copy what stays under seal:
/// ```
/// let sealed = dunlin_gate::Sealed::seal("a value".to_owned());
/// let _copy = sealed.clone();
/// let _moved = sealed;
/// ```
#[derive(Clone)]
pub struct Sealed<T>(T);

impl<T> Sealed<T> {
    /// Puts data under seal.
    pub fn seal(data: T) -> Sealed<T> {
        Sealed(data)
    }

    /// For [`open`](crate::open()) and [`open_stream`](crate::open_stream) only.
    pub(crate) fn break_seal(self) -> T {
        self.0
    }
}

/// Rows as text, with what is needed to mask them. It has no `Debug`: inside the seal it is customer data.
#[derive(Clone)]
pub struct Rows {
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns, in the order of the values.
    pub columns: Vec<ColumnInfo>,
    /// The values; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column's name and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The column's name.
    pub name: String,
    /// One of dunlin's kinds, when it is known.
    pub kind: Option<String>,
}

impl ColumnInfo {
    /// How closely it must be kept. A column that nobody has looked at may hold anything about a person; a kind that
    /// this program does not know may be anything at all.
    pub fn class(&self) -> Class {
        match &self.kind {
            None => Class::Personal,
            Some(kind) => kind.parse::<Kind>().map_or(Class::Secret, Kind::class),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_kept_closely() {
        let class = |kind: Option<&str>| ColumnInfo { name: "c".into(), kind: kind.map(Into::into) }.class();
        assert_eq!(class(Some("none")), Class::Internal);
        assert_eq!(class(Some("email")), Class::Personal);
        assert_eq!(class(Some("card_number")), Class::Sensitive);
        assert_eq!(class(Some("credential")), Class::Secret);
        assert_eq!(class(None), Class::Personal);
        assert_eq!(class(Some("a kind of tomorrow")), Class::Secret);
    }
}
