//! What may enter the ledger: codes and hashes where they are due, so that no sentence and no value gets in.

use super::{Body, EntryError};

impl Body {
    /// Refuses what is neither a code nor a hash where one is due.
    pub(super) fn check(&self) -> Result<(), EntryError> {
        match self {
            Body::RunStarted { plan_fingerprint, .. } => hash("plan_fingerprint", plan_fingerprint),
            Body::RunPaused { reason_code, .. } => code("reason_code", reason_code),
            Body::SplitLoaded { source_hash, loaded_hash, expected_hash, fragment, .. } => {
                hash("source_hash", source_hash)?;
                hash("loaded_hash", loaded_hash)?;
                hash("expected_hash", expected_hash)?;
                fragment.as_deref().map_or(Ok(()), |h| hash("fragment", h))
            }
            Body::SplitAmended { fragment, .. } => {
                fragment.as_deref().map_or(Ok(()), |h| hash("fragment", h))
            }
            Body::TableReconciled { source_hash, expected_hash, target_hash, .. }
            | Body::Verified { source_hash, expected_hash, target_hash, .. } => {
                hash("source_hash", source_hash)?;
                hash("expected_hash", expected_hash)?;
                hash("target_hash", target_hash)
            }
            Body::QuarantineDecided { root, .. } | Body::AccessRows { root, .. } => hash("root", root),
            Body::PlanApproved { fingerprint, .. } => hash("fingerprint", fingerprint),
            Body::WindowOverridden { reason_category, reason_hash, .. } => {
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::KeysRotated { purpose, key_id } => {
                code("purpose", purpose)?;
                code("key_id", key_id)
            }
            Body::ReportWritten { sha256 } => hash("sha256", sha256),
            Body::AccessOpened { purpose_category, purpose_hash, .. } => {
                code("purpose_category", purpose_category)?;
                hash("purpose_hash", purpose_hash)
            }
            _ => self.check_guard(),
        }
    }

    /// The same for what concerns people.
    fn check_guard(&self) -> Result<(), EntryError> {
        match self {
            Body::AccessDenied { action, reason_code, .. } => {
                code("action", action)?;
                code("reason_code", reason_code)
            }
            Body::PersonAdded { role, organisation, .. } => {
                code("role", role)?;
                code("organisation", organisation)
            }
            Body::PersonChanged { change, .. } => code("change", change),
            Body::PersonBlocked { reason_category, reason_hash, .. }
            | Body::PersonUnblocked { reason_category, reason_hash, .. } => {
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::PersonNoted { note_hash, .. } => hash("note_hash", note_hash),
            Body::CredentialChanged { credential, change, .. } => {
                code("credential", credential)?;
                code("change", change)
            }
            Body::SignedIn { method, .. } => code("method", method),
            Body::SignInRefused { reason_code, .. }
            | Body::SessionEnded { reason_code, .. }
            | Body::TokenRevoked { reason_code, .. }
            | Body::GrantClosed { reason_code, .. } => code("reason_code", reason_code),
            Body::Invited { role, .. } => code("role", role),
            Body::TokenIssued { scopes, .. } => scopes.iter().try_for_each(|s| code("scopes", s)),
            Body::GrantOpened { action, purpose_category, purpose_hash, .. } => {
                code("action", action)?;
                code("purpose_category", purpose_category)?;
                hash("purpose_hash", purpose_hash)
            }
            Body::GrantAgreed { group, .. } => code("group", group),
            Body::PolicyChanged { fingerprint } => hash("fingerprint", fingerprint),
            Body::PlanEdited { fingerprint, previous } => {
                hash("fingerprint", fingerprint)?;
                hash("previous", previous)
            }
            Body::ApprovalVoided { fingerprint, reason_code } => {
                hash("fingerprint", fingerprint)?;
                code("reason_code", reason_code)
            }
            Body::AlertRaised { rule, severity, .. } => {
                code("rule", rule)?;
                code("severity", severity)
            }
            Body::AlertClosed { decision, .. } => code("decision", decision),
            Body::LedgerExported { sha256, .. } => hash("sha256", sha256),
            Body::LedgerRead { filter, .. } => hash("filter", filter),
            Body::LedgerKeyChanged { previous, verifier } => {
                hash("previous", previous)?;
                hash("verifier", verifier)
            }
            Body::Shredded { class, .. } => code("class", class),
            Body::WorkChanged { root, .. } => hash("root", root),
            Body::Rehearsed { fingerprint, .. } => hash("fingerprint", fingerprint),
            Body::StepConfirmed { step, .. } | Body::StepWithdrawn { step, .. } => code("step", step),
            Body::TableSeen { fingerprint, mapping, schema, .. } => {
                hash("fingerprint", fingerprint)?;
                hash("mapping", mapping)?;
                hash("schema", schema)
            }
            Body::ServerStarted { version } => code("version", version),
            _ => self.check_tell(),
        }
    }

    /// The same for what customers are told.
    fn check_tell(&self) -> Result<(), EntryError> {
        match self {
            Body::NoticeSubmitted { notice, locale, sha256, facts, .. } => {
                named(notice, locale)?;
                hash("sha256", sha256)?;
                hash("facts", facts)
            }
            Body::NoticeApproved { notice, locale, sha256, fingerprint, .. } => {
                named(notice, locale)?;
                hash("sha256", sha256)?;
                hash("fingerprint", fingerprint)
            }
            Body::NoticePublished { notice, locale, sha256, .. } => {
                named(notice, locale)?;
                hash("sha256", sha256)
            }
            Body::NoticeOverridden { notice, locale, rule, reason_hash, .. } => {
                named(notice, locale)?;
                code("rule", rule)?;
                hash("reason_hash", reason_hash)
            }
            Body::NoticeWithdrawn { notice, locale, reason_category, reason_hash, .. } => {
                named(notice, locale)?;
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::NoticeAnswered { notice, choice, subject, .. } => {
                code("notice", notice)?;
                code("choice", choice)?;
                hash("subject", subject)
            }
            Body::NoticeSkipped { run, notice, reason_category, reason_hash } => {
                hash("run", run)?;
                code("notice", notice)?;
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            _ => self.check_requests(),
        }
    }

    /// The same for what customers ask for.
    fn check_requests(&self) -> Result<(), EntryError> {
        match self {
            Body::RequestOpened { request_kind, law, subject, .. } => {
                code("request_kind", request_kind)?;
                law.as_deref().map_or(Ok(()), |l| code("law", l))?;
                hash("subject", subject)
            }
            Body::RequestDecided { decision, reason_category, reason_hash, .. } => {
                code("decision", decision)?;
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::RequestIdentity { outcome, .. } | Body::RequestClosed { outcome, .. } => {
                code("outcome", outcome)
            }
            Body::RequestCopyOffered { by, .. } => code("by", by),
            Body::SubjectMarked { effect, .. } => code("effect", effect),
            Body::SubjectErased { subject, root, .. } => {
                hash("subject", subject)?;
                hash("root", root)
            }
            Body::SubjectVerified { commitment, .. } => hash("commitment", commitment),
            _ => self.check_sending(),
        }
    }

    /// The same for what was sent.
    fn check_sending(&self) -> Result<(), EntryError> {
        match self {
            Body::MessageSent { message, transport, root, .. } => {
                code("message", message)?;
                code("transport", transport)?;
                hash("root", root)
            }
            Body::DeliveriesSettled { change, root, .. } => {
                code("change", change)?;
                hash("root", root)
            }
            _ => self.check_latest(),
        }
    }

    /// The same for packs and duplicates.
    fn check_latest(&self) -> Result<(), EntryError> {
        match self {
            Body::RuleWaived { rule, reason_hash, until, .. } => {
                code("rule", rule)?;
                until.as_deref().map_or(Ok(()), |day| code("until", day))?;
                hash("reason_hash", reason_hash)
            }
            Body::WaiverWithdrawn { rule, .. } => code("rule", rule),
            Body::PacksChecked { fingerprint, packs, states, sha256 } => {
                packs.iter().chain(states.keys()).try_for_each(|word| code("packs", word))?;
                hash("fingerprint", fingerprint)?;
                hash("sha256", sha256)
            }
            Body::CopyExamined { found, .. } => found.keys().try_for_each(|rule| code("found", rule)),
            Body::CopyGrouped { rows, .. } => rows.keys().try_for_each(|size| code("rows", size)),
            Body::TotalsCompared { sha256, .. } => hash("sha256", sha256),
            Body::DuplicatesMatched { crosswalk, .. } => hash("crosswalk", crosswalk),
            Body::DuplicateDecided { pair, decision, .. } => {
                hash("pair", pair)?;
                code("decision", decision)
            }
            _ => Ok(()),
        }
    }
}

/// A notice's name and language; both are codes, the language in small letters.
fn named(notice: &str, locale: &str) -> Result<(), EntryError> {
    code("notice", notice)?;
    code("locale", locale)
}

fn code(field: &'static str, text: &str) -> Result<(), EntryError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c);
    let good = (1..=64).contains(&text.len()) && text.chars().all(plain);
    if good { Ok(()) } else { Err(EntryError::NotACode(field)) }
}

fn hash(field: &'static str, text: &str) -> Result<(), EntryError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let good = text.len() <= 1024 && text.len().is_multiple_of(2) && text.chars().all(hex);
    if good { Ok(()) } else { Err(EntryError::NotAHash(field)) }
}
