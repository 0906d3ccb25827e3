//! What can go wrong in a run besides what happens to rows. No message carries a value.

use dunlin_connect::ConnectError;

/// The result of this crate.
pub type Result<T, E = MoveError> = std::result::Result<T, E>;

fn findings(count: usize) -> String {
    format!("{count} {}", if count == 1 { "finding" } else { "findings" })
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(count: u64) -> String {
    format!("{count} {}", if count == 1 { "row" } else { "rows" })
}

/// A run, a verification or an undo could not go on.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store did not do what was asked.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// dunlin's own state did not do what was asked.
    #[error("dunlin's own state: {0}")]
    State(#[from] dunlin_store::StoreError),
    /// The plan and the stores do not fit; the findings say where.
    #[error("the plan does not fit the stores: {}", findings(.0.len()))]
    Findings(Vec<crate::CheckFinding>),
    /// Policy or a precondition says no; nothing was touched.
    #[error("{message}")]
    Refused {
        /// A stable code, e.g. `target-not-empty`.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: String,
    },
    /// A `stop` rule or `--max-quarantine` stopped the run; it can be resumed.
    #[error("the run stopped: {message}")]
    Stopped {
        /// Which rule or limit, and where.
        message: String,
    },
    /// Some tables could not be moved, others could; the run can be resumed.
    #[error("{message}")]
    Partly {
        /// Which, why, and which keys wait for them.
        message: String,
        /// How to mend the first of them.
        help: String,
    },
    /// What was asked for is remembered and goes on when something else is through.
    #[error("{message}")]
    Waiting {
        /// What it waits for.
        message: String,
        /// How it goes on.
        help: String,
    },
    /// Somebody asked the run to pause; it can be resumed.
    #[error("the run is paused")]
    Paused,
    /// It did not reconcile, or what is on disk is not what the receipts say.
    #[error("{message}")]
    Broken {
        /// What does not fit.
        message: String,
        /// How to go on.
        help: String,
    },
    /// The engine failed in a way that is not about one row.
    #[error("the engine failed at {act}: {code}")]
    Engine {
        /// What was being done.
        act: String,
        /// The kind of failure, without the engine's own text.
        code: String,
    },
    /// A file of the workspace could not be read or written.
    #[error("{path}: {kind}")]
    File {
        /// The path.
        path: String,
        /// The kind of I/O error.
        kind: std::io::ErrorKind,
    },
}

impl MoveError {
    /// How to mend it, where this is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Connect(e) => e.help(),
            Self::Refused { help, .. }
            | Self::Broken { help, .. }
            | Self::Partly { help, .. }
            | Self::Waiting { help, .. } => Some(help.clone()),
            Self::Stopped { .. } => Some("mend the cause and run again: it goes on where it stopped".into()),
            Self::Paused => Some("resume it: it goes on where it stopped".into()),
            Self::File { .. } => Some("make the path writable and the disk roomy, then run again".into()),
            Self::State(e) => e.help().map(str::to_owned),
            Self::Findings(_) | Self::Engine { .. } => None,
        }
    }

    /// Whether the same run may get further by itself a moment later: a connection broke, a lock was waited for too
    /// long. A full disk does not mend itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(e) if e.is_transient() && !matches!(e, ConnectError::Full { .. }))
    }

    /// Whether only the table at hand is concerned, so that others can be loaded all the same.
    pub(crate) fn is_of_one_table(&self) -> bool {
        use ConnectError::{Changed, Missing, Permission, Store, Unsupported};
        let one = |e: &ConnectError| match e {
            Permission { .. } | Missing { .. } | Changed { .. } | Unsupported { .. } => true,
            Store { transient, .. } => !transient,
            _ => false,
        };
        matches!(self, Self::Connect(e) if one(e))
    }

    /// The exit code of DESIGN section 5.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Findings(_) | Self::Refused { .. } => 2,
            Self::Stopped { .. } | Self::Broken { .. } | Self::Partly { .. } => 1,
            Self::Connect(ConnectError::Url { .. } | ConnectError::Unsupported { .. }) => 2,
            Self::Connect(_)
            | Self::State(_)
            | Self::Engine { .. }
            | Self::File { .. }
            | Self::Waiting { .. }
            | Self::Paused => 3,
        }
    }

    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), kind: error.kind() }
    }

    /// DataFusion's own text may quote values; only the kind of error is kept, unless it is one of ours inside.
    pub(crate) fn engine(act: &str, error: datafusion_common::DataFusionError) -> Self {
        use datafusion_common::DataFusionError as E;
        match error {
            E::External(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(_) => Self::Engine { act: act.to_owned(), code: "external".to_owned() },
            },
            E::Context(_, inner) => Self::engine(act, *inner),
            E::ResourcesExhausted(_) => {
                Self::Engine { act: act.to_owned(), code: "out of memory".to_owned() }
            }
            other => Self::Engine { act: act.to_owned(), code: kind_of(&other).to_owned() },
        }
    }
}

fn kind_of(error: &datafusion_common::DataFusionError) -> &'static str {
    use datafusion_common::DataFusionError as E;
    match error {
        E::ArrowError(..) => "arrow",
        E::IoError(..) => "i/o",
        E::Plan(..) => "plan",
        E::Execution(..) | E::ExecutionJoin(..) => "execution",
        _ => "engine",
    }
}

impl From<MoveError> for datafusion_common::DataFusionError {
    fn from(error: MoveError) -> Self {
        Self::External(Box::new(error))
    }
}

impl MoveError {
    /// What a failpoint gives.
    #[cfg(feature = "failpoints")]
    pub(crate) fn failpoint(name: &str) -> Self {
        Self::Engine { act: "reach a failpoint".to_owned(), code: name.to_owned() }
    }
}
