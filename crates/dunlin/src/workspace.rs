//! The workspace of a command: the plan file, parsed, and dunlin's state beside it.

use std::path::{Path, PathBuf};

use dunlin_move::RunOptions;
use dunlin_plan::Plan;
use dunlin_store::{Actor, KeyOptions, Workspace};

use crate::failure::Failure;

/// The plan's file name.
pub const PLAN_FILE: &str = "dunlin.toml";

/// A plan that was read.
pub struct PlanFile {
    /// The plan's folder.
    pub dir: PathBuf,
    /// Its file, as named in messages.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What it says.
    pub plan: Plan,
}

impl PlanFile {
    /// Reads `dunlin.toml` of a folder.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(PLAN_FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::usage(
                format!("there is no {PLAN_FILE} in {}", dir.display()),
                "`dunlin init --from URL --to URL` drafts one; `dunlin demo` shows one at work",
            ),
            _ => Failure::file(&path, &error),
        })?;
        Self::of(dir, text)
    }

    /// A plan of this text.
    pub fn of(dir: &Path, text: String) -> Result<Self, Failure> {
        let file = if dir == Path::new(".") {
            PLAN_FILE.to_owned()
        } else {
            dir.join(PLAN_FILE).display().to_string()
        };
        let plan = dunlin_plan::load(&text, &file)?;
        Ok(Self { dir: dir.to_owned(), file, text, plan })
    }

    /// Turns an error of the run into a failure that can show its place in this plan.
    pub fn failure(&self, error: dunlin_move::MoveError) -> Failure {
        Failure::of(error, &self.file, &self.text)
    }

    /// The options of a run of this plan, as far as the plan decides them.
    pub fn options(&self, jobs: Option<usize>) -> RunOptions {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        RunOptions {
            base: self.dir.clone(),
            plan_file: PLAN_FILE.to_owned(),
            plan_text: self.text.clone(),
            tables: Vec::new(),
            // A writer waits for its server about half of the time, so twice as many splits as cores are under way.
            jobs: jobs.unwrap_or((cores * 2).clamp(2, 8)).max(1),
            rehearsal: None,
            quarantine_max: None,
            unfinished: dunlin_move::Unfinished::Refuse,
            actor: Actor::local(),
            id: None,
            pause: dunlin_move::Pause::default(),
            rows_per_split: rows_per_split(),
        }
    }
}

/// How many rows a split has, where `DUNLIN_ROWS_PER_SPLIT` says so: for tests, which want many splits of few rows.
fn rows_per_split() -> Option<u64> {
    std::env::var("DUNLIN_ROWS_PER_SPLIT").ok()?.parse().ok().filter(|rows| *rows > 0)
}

/// Opens the state beside the plan.
pub async fn open(dir: &Path) -> Result<Workspace, Failure> {
    Ok(Workspace::open(dir, &KeyOptions::from_env()).await?)
}
