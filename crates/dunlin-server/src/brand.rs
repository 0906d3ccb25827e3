//! How the pages look: the company's name, colour and logo, from the plan. A colour that could not be read on the
//! page's ground is darkened or lightened until it can.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use crate::plan::PLAN_FILE;

/// The smallest contrast between text and its ground (WCAG 2.2, 1.4.3, level AA).
const CONTRAST: f64 = 4.5;
const PAPER_LIGHT: Rgb = Rgb([0xfb, 0xfa, 0xf7]);
const PAPER_DARK: Rgb = Rgb([0x14, 0x17, 0x1a]);
const WHITE: Rgb = Rgb([0xff, 0xff, 0xff]);

/// What the pages say of the company and the move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Brand {
    pub(crate) name: String,
    pub(crate) move_name: String,
    pub(crate) summary: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) has_logo: bool,
    logo: Option<PathBuf>,
    colour: Option<String>,
}

/// The brand as the plan has it now.
pub(crate) struct Brands {
    dir: PathBuf,
    known: RwLock<Option<(Option<SystemTime>, Arc<Brand>)>>,
}

impl Brands {
    /// Of the plan in a folder.
    pub(crate) fn new(dir: &Path) -> Brands {
        Brands { dir: dir.to_owned(), known: RwLock::default() }
    }

    /// Reads the plan when it was written since. A plan that cannot be read gives dunlin's own look.
    pub(crate) fn now(&self) -> Arc<Brand> {
        let written = std::fs::metadata(self.dir.join(PLAN_FILE)).and_then(|m| m.modified()).ok();
        if let Some((at, brand)) = &*self.known.read().unwrap_or_else(PoisonError::into_inner)
            && *at == written
        {
            return brand.clone();
        }
        let brand = Arc::new(self.read());
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some((written, brand.clone()));
        brand
    }

    fn read(&self) -> Brand {
        let plan = crate::plan::read(&self.dir).ok().and_then(|file| file.plan.ok());
        let Some(plan) = plan else {
            return Brand { name: "dunlin".into(), move_name: "Migration".into(), ..Brand::default() };
        };
        let company = plan.company;
        let logo = company.as_ref().and_then(|c| c.logo.clone()).and_then(|logo| self.logo(&logo));
        Brand {
            name: company.as_ref().map_or_else(|| "dunlin".to_owned(), |c| c.name.clone()),
            move_name: plan.name,
            summary: plan.summary,
            contact: company.as_ref().and_then(|c| c.contact.clone()),
            has_logo: logo.is_some(),
            logo,
            colour: company.and_then(|c| c.colour),
        }
    }

    /// A picture inside the workspace, of a kind that holds no script.
    fn logo(&self, path: &str) -> Option<PathBuf> {
        let (root, path) = (self.dir.canonicalize().ok()?, self.dir.join(path).canonicalize().ok()?);
        let inside = path.starts_with(&root) && !path.starts_with(root.join(".dunlin"));
        (inside && kind_of(&path).is_some()).then_some(path)
    }
}

/// The media type of a picture that is shown.
fn kind_of(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        _ => None,
    }
}

impl Brand {
    /// The logo and its media type; at most a megabyte.
    pub(crate) fn picture(&self) -> Option<(&'static str, Vec<u8>)> {
        let path = self.logo.as_deref()?;
        let small = std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= 1024 * 1024);
        if !small {
            return None;
        }
        Some((kind_of(path)?, std::fs::read(path).ok()?))
    }

    /// The style sheet with the company's colour; empty when there is none.
    pub(crate) fn css(&self) -> String {
        let Some(colour) = self.colour.as_deref().and_then(Rgb::parse) else { return String::new() };
        let (light, dark) = (colour.readable_on(PAPER_LIGHT), colour.readable_on(PAPER_DARK));
        let mut css = String::new();
        let _ = writeln!(css, ":root{{--accent:{};--on-accent:{}}}", light.hex(), light.text_on().hex());
        let _ = writeln!(
            css,
            "@media (prefers-color-scheme:dark){{:root{{--accent:{};--on-accent:{}}}}}",
            dark.hex(),
            dark.text_on().hex()
        );
        css
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rgb([u8; 3]);

impl Rgb {
    fn parse(text: &str) -> Option<Rgb> {
        let digits = text.strip_prefix('#')?;
        let long: String =
            if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits.to_owned() };
        let bytes = hex::decode(long).ok()?;
        Some(Rgb(bytes.try_into().ok()?))
    }

    fn hex(self) -> String {
        format!("#{}", hex::encode(self.0))
    }

    /// Relative luminance as WCAG 2.2 defines it.
    fn luminance(self) -> f64 {
        let part = |byte: u8| {
            let s = f64::from(byte) / 255.0;
            if s <= 0.04045 { s / 12.92 } else { ((s + 0.055) / 1.055).powf(2.4) }
        };
        let [r, g, b] = self.0;
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    fn contrast(self, other: Rgb) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colour, moved towards black or white in steps until it can be read on this ground, and its own text on
    /// it.
    fn readable_on(self, ground: Rgb) -> Rgb {
        let goal = if ground.luminance() > 0.5 { 0.0 } else { 255.0 };
        let mixed = |step: u32| {
            let share = f64::from(step) / 40.0;
            Rgb(self.0.map(|byte| (f64::from(byte) * (1.0 - share) + goal * share).round() as u8))
        };
        let fits = |c: &Rgb| c.contrast(ground) >= CONTRAST && c.contrast(c.text_on()) >= CONTRAST;
        (0..=40).map(mixed).find(fits).unwrap_or(mixed(40))
    }

    /// White or the dark paper, whichever is easier to read on this colour.
    fn text_on(self) -> Rgb {
        if self.contrast(WHITE) >= self.contrast(PAPER_DARK) { WHITE } else { PAPER_DARK }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_colour_can_be_read_in_both_schemes() {
        for colour in ["#a8481f", "#fff", "#000", "#ffff00", "#7f7f7f", "#00f", "#0f0", "#fbfaf7", "#14171a"]
        {
            let colour = Rgb::parse(colour).unwrap();
            for ground in [PAPER_LIGHT, PAPER_DARK] {
                let made = colour.readable_on(ground);
                assert!(made.contrast(ground) >= CONTRAST, "{made:?} on {ground:?}");
                assert!(made.contrast(made.text_on()) >= CONTRAST, "text on {made:?}");
            }
        }
        let russet = Rgb::parse("#a8481f").unwrap();
        assert_eq!(russet.readable_on(PAPER_LIGHT), russet, "what can be read is not touched");
    }

    #[test]
    fn a_logo_with_scripts_or_from_elsewhere_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("logo.svg"), "<svg/>").unwrap();
        std::fs::write(dir.path().join("logo.png"), "x").unwrap();
        let brands = Brands::new(dir.path());
        assert!(brands.logo("logo.png").is_some());
        assert!(brands.logo("logo.svg").is_none());
        assert!(brands.logo("../../etc/x.png").is_none());
    }
}
