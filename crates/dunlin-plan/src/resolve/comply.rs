//! `[comply]` and its waivers.

use super::{address, text};
use crate::finding::Log;
use crate::plan::{Comply, Waiver};
use crate::walk::{Section, Walk};

pub(crate) const COMPLY: Section =
    Section { form: "Comply", keys: &["packs", "controller", "dpia", "waiver"] };
pub(crate) const WAIVER: Section = Section { form: "Waiver", keys: &["rule", "reason", "by", "until"] };

pub(super) fn comply(root: &Walk<'_>, log: &mut Log) -> Option<Comply> {
    let (table, span) = root.child("comply", log)?;
    let walk = Walk::enter(table, &COMPLY, "[comply]", span, log);
    let mut packs = walk.word_list("packs", log);
    packs.sort_unstable();
    packs.dedup();
    let controller = text(walk.words("controller", log));
    let dpia = text(walk.words("dpia", log));
    Some(Comply { packs, controller, dpia, waivers: waivers(&walk, log) })
}

fn waivers(comply: &Walk<'_>, log: &mut Log) -> Vec<Waiver> {
    let waivers =
        comply.children("waiver", "[[comply.waiver]]", log).into_iter().filter_map(|(table, span)| {
            let walk = Walk::enter(table, &WAIVER, "[[comply.waiver]]", span, log);
            let rule =
                walk.required("rule", "`rule = \"GDPR-05b\"`, the code that `dunlin check` shows", log);
            let reason = walk.required("reason", "a `reason` that an auditor can follow", log);
            let by = address(walk.required("by", "`by = \"ana@example.com\"`: who decided", log), log);
            let until = walk.date("until", log).map(|date| date.value);
            Some(Waiver { rule: rule?.value, reason: reason?.value, by: by?.value, until, span })
        });
    waivers.collect()
}
