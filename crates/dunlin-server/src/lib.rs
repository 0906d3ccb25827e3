//! What a browser or a program meets: the HTTP API, live events, and the pages of sign-in.
//!
//! It is: the listener with its limits, the gate in front of every operation, the routes, and the server-rendered
//! pages. It is not: who may do what (`dunlin-guard`), the moving of data ([`Engine`], which the binary brings), and
//! the operators' web app.

// A `Problem` is the end of a request: it is made once and moved a few times, which a box would not make cheaper.
#![allow(clippy::result_large_err)]

mod api;
mod app;
mod brand;
mod config;
mod cookies;
mod duplicates;
mod engine;
mod events;
mod extract;
mod gate;
mod layers;
mod limits;
mod log;
mod metrics;
pub mod notices;
mod operation;
mod origin;
mod pack;
mod pages;
mod plan;
mod problem;
mod requests;
mod routes;
mod serve;
mod tell;
mod unsubscribe;
mod web;
mod wiring;

pub use config::{
    Alerts, CONFIG_FILE, ConfigError, CustomerOidc, LogStyle, Oidc, RequestLimits, Requests, Scim,
    SecretError, SecretRef, ServerConfig, Smtp, SmtpSecurity, Tell, Timeouts, TlsFiles, Webhook,
};
pub use duplicates::{
    DecidePairs, DecidedPair, DecidedPairs, Duplicates, MergedPair, MergedPart, Pair, PairDecisionWord,
    PairEffects, PairEvidence, PairOfRows, PairState, Pairs, PairsLook, WouldDecidePairs,
};
pub use engine::{
    Decide, Decided, DecisionWord, Engine, EngineError, FindingJson, Profiled, Progress, QuarantineAsk,
    QuarantineRows, Reason, Rehearsed, ReportFiles, RunTable, RunUndone, ShapeChange, ShowError, Side,
    SplitState, StartRun, Surveyed, TableProblem, TableProgress, Through, Verification, WouldDecide,
};
pub use log::start_log;
pub use problem::Problem;
pub use requests::{
    CarriedOut, CustomerKey, CustomerPart, CustomerReach, Customers, Named, NewCustomerRequest,
    RequestDecision,
};
pub use routes::openapi;
pub use serve::{Server, ServerError, TlsError};
pub use tell::customer_link;
pub use wiring::outgoing;
