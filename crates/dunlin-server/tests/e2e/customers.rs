//! Three customers in memory: Ana alone at her address, and two who share one. For tests of their pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_server::{
    CarriedOut, CustomerKey, CustomerPart, CustomerReach, Customers, EngineError, Named, NewCustomerRequest,
    RequestDecision,
};
use dunlin_store::{Identity, RequestKind, RequestRecord, RequestState, State, new_id, now_us};
use serde_json::json;

pub const ANA: &str = "customer-7";
pub const ANA_AT: &str = "ana@customer.example";
/// In the row of the first twin, who reads Spanish.
pub const TWIN_AT: &str = "twin-one@customer.example";
pub const SHARED_AT: &str = "twins@customer.example";
/// In every row of Ana's.
pub const CANARY: &str = "canary-4711-street";

pub struct FakeCustomers {
    state: State,
    gone: Mutex<BTreeSet<String>>,
    street: Mutex<String>,
    corrected: Mutex<BTreeMap<String, Vec<(String, String)>>>,
}

impl FakeCustomers {
    pub fn new(state: State) -> FakeCustomers {
        FakeCustomers {
            state,
            gone: Mutex::default(),
            street: Mutex::new(CANARY.to_owned()),
            corrected: Mutex::default(),
        }
    }

    fn knows(&self, key: &str) -> bool {
        [ANA, "twin-1", "twin-2"].contains(&key) && !self.gone.lock().unwrap().contains(key)
    }

    fn parts(&self, key: &str) -> Vec<CustomerPart> {
        if !self.knows(key) {
            return Vec::new();
        }
        let column = |name: &str| ColumnInfo { name: name.to_owned(), kind: None };
        let row =
            vec![Some(key.to_owned()), Some(self.street.lock().unwrap().clone()), Some("=1+1".to_owned())];
        let rows = Rows {
            store: "atlas".to_owned(),
            table: "atlas.people".to_owned(),
            columns: vec![column("id"), column("street"), column("said")],
            rows: vec![row],
        };
        vec![CustomerPart {
            side: "target",
            store: "atlas".to_owned(),
            table: "atlas.people".to_owned(),
            count: 1,
            correctable: vec!["street".to_owned()],
            rows: Sealed::seal(rows),
        }]
    }

    async fn write(&self, record: &RequestRecord) -> Result<(), EngineError> {
        let failed = |_| EngineError::Failed;
        let mut tx = self.state.begin().await.map_err(failed)?;
        tx.update_request(record).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn read(&self, id: &str) -> Result<RequestRecord, EngineError> {
        self.state.request(id).await.map_err(|_| EngineError::Unknown("request"))
    }
}

fn subject(key: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(key))
}

fn refused(code: &'static str, message: &str) -> EngineError {
    EngineError::Refused { code, message: message.to_owned(), help: None }
}

#[async_trait::async_trait]
impl Customers for FakeCustomers {
    async fn with_address(&self, email: &str) -> Result<Vec<CustomerKey>, EngineError> {
        let keys: &[&str] = match email.to_lowercase().as_str() {
            ANA_AT => &[ANA],
            SHARED_AT => &["twin-1", "twin-2"],
            _ => &[],
        };
        Ok(keys.iter().filter(|key| self.knows(key)).map(|key| CustomerKey((*key).to_owned())).collect())
    }

    async fn look(&self, who: &CustomerKey) -> Result<Vec<CustomerPart>, EngineError> {
        Ok(self.parts(&who.0))
    }

    async fn asked_by(&self, who: &CustomerKey) -> Result<Vec<RequestRecord>, EngineError> {
        let mut all = self.state.requests().await.map_err(|_| EngineError::Failed)?;
        all.retain(|r| r.subject == subject(&who.0));
        Ok(all)
    }

    async fn reach(&self, who: &CustomerKey) -> Result<CustomerReach, EngineError> {
        let text = |text: &str| Some(text.to_owned());
        Ok(match who.0.as_str() {
            key if !self.knows(key) => CustomerReach::default(),
            ANA => CustomerReach { address: text(ANA_AT), locale: text("en-GB") },
            "twin-1" => CustomerReach { address: text(TWIN_AT), locale: text("es_MX") },
            // What stands in a column of addresses need not be one.
            _ => CustomerReach { address: text("by telephone"), locale: text("tlh") },
        })
    }

    async fn whose(&self, id: &str) -> Result<Option<CustomerKey>, EngineError> {
        let record = self.read(id).await?;
        let keys = [ANA, "twin-1", "twin-2"];
        let key = keys.into_iter().find(|key| subject(key) == record.subject && record.ended_at.is_none());
        Ok(key.map(|key| CustomerKey(key.to_owned())))
    }

    async fn corrects(&self, id: &str) -> Result<Vec<(String, String)>, EngineError> {
        Ok(self.corrected.lock().unwrap().get(id).cloned().unwrap_or_default())
    }

    async fn open(&self, new: NewCustomerRequest, actor: Actor) -> Result<RequestRecord, EngineError> {
        let key = match &new.who {
            Named::Key(key) => key.0.clone(),
            Named::Email(email) => match self.with_address(email).await?.as_slice() {
                [one] => one.0.clone(),
                _ => return Err(refused("nobody", "no customer has this address")),
            },
        };
        if !self.knows(&key) {
            return Err(refused("nobody", "no customer has this key"));
        }
        let id = new_id();
        let record = RequestRecord {
            id: id.clone(),
            kind: new.kind,
            law: new.law.clone(),
            opened_at: now_us(),
            received_at: new.received_at,
            due_at: new.due_at,
            extended_to: new.extended_to,
            owner: new.owner,
            identity: Identity::Unchecked,
            decision: None,
            reason_category: None,
            reason_hash: None,
            state: RequestState::Open,
            undo_until: None,
            purpose: new.purpose.unwrap_or_default(),
            subject: subject(&key),
            key_id: "fake".to_owned(),
            ended_at: None,
        };
        let failed = |_| EngineError::Failed;
        let mut tx = self.state.begin().await.map_err(failed)?;
        tx.insert_request(&record).await.map_err(failed)?;
        let body = Body::RequestOpened {
            request: id.clone(),
            request_kind: record.kind.as_str().to_owned(),
            law: new.law,
            subject: subject(&id),
            due_at: record.due_at,
        };
        tx.enter(Entry { at: now_us(), actor, body }).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        let columns = new.set.iter().map(|(table, column, _)| (table.clone(), column.clone())).collect();
        self.corrected.lock().unwrap().insert(id, columns);
        if let Some((_, _, Some(value))) = new.set.first() {
            *self.street.lock().unwrap() = value.clone();
        }
        Ok(record)
    }

    async fn decide(
        &self,
        id: &str,
        decision: RequestDecision,
        _: Actor,
    ) -> Result<RequestRecord, EngineError> {
        let mut record = self.read(id).await?;
        if !matches!(record.state, RequestState::Open | RequestState::Granted) {
            return Err(refused("request-decided", "the request cannot be decided on"));
        }
        record.identity = decision.identity.unwrap_or(record.identity);
        record.owner = decision.owner.or(record.owner);
        if let Some(state) = decision.state {
            record.state = state;
            record.decision = Some(state.as_str().to_owned());
            record.reason_category = Some(decision.reason_category);
            let failed = |_| EngineError::Failed;
            let mut tx = self.state.begin().await.map_err(failed)?;
            record.reason_hash = Some(tx.keep_text(&decision.reason).await.map_err(failed)?);
            tx.commit().await.map_err(failed)?;
            let granted = state == RequestState::Granted;
            record.undo_until = granted.then(|| now_us() + decision.undo_us);
            record.ended_at = (!granted).then(now_us);
        }
        self.write(&record).await?;
        Ok(record)
    }

    async fn carry_out(&self, id: &str, _: Actor) -> Result<CarriedOut, EngineError> {
        let mut record = self.read(id).await?;
        let now = now_us();
        if record.state != RequestState::Granted
            || record.identity != Identity::Confirmed
            || record.undo_until.is_some_and(|until| until > now)
        {
            return Err(refused("not-yet", "the request is not granted, or nobody knows who asks"));
        }
        let mut receipt = None;
        if record.kind == RequestKind::Erasure {
            self.gone.lock().unwrap().insert(ANA.to_owned());
            receipt = Some(json!({ "format": "dunlin-receipt/v1", "statement": { "request": id } }));
        }
        record.state = RequestState::Done;
        record.ended_at = Some(now);
        self.write(&record).await?;
        Ok(CarriedOut { request: record, rows: BTreeMap::new(), receipt, notes: Vec::new() })
    }

    async fn export(&self, id: &str) -> Result<Vec<CustomerPart>, EngineError> {
        let record = self.read(id).await?;
        if record.state != RequestState::Granted {
            return Err(refused("request-open", "the request is not granted"));
        }
        let keys = [ANA, "twin-1", "twin-2"];
        let key = keys.into_iter().find(|key| subject(key) == record.subject).unwrap_or_default();
        Ok(self.parts(key))
    }

    async fn exported(&self, id: &str, _: u64, _: Actor) -> Result<RequestRecord, EngineError> {
        let mut record = self.read(id).await?;
        record.state = RequestState::Done;
        record.ended_at = Some(now_us());
        self.write(&record).await?;
        Ok(record)
    }

    async fn receipt(
        &self,
        id: &str,
        who: Option<&CustomerKey>,
        _: Actor,
    ) -> Result<serde_json::Value, EngineError> {
        let record = self.read(id).await?;
        if who.is_none_or(|key| subject(&key.0) != record.subject) {
            return Err(refused("other-subject", "the request is about another customer"));
        }
        Ok(json!({ "format": "dunlin-receipt/v1", "statement": { "request": id } }))
    }
}
