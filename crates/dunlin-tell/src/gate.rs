//! What stands between a notice and its readers. Each finding says where and how to mend it; errors keep the notice
//! from being published. Findings about style can be set aside by somebody who gives a reason; facts cannot.

mod layers;
mod links;
mod passages;
mod readability;
mod reading;
mod sentences;
mod syllables;
mod truth;

use dunlin_plan::{Finding, Findings, Level};

use crate::facts::Facts;
use crate::notice::{Notice, NoticeSource};

pub(crate) use links::is_image_path;
pub use readability::{Score, flesch};

/// Findings that somebody may set aside with a reason: they are about style, or guesses over the text.
pub const SETTABLE: &[&str] = &[
    "tell-hard-to-read",
    "tell-sentence-long",
    "tell-hedge",
    "tell-headline-long",
    "tell-link-dead",
    "tell-text-country",
    "tell-text-date",
    "tell-text-address",
    "tell-text-length",
];

/// Asks the network; the caller has the client, with its limits and its list of allowed hosts.
pub trait LinkCheck {
    /// Whether something answers at this address; otherwise why not, in a few words of the caller's own.
    ///
    /// # Errors
    /// The reason.
    fn alive(&self, url: &str) -> Result<(), String>;
}

/// Looks into the workspace.
pub trait Images {
    /// Whether this path, relative to the workspace, is an image that can be shown.
    fn exists(&self, path: &str) -> bool;
}

/// What a notice is held against.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    /// The facts of the plan that is approved.
    pub facts: &'a Facts,
    /// The version that is published now.
    pub previous: Option<&'a Notice>,
    /// Without it, only the form of links is checked.
    pub links: Option<&'a dyn LinkCheck>,
    /// Without it, only the form of image paths is checked.
    pub images: Option<&'a dyn Images>,
}

impl<'a> Gate<'a> {
    /// A gate that knows the facts alone.
    pub fn new(facts: &'a Facts) -> Gate<'a> {
        Gate { facts, previous: None, links: None, images: None }
    }

    /// Everything found; the notice may be published when no finding is an error.
    pub fn check(&self, source: &NoticeSource) -> Findings {
        let passages = passages::all(source);
        let mut items = Vec::new();
        layers::check(source, self.previous, &mut items);
        reading::check(source, &passages, &mut items);
        links::check(source, &passages, self, &mut items);
        truth::check(source, &passages, self.facts, &mut items);
        set_aside(source, &mut items);
        Findings::new(&source.file, &source.text, items)
    }
}

/// Findings with an override become information that names who set them aside and why.
fn set_aside(source: &NoticeSource, items: &mut Vec<Finding>) {
    let mut about = Vec::new();
    for (number, over) in source.notice.overrides.iter().enumerate() {
        let span = source.place(&format!("override.{number}.rule"));
        if !SETTABLE.contains(&over.rule.as_str()) {
            let message = format!("`{}` cannot be set aside", over.rule);
            let help = format!("these can: {}", SETTABLE.join(", "));
            about.push(Finding::error("tell-override", span, message).help(help));
            continue;
        }
        if over.reason.split_whitespace().count() < 3 {
            let span = source.place(&format!("override.{number}.reason"));
            let help = "one sentence that whoever approves can follow";
            about.push(Finding::error("tell-override", span, "this is not yet a reason").help(help));
            continue;
        }
        let mut used = false;
        for item in items.iter_mut().filter(|item| item.rule == over.rule) {
            used = true;
            item.level = Level::Info;
            item.message = format!("{} (set aside by {}: {})", item.message, over.by, over.reason);
        }
        if !used {
            let message = format!("nothing of `{}` is found any more", over.rule);
            about.push(Finding::warning("tell-override", span, message).help("remove the override"));
        }
    }
    items.extend(about);
}
