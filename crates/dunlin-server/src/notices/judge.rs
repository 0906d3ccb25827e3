//! A notice held against the plan, the version before it, the workspace's pictures and the network: what stands between
//! a text and its readers. The gate itself is `dunlin-tell`'s; this brings it what it asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use dunlin_guard::outgoing::{Call, Outgoing, OutgoingError};
use dunlin_plan::{Findings, Plan};
use dunlin_store::State;
use dunlin_tell::{Dates, Facts, Gate, Images, LinkCheck, Notice, NoticeSource};
use futures::StreamExt;
use url::Url;

use super::file::inside;
use super::{NoticeError, NoticeFile};

/// The most links that are asked, and how many at a time: with five seconds each, less than a request may take.
const LINKS_MAX: usize = 40;
const LINKS_AT_A_TIME: usize = 8;

/// What the network said, by address.
pub type LinksAsked = BTreeMap<String, Result<(), String>>;

/// What a notice is held against.
pub struct Judgement<'a> {
    /// The plan as it is.
    pub plan: &'a Plan,
    /// The workspace.
    pub dir: &'a Path,
    /// The version that was published last.
    pub previous: Option<&'a Notice>,
    /// What the network said; without it only the form of links is looked at.
    pub links: Option<&'a LinksAsked>,
}

/// What came of it.
pub struct Judged {
    /// Everything found.
    pub findings: Findings,
    /// What the plan says.
    pub facts: Facts,
    /// The addresses that it leads to.
    pub links: Vec<String>,
    /// The pictures that it shows, as it names them.
    pub images: Vec<String>,
}

/// Reads a file as a notice.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn parsed(file: &NoticeFile) -> Result<NoticeSource, NoticeError> {
    dunlin_tell::parse(&file.text, &file.path).map_err(NoticeError::Unreadable)
}

/// Holds a notice against all of it.
pub fn judge(source: &NoticeSource, against: &Judgement<'_>) -> Judged {
    let facts = Facts::of(against.plan, Dates::default().or_claimed(source.notice.claims.as_ref()));
    let (links, images) = (Links::new(against.links), Pictures::new(against.dir));
    let gate = Gate { facts: &facts, previous: against.previous, links: Some(&links), images: Some(&images) };
    let findings = gate.check(source);
    Judged { findings, links: links.taken(), images: images.taken(), facts }
}

/// Whether the plan writes to a store that is protected, so that only an approved one is told to customers.
pub fn needs_approval(plan: &Plan) -> bool {
    plan.tables.iter().any(|table| plan.stores.get(&table.to.store).is_some_and(|store| store.protected))
}

/// The version of this name and language that was published last, shown or not.
///
/// # Errors
/// The state failed.
pub async fn previous(state: &State, notice: &str, locale: &str) -> Result<Option<Notice>, NoticeError> {
    let all = state.notice_versions(notice).await?;
    let published = all.into_iter().filter(|one| one.locale == locale && one.published_at.is_some());
    let last = published.max_by_key(|one| one.version);
    Ok(last.and_then(|one| dunlin_tell::parse(&one.text, &one.file).ok()).map(|source| source.notice))
}

/// Asks whether something answers at these addresses, through the one client that goes out.
pub async fn ask_links(client: &Outgoing, links: &[String]) -> LinksAsked {
    let asked = links.iter().take(LINKS_MAX).cloned().map(|link| async move {
        let said = alive(client, &link).await;
        (link, said)
    });
    futures::stream::iter(asked).buffer_unordered(LINKS_AT_A_TIME).collect().await
}

async fn alive(client: &Outgoing, link: &str) -> Result<(), String> {
    let url = Url::parse(link).map_err(|_| "it is no address".to_owned())?;
    let call = Call { method: axum::http::Method::GET, url, headers: Vec::new(), body: Vec::new() };
    match client.call(call).await {
        // Something is there that does not want to be looked at by a program, or leads on.
        Ok(answer) if answer.status < 400 || matches!(answer.status, 401 | 403 | 405 | 429) => Ok(()),
        Ok(answer) => Err(format!("it answers {}", answer.status)),
        // More than is read is an answer as well.
        Err(OutgoingError::TooLong) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Says what the network said, and remembers what was asked for.
struct Links<'a> {
    known: Option<&'a LinksAsked>,
    asked: Mutex<BTreeSet<String>>,
}

impl<'a> Links<'a> {
    fn new(known: Option<&'a LinksAsked>) -> Links<'a> {
        Links { known, asked: Mutex::default() }
    }

    fn taken(&self) -> Vec<String> {
        taken(&self.asked)
    }
}

impl LinkCheck for Links<'_> {
    fn alive(&self, url: &str) -> Result<(), String> {
        remember(&self.asked, url);
        self.known.and_then(|known| known.get(url)).cloned().unwrap_or(Ok(()))
    }
}

/// Looks into the workspace, and remembers what was asked for.
struct Pictures<'a> {
    dir: &'a Path,
    asked: Mutex<BTreeSet<String>>,
}

impl<'a> Pictures<'a> {
    fn new(dir: &'a Path) -> Pictures<'a> {
        Pictures { dir, asked: Mutex::default() }
    }

    fn taken(&self) -> Vec<String> {
        taken(&self.asked)
    }
}

impl Images for Pictures<'_> {
    fn exists(&self, path: &str) -> bool {
        remember(&self.asked, path);
        inside(self.dir, path).is_ok_and(|place| place.is_file())
    }
}

fn remember(asked: &Mutex<BTreeSet<String>>, one: &str) {
    asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(one.to_owned());
}

fn taken(asked: &Mutex<BTreeSet<String>>) -> Vec<String> {
    asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().cloned().collect()
}
