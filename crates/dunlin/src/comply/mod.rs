//! The plan held against its packs: facts are gathered from the plan, the stores, the state and the ledger, the rules are
//! asked, waivers applied. Not here: the rules (`dunlin_quality::packs`), and what they do to rows (`dunlin-move`).

mod facts;
mod past;
mod print;
mod waivers;

use dunlin_move::{Resolved, Stores};
use dunlin_plan::{Finding, Level, Span};
use dunlin_quality::packs::{PackError, State, Verdict, evaluate, pack};
use dunlin_store::{Body, Workspace};
use serde::Serialize;

pub use print::table;
pub use waivers::{enter_plan_waivers, known_rules};

use crate::failure::Failure;
use crate::workspace::PlanFile;

/// The rules of a plan's packs, each with how it ends.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Matrix {
    /// The packs that the plan names.
    pub packs: Vec<PackHead>,
    /// The lists with a date that the rules use.
    pub lists: Vec<DatedList>,
    /// How each rule ends, in the order of the packs.
    pub rules: Vec<Verdict>,
}

/// A pack.
#[derive(Debug, Clone, Serialize)]
pub struct PackHead {
    /// Its name in the plan.
    pub pack: String,
    /// The regulation.
    pub title: String,
    /// Where its text stands.
    pub source: String,
    /// As of which day the pack was written.
    pub as_of: String,
    /// What it is not.
    pub notice: String,
}

/// A list with a date.
#[derive(Debug, Clone, Serialize)]
pub struct DatedList {
    /// What it lists.
    pub list: String,
    /// Its day.
    pub as_of: String,
    /// Where it comes from.
    pub source: String,
}

impl Matrix {
    /// The rules that are violated and let no run load.
    pub fn blocking(&self) -> impl Iterator<Item = &Verdict> {
        self.rules.iter().filter(|rule| rule.blocks && rule.state == State::Violated)
    }
}

fn unreadable(error: PackError) -> Failure {
    Failure::Refused {
        message: error.to_string(),
        help: Some("tell the makers of dunlin".to_owned()),
        code: 3,
    }
}

/// Holds a plan against its packs; an empty matrix where it names none. `workspace` is what is remembered of earlier
/// runs, where anything is.
///
/// # Errors
/// Those of the stores and of the state.
pub async fn matrix(
    workspace: Option<&Workspace>,
    plan: &PlanFile,
    stores: &Stores,
    resolved: &Resolved,
) -> Result<Matrix, Failure> {
    let names: Vec<&str> =
        plan.plan.comply.iter().flat_map(|comply| &comply.packs).map(|pack| pack.as_str()).collect();
    if names.is_empty() {
        return Ok(Matrix::default());
    }
    let mut facts = facts::gather(plan, stores, resolved).await?;
    if let Some(workspace) = workspace {
        past::gather(workspace, plan, &mut facts).await?;
    }
    let mut rules = evaluate(&names, &facts).map_err(unreadable)?;
    let waivers = waivers::of(workspace, &plan.plan).await?;
    waivers::apply(&mut rules, &waivers, &facts.past.waived, &facts.today);
    let head = |name: &&str| {
        let pack = pack(name).map_err(unreadable)?;
        Ok(PackHead {
            pack: pack.pack.clone(),
            title: pack.title.clone(),
            source: pack.source.clone(),
            as_of: pack.as_of.clone(),
            notice: pack.notice.clone(),
        })
    };
    let packs = names.iter().map(head).collect::<Result<_, Failure>>()?;
    let lists = dunlin_quality::packs::dated_lists().into_iter().map(|(list, as_of, source)| DatedList {
        list: list.to_owned(),
        as_of: as_of.to_owned(),
        source: source.to_owned(),
    });
    Ok(Matrix { packs, lists: lists.collect(), rules })
}

/// The matrix of a plan whose stores are not open yet.
///
/// # Errors
/// As [`matrix`].
pub async fn matrix_of(workspace: Option<&Workspace>, plan: &PlanFile) -> Result<Matrix, Failure> {
    if plan.plan.comply.as_ref().is_none_or(|comply| comply.packs.is_empty()) {
        return Ok(Matrix::default());
    }
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(|e| plan.failure(e))?;
    let now = dunlin_store::now_us();
    let (resolved, _) =
        dunlin_move::try_resolve(&plan.plan, &stores, now, &std::collections::BTreeMap::new())
            .await
            .map_err(|e| plan.failure(e))?;
    matrix(workspace, plan, &stores, &resolved).await
}

/// Refuses to load while a rule is violated that lets nothing load, and enters the waivers of the plan.
///
/// # Errors
/// [`Failure::Refused`] with exit code 2, which names the rules; those of the stores and of the state.
pub async fn allow_load(workspace: &Workspace, plan: &PlanFile) -> Result<(), Failure> {
    enter_plan_waivers(workspace, &plan.plan).await?;
    let matrix = matrix_of(Some(workspace), plan).await?;
    let blocking: Vec<&Verdict> = matrix.blocking().collect();
    let Some(first) = blocking.first() else { return Ok(()) };
    let ids: Vec<&str> = blocking.iter().map(|rule| rule.rule.as_str()).collect();
    Err(Failure::usage(
        format!("{} lets no run load: {} ({})", ids.join(", "), first.why, first.places.join(", ")),
        format!("{} `dunlin check` shows every rule.", first.help),
    ))
}

/// Findings of the packs, for the list that `check` prints: a violated rule is an error, one that needs a person a
/// warning.
pub fn findings(plan: &PlanFile, matrix: &Matrix) -> Vec<Finding> {
    let span = place(plan);
    let open = matrix.rules.iter().filter(|rule| rule.state == State::Violated);
    let mut found: Vec<Finding> = open
        .map(|rule| {
            let at = match rule.places.is_empty() {
                true => String::new(),
                false => format!(" ({})", rule.places.join(", ")),
            };
            let message = format!("{} {}: {}{at}", rule.rule, rule.reference, rule.why);
            let finding = match span {
                Some(span) => Finding::error("pack-violated", span, message),
                None => Finding::new(Level::Error, "pack-violated", message),
            };
            finding.help(rule.help.clone())
        })
        .collect();
    found.extend(waivers::unknown(&plan.plan));
    found
}

/// Where the plan names its packs.
fn place(plan: &PlanFile) -> Option<Span> {
    let start = plan.text.find("packs =").or_else(|| plan.text.find("[comply]"))?;
    Some(Span { start, end: start + plan.text[start..].find('\n').unwrap_or(1) })
}

/// Enters that the plan was held against its packs, with how many rules ended how.
///
/// # Errors
/// Those of the state.
pub async fn enter(workspace: &Workspace, plan: &PlanFile, rules: &[Verdict]) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut states = std::collections::BTreeMap::new();
    for rule in rules {
        *states.entry(rule.state.as_str().to_owned()).or_default() += 1;
    }
    let json = serde_json::to_vec(rules).unwrap_or_default();
    let packs = plan.plan.comply.iter().flat_map(|comply| &comply.packs);
    let body = Body::PacksChecked {
        fingerprint: plan.plan.fingerprint().to_string(),
        packs: packs.map(ToString::to_string).collect(),
        states,
        sha256: {
            use sha2::{Digest, Sha256};
            hex::encode(Sha256::digest(&json))
        },
    };
    workspace.state().enter(dunlin_store::Actor::local(), body).await?;
    Ok(())
}
