//! The answer to "may this person do this?".

/// What the policies say about one action of one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// Why, as a code for the ledger: the deciding policy's id, `scope`, or `no_policy` when none allows it.
    pub reason_code: String,
    /// Why, in a sentence for the person: what is wrong and what would mend it. No value, no name.
    pub sentence: String,
}

impl Verdict {
    /// Yes, by this policy.
    pub(crate) fn yes(reason_code: &str, sentence: &str) -> Verdict {
        Verdict { allowed: true, reason_code: reason_code.to_owned(), sentence: sentence.to_owned() }
    }

    /// No, for this reason.
    pub(crate) fn no(reason_code: &str, sentence: impl Into<String>) -> Verdict {
        Verdict { allowed: false, reason_code: reason_code.to_owned(), sentence: sentence.into() }
    }
}
