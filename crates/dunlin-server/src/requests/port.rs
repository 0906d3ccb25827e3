//! What the server needs of whoever knows customers' rows: finding a customer, showing them what is theirs, and carrying
//! out what they ask for.
//!
//! It is: a trait, which the binary implements over the mover. It is not: who may ask, and by when it must be answered.

use std::collections::BTreeMap;

use dunlin_gate::{Rows, Sealed};
use dunlin_ledger::Actor;
use dunlin_store::{Identity, RequestKind, RequestRecord, RequestState};

use crate::engine::EngineError;

/// What names a customer: the id that the plan's `[subject]` names. Customer data: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey(pub String);

/// By what a customer is named in a new request. Customer data: it has no `Debug`.
#[derive(Clone)]
pub enum Named {
    /// By the key.
    Key(CustomerKey),
    /// By an address that exactly one customer has.
    Email(String),
}

/// A request as it arrives; its times are microseconds since 1970 UTC.
pub struct NewCustomerRequest {
    /// What for.
    pub kind: RequestKind,
    /// Under which law, as a code; none for what has no period.
    pub law: Option<String>,
    /// When it arrived.
    pub received_at: i64,
    /// The first moment that is too late.
    pub due_at: Option<i64>,
    /// The same with the law's extension.
    pub extended_to: Option<i64>,
    /// Whose data.
    pub who: Named,
    /// Who deals with it: a person's id.
    pub owner: Option<String>,
    /// For an objection or consent: the purpose; `None` for all.
    pub purpose: Option<String>,
    /// For a rectification: table, column and value; `None` for NULL.
    pub set: Vec<(String, String, Option<String>)>,
}

/// What a decision says; nothing of it has to.
#[derive(Default)]
pub struct RequestDecision {
    /// Whether the customer is who they say, where that was looked at.
    pub identity: Option<Identity>,
    /// Granted, refused or withdrawn.
    pub state: Option<RequestState>,
    /// Why, as a code.
    pub reason_category: String,
    /// Why, in words.
    pub reason: String,
    /// How long it can be taken back, in microseconds.
    pub undo_us: i64,
    /// Who deals with it from now on.
    pub owner: Option<String>,
}

/// Rows of one customer in one table of one side, under seal.
pub struct CustomerPart {
    /// `source`, `target` or `quarantine`.
    pub side: &'static str,
    /// The store's name in the plan.
    pub store: String,
    /// The table: in a target as the plan calls it, in a source as the store does.
    pub table: String,
    /// How many rows.
    pub count: u64,
    /// The columns that the customer may have corrected.
    pub correctable: Vec<String>,
    /// The rows.
    pub rows: Sealed<Rows>,
}

/// How a customer can be written to, as their own row has it. Customer data: it has no `Debug`.
#[derive(Clone, Default)]
pub struct CustomerReach {
    /// What stands in the column of addresses. Nobody has looked whether it is one.
    pub address: Option<String>,
    /// What stands in the column of languages, e.g. `es-MX`.
    pub locale: Option<String>,
}

/// What was carried out.
pub struct CarriedOut {
    /// The request as it is now.
    pub request: RequestRecord,
    /// Rows that were changed or deleted, by place.
    pub rows: BTreeMap<String, u64>,
    /// What the customer is given, where everything was searched: `dunlin-receipt/v1`. It names the customer.
    pub receipt: Option<serde_json::Value>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Whoever knows customers' rows.
#[async_trait::async_trait]
pub trait Customers: Send + Sync + 'static {
    /// The customers with this address. It reads the customers' table whole.
    async fn with_address(&self, email: &str) -> Result<Vec<CustomerKey>, EngineError>;

    /// Everything of a customer; nothing where nobody has this key. It reads the customers' tables whole.
    async fn look(&self, who: &CustomerKey) -> Result<Vec<CustomerPart>, EngineError>;

    /// What a customer has asked for, the newest first.
    async fn asked_by(&self, who: &CustomerKey) -> Result<Vec<RequestRecord>, EngineError>;

    /// How a customer can be written to; nothing where the plan names no such column. It reads the customers' table whole.
    async fn reach(&self, who: &CustomerKey) -> Result<CustomerReach, EngineError>;

    /// Whom a request is about; nobody knows once it is answered.
    async fn whose(&self, id: &str) -> Result<Option<CustomerKey>, EngineError>;

    /// The columns that a request corrects, as table and column. Never what they are to hold.
    async fn corrects(&self, id: &str) -> Result<Vec<(String, String)>, EngineError>;

    /// Takes a request in.
    async fn open(&self, new: NewCustomerRequest, actor: Actor) -> Result<RequestRecord, EngineError>;

    /// Notes who asks, or decides.
    async fn decide(
        &self,
        id: &str,
        decision: RequestDecision,
        actor: Actor,
    ) -> Result<RequestRecord, EngineError>;

    /// Carries a granted request out; not one for a copy of the data. It goes on when the caller leaves.
    async fn carry_out(&self, id: &str, actor: Actor) -> Result<CarriedOut, EngineError>;

    /// A copy of the data, for a granted request for access or portability.
    async fn export(&self, id: &str) -> Result<Vec<CustomerPart>, EngineError>;

    /// Enters that the customer got the copy, and ends the request.
    async fn exported(&self, id: &str, rows: u64, actor: Actor) -> Result<RequestRecord, EngineError>;

    /// Searches everywhere again and makes a receipt. After an erasure it has to be told who: nothing else knows.
    async fn receipt(
        &self,
        id: &str,
        who: Option<&CustomerKey>,
        actor: Actor,
    ) -> Result<serde_json::Value, EngineError>;
}
