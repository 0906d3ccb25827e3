//! What happens to a notice, each step with its entries in one transaction: handed in, published, taken back, withdrawn.
//! A version that was published keeps its text, its pictures and its linked data for ever.

use std::path::Path;

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_plan::Plan;
use dunlin_store::{NoticeStatus, NoticeVersion, State, Tx, new_id, now_us};
use dunlin_tell::{NoticeSource, json_ld};

use super::images::encode;
use super::judge::{Judgement, LinksAsked, judge, parsed, previous};
use super::{NoticeError, NoticeFile};

/// What is handed in, and by whom.
pub struct Handed<'a> {
    /// The state.
    pub state: &'a State,
    /// The workspace.
    pub dir: &'a Path,
    /// The plan as it is.
    pub plan: &'a Plan,
    /// Who does it.
    pub actor: &'a Actor,
    /// What the network said of the links; without it they are not asked.
    pub links: Option<&'a LinksAsked>,
}

/// A person's id, or a local user.
fn name_of(actor: &Actor) -> String {
    match actor {
        Actor::Person { id } => id.clone(),
        other => other.to_string(),
    }
}

/// As an entry has it: codes are in small letters.
fn small(locale: &str) -> String {
    locale.to_ascii_lowercase()
}

impl Handed<'_> {
    fn entry(&self, body: Body) -> Entry {
        Entry { at: now_us(), actor: self.actor.clone(), body }
    }

    async fn held(&self, source: &NoticeSource) -> Result<super::Judged, NoticeError> {
        let notice = &source.notice;
        let before = previous(self.state, &notice.id, &notice.locale.to_string()).await?;
        let against =
            Judgement { plan: self.plan, dir: self.dir, previous: before.as_ref(), links: self.links };
        let judged = judge(source, &against);
        if judged.findings.has_errors() { Err(NoticeError::Held(judged.findings)) } else { Ok(judged) }
    }
}

/// Hands a text in, so that somebody else can approve it. An earlier text of the same name and language that still
/// waits is taken back.
///
/// # Errors
/// The gate holds it, that version was published, or this text waits already.
pub async fn submit(with: &Handed<'_>, file: &NoticeFile) -> Result<NoticeVersion, NoticeError> {
    let source = parsed(file)?;
    let judged = with.held(&source).await?;
    let (dir, paths) = (with.dir.to_owned(), judged.images.clone());
    let encoded = tokio::task::spawn_blocking(move || {
        paths.iter().map(|path| encode(&dir, path)).collect::<Result<Vec<_>, _>>()
    });
    let images = encoded.await.map_err(|_| NoticeError::Undrawn)??;
    let notice = &source.notice;
    let locale = notice.locale.to_string();
    let by = name_of(with.actor);
    let mut tx = with.state.begin().await?;
    let open = standing(with.state, &notice.id, &locale, notice.version).await?;
    if open.iter().any(|one| one.sha256 == file.sha256) {
        return Err(NoticeError::Waits);
    }
    for earlier in &open {
        ends(&mut tx, with, earlier, "superseded", "another text was handed in").await?;
    }
    let mut authors = tx.notice_authors(&file.path).await?;
    if !authors.contains(&by) {
        authors.push(by.clone());
    }
    let version = NoticeVersion {
        id: new_id(),
        notice: notice.id.clone(),
        locale: locale.clone(),
        version: notice.version,
        file: file.path.clone(),
        sha256: file.sha256.clone(),
        text: file.text.clone(),
        plan_fingerprint: with.plan.fingerprint().to_string(),
        facts_fingerprint: judged.facts.fingerprint().to_string(),
        facts: judged.facts.stated(),
        authors,
        submitted_by: by,
        submitted_at: now_us(),
        approved_fingerprint: None,
        json_ld: None,
        approved_by: None,
        published_at: None,
        withdrawn_by: None,
        withdrawn_at: None,
    };
    tx.insert_notice(&version, &images).await?;
    let body = Body::NoticeSubmitted {
        notice: version.notice.clone(),
        locale: small(&locale),
        version: u64::from(version.version),
        sha256: version.sha256.clone(),
        facts: version.facts_fingerprint.clone(),
    };
    tx.enter(with.entry(body)).await?;
    tx.commit().await?;
    Ok(version)
}

/// The texts of this name and language that wait; refuses a version that was published.
/// Called while a transaction is open, which keeps other writers out.
async fn standing(
    state: &State,
    notice: &str,
    locale: &str,
    version: u32,
) -> Result<Vec<NoticeVersion>, NoticeError> {
    let all = state.notice_versions(notice).await?;
    let of_language: Vec<NoticeVersion> = all.into_iter().filter(|one| one.locale == locale).collect();
    if of_language.iter().any(|one| one.published_at.is_some() && one.version == version) {
        return Err(NoticeError::PublishedBefore(version));
    }
    Ok(of_language.into_iter().filter(|one| one.status() == NoticeStatus::Submitted).collect())
}

/// Publishes a version that waits: the whole gate once more, against the plan as it is now. `approved` says whether
/// somebody has approved that plan. Who may publish it was asked before.
///
/// # Errors
/// It is not the text that was read, does not wait, the plan is not approved, or the gate holds it.
pub async fn publish(
    with: &Handed<'_>,
    id: &str,
    sha256: &str,
    approved: bool,
) -> Result<NoticeVersion, NoticeError> {
    let version = with.state.notice(id).await?;
    if version.sha256 != sha256 {
        return Err(NoticeError::Changed);
    }
    if version.status() != NoticeStatus::Submitted {
        return Err(NoticeError::NotWaiting(version.status().as_str()));
    }
    if super::needs_approval(with.plan) && !approved {
        return Err(NoticeError::PlanNotApproved);
    }
    let file =
        NoticeFile { path: version.file.clone(), text: version.text.clone(), sha256: sha256.to_owned() };
    let source = parsed(&file)?;
    let judged = with.held(&source).await?;
    let linked = json_ld(&source.notice, &judged.facts, &format!("/tell/{}", version.notice)).to_string();
    let fingerprint = with.plan.fingerprint().to_string();
    let by = name_of(with.actor);
    let mut tx = with.state.begin().await?;
    standing(with.state, &version.notice, &version.locale, version.version).await?;
    if !tx.publish_notice(id, &fingerprint, &linked, &by, now_us()).await? {
        return Err(NoticeError::NotWaiting("decided on"));
    }
    let (notice, locale, number) =
        (version.notice.clone(), small(&version.locale), u64::from(version.version));
    tx.enter(with.entry(Body::NoticeApproved {
        notice: notice.clone(),
        locale: locale.clone(),
        version: number,
        sha256: sha256.to_owned(),
        fingerprint,
    }))
    .await?;
    for over in &source.notice.overrides {
        let reason_hash = tx.keep_text(&over.reason).await?;
        tx.enter(with.entry(Body::NoticeOverridden {
            notice: notice.clone(),
            locale: locale.clone(),
            version: number,
            rule: over.rule.clone(),
            reason_hash,
        }))
        .await?;
    }
    let body = Body::NoticePublished { notice, locale, version: number, sha256: sha256.to_owned() };
    tx.enter(with.entry(body)).await?;
    tx.commit().await?;
    Ok(with.state.notice(id).await?)
}

/// Takes back a version that waits.
///
/// # Errors
/// It does not wait.
pub async fn take_back(with: &Handed<'_>, id: &str) -> Result<NoticeVersion, NoticeError> {
    let version = with.state.notice(id).await?;
    if version.status() != NoticeStatus::Submitted {
        return Err(NoticeError::NotWaiting(version.status().as_str()));
    }
    let mut tx = with.state.begin().await?;
    ends(&mut tx, with, &version, "taken_back", "taken back").await?;
    tx.commit().await?;
    Ok(with.state.notice(id).await?)
}

/// Withdraws a version that is published. Its text stays for those who look at earlier versions; the card and the page
/// no longer show it.
///
/// # Errors
/// It is not published.
pub async fn withdraw(with: &Handed<'_>, id: &str, reason: &str) -> Result<NoticeVersion, NoticeError> {
    let version = with.state.notice(id).await?;
    if version.status() != NoticeStatus::Published {
        return Err(NoticeError::NotPublished(version.status().as_str()));
    }
    let mut tx = with.state.begin().await?;
    ends(&mut tx, with, &version, "withdrawn", reason).await?;
    tx.commit().await?;
    Ok(with.state.notice(id).await?)
}

async fn ends(
    tx: &mut Tx,
    with: &Handed<'_>,
    version: &NoticeVersion,
    category: &str,
    reason: &str,
) -> Result<(), NoticeError> {
    let status = version.status().as_str();
    if !tx
        .withdraw_notice(&version.id, &name_of(with.actor), now_us(), version.published_at.is_some())
        .await?
    {
        return Err(NoticeError::NotWaiting(status));
    }
    let reason_hash = tx.keep_text(reason).await?;
    let body = Body::NoticeWithdrawn {
        notice: version.notice.clone(),
        locale: small(&version.locale),
        version: u64::from(version.version),
        published: version.published_at.is_some(),
        reason_category: category.to_owned(),
        reason_hash,
    };
    Ok(tx.enter(with.entry(body)).await?)
}
