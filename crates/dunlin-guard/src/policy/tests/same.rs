//! "What would this person see?" and the gate give the same, whatever is asked.

use dunlin_gate::{AccessLog, Act, Ask, ColumnInfo, Question, Refused, Rows, Sealed, open};
use dunlin_ledger::Actor;
use dunlin_plan::{Role, Word};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::policy::{Authority, GuardPolicy};
use crate::presence::Presence;
use crate::testing::Site;

const KINDS: [Option<&str>; 6] =
    [Some("none"), Some("email"), Some("birth_date"), Some("iban"), Some("credential"), None];
const VALUE: &str = "ES9121000418450200051332 ana@example.com 1979";

#[derive(Debug, Clone)]
struct Case {
    role: Role,
    organisation: bool,
    limited: bool,
    blocked: bool,
    act: Act,
    clear: bool,
    purpose: bool,
    mfa_age_s: Option<u64>,
    /// Action, and whether it names the columns and two stand for it.
    grants: Vec<(Act, bool)>,
    kinds: Vec<usize>,
}

fn acts() -> impl Strategy<Value = Act> {
    prop::sample::select(vec![Act::Read, Act::ReadMasked, Act::Update, Act::Export])
}

fn cases() -> impl Strategy<Value = Case> {
    let person = (
        prop::sample::select(Role::ALL),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
    );
    let ask = (acts(), any::<bool>(), any::<bool>(), prop::sample::select(vec![None, Some(10), Some(5_000)]));
    let data =
        (prop::collection::vec((acts(), any::<bool>()), 0..3), prop::collection::vec(0..KINDS.len(), 1..5));
    (person, ask, data).prop_map(
        |((role, organisation, limited, blocked), (act, clear, purpose, mfa_age_s), (grants, kinds))| Case {
            role,
            organisation,
            limited,
            blocked,
            act,
            clear,
            purpose,
            mfa_age_s,
            grants,
            kinds,
        },
    )
}

struct World {
    site: Site,
    policy: GuardPolicy,
    presence: Presence,
    person: String,
}

impl World {
    async fn new() -> World {
        let site = Site::new().await;
        let person = site.person("ana@example.com", Role::Guest).await.id;
        let policy = GuardPolicy::new(site.guard.clone(), Authority::built_in().unwrap());
        let presence = Presence::new(site.guard.clone(), &site.workspace);
        World { site, policy, presence, person }
    }

    /// Makes the state as the case has it.
    async fn set(&self, case: &Case) {
        let mut tx = self.site.guard.state().begin().await.unwrap();
        sqlx::query(
            "update people set role = $2, organisation = $3, limit_tables = $4, status = $5 where id = $1",
        )
        .bind(&self.person)
        .bind(case.role.as_str())
        .bind(case.organisation.then_some("Partner Ltd"))
        .bind(case.limited.then_some("[\"atlas.orders\"]"))
        .bind(if case.blocked { "blocked" } else { "active" })
        .execute(tx.connection())
        .await
        .unwrap();
        sqlx::raw_sql("delete from grant_agreements; delete from grants")
            .execute(tx.connection())
            .await
            .unwrap();
        for (n, (act, named)) in case.grants.iter().enumerate() {
            let id = format!("g{n}");
            let columns = named.then(|| serde_json::to_string(&["c0", "c1", "c2", "c3"]).unwrap());
            sqlx::query(
                "insert into grants (id, person, task, action, store, label, columns, purpose_category, purpose_hash, \
                 opened_by, opened_at) values ($1, $2, 't', $3, 'atlas', 'atlas.people', $4, 'x', '', 'p', 0)",
            )
            .bind(&id)
            .bind(&self.person)
            .bind(act.as_str())
            .bind(columns)
            .execute(tx.connection())
            .await
            .unwrap();
            for (person, party) in [("a", "lead"), ("b", "control")].iter().take(if *named { 2 } else { 1 }) {
                sqlx::query(
                    "insert into grant_agreements (grant_id, person, party, at) values ($1, $2, $3, 0)",
                )
                .bind(&id)
                .bind(person)
                .bind(party)
                .execute(tx.connection())
                .await
                .unwrap();
            }
        }
        tx.commit().await.unwrap();
    }

    async fn holds(&self, case: &Case, access: &str) -> Result<(), TestCaseError> {
        self.set(case).await;
        let actor = Actor::Person { id: self.person.clone() };
        let mut ask = if case.purpose { Ask::clear(actor, "support", "ticket") } else { Ask::masked(actor) };
        (ask.action, ask.clear) = (case.act, case.clear);
        ask.circumstances.mfa_age_s = case.mfa_age_s;
        let column = |(n, kind): (usize, &usize)| ColumnInfo {
            name: format!("c{n}"),
            kind: KINDS[*kind].map(Into::into),
        };
        let columns: Vec<ColumnInfo> = case.kinds.iter().enumerate().map(column).collect();
        let question = Question { ask: &ask, store: "atlas", table: "atlas.people", columns: &columns };
        let told = self.policy.would_see(&question).await;
        let rows = Rows {
            store: "atlas".into(),
            table: "atlas.people".into(),
            columns: columns.clone(),
            rows: vec![vec![Some(VALUE.to_owned()); columns.len()]],
        };
        match open(Sealed::seal(rows), &self.policy, &self.presence, &ask, access).await {
            Err(Refused::Denied(denial)) => {
                prop_assert_eq!(told.refused, Some(denial.reason.into_owned()));
                prop_assert!(told.columns.iter().all(|c| c.shown == "hidden"));
            }
            Err(Refused::Log(_)) => prop_assert!(false, "the log failed"),
            Ok(opened) => {
                prop_assert_eq!(told.refused, None);
                let hidden: Vec<&String> =
                    told.columns.iter().filter(|c| c.shown == "hidden").map(|c| &c.column).collect();
                prop_assert_eq!(hidden, opened.hidden.iter().collect::<Vec<_>>());
                let seen = told.columns.iter().filter(|c| c.shown != "hidden");
                for (column, value) in seen.zip(&opened.rows[0]) {
                    let clear = value.as_deref() == Some(VALUE);
                    prop_assert_eq!(clear, column.shown == "clear", "{}: {}", &column.column, column.shown);
                    prop_assert_eq!(clear, column.mask.is_none());
                }
                self.presence.closing(&ask.actor, access, 1, "done").await.unwrap();
            }
        }
        Ok(())
    }
}

#[test]
fn what_a_person_would_see_is_what_the_gate_gives() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let count = std::cell::Cell::new(0u32);
    let outcome = runner.run(&cases(), |case| {
        count.set(count.get() + 1);
        runtime.block_on(world.holds(&case, &format!("a{}", count.get())))
    });
    outcome.unwrap();
}
