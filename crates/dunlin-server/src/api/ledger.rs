//! The ledger for auditors: entries, proofs, exports, saved searches. Whoever looks is in the ledger too.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dunlin_guard::audit::{Filter, Product, Standing};
use dunlin_guard::{Action, GuardError};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::{created, done, items, ok};
use crate::app::App;
use crate::extract::{Json, Path, Query, Text};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// A search.
#[derive(Default, Deserialize)]
struct Search {
    person: Option<String>,
    actor: Option<String>,
    kind: Option<String>,
    store: Option<String>,
    table: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
    code: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
}

impl Search {
    fn filter(&self) -> Filter {
        let kinds = self.kind.iter().flat_map(|list| list.split(',')).map(|k| k.trim().to_owned());
        Filter {
            person: self.person.clone(),
            actor: self.actor.clone(),
            kinds: kinds.filter(|k| !k.is_empty()).collect(),
            store: self.store.clone(),
            table: self.table.clone(),
            from: self.from,
            to: self.to,
            code: self.code.clone(),
        }
    }
}

/// Two sizes.
#[derive(Deserialize)]
struct Sizes {
    old: u64,
    new: u64,
}

/// A search that is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSearch {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// `person`, `actor`, `kinds`, `store`, `table`, `from`, `to`, `code`.
    #[schema(value_type = Object)]
    filter: Filter,
}

fn filtered(op: Op) -> Op {
    op.query("person", Type::String, "Entries by or about this person")
        .query("actor", Type::String, "Entries by this actor")
        .query("kind", Type::String, "Kinds of entries, with commas between")
        .query("store", Type::String, "Entries about this store")
        .query("table", Type::String, "Entries about this table")
        .query("from", Type::Integer, "From this moment on, microseconds since 1970 UTC")
        .query("to", Type::Integer, "Before this moment")
        .query("code", Type::String, "Entries with this code in them")
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(reading_routes).with(proving_routes).with(searching_routes)
}

fn reading_routes(routes: Routes) -> Routes {
    let read = Access::May(Action::LedgerRead, Target::Workspace);
    let prove = Access::May(Action::LedgerProve, Target::Workspace);
    let get = |path, access, id, summary| Op::new(Method::Get, path, access, id, summary);
    routes
        .add(
            filtered(get(
                "/api/v1/ledger/entries",
                read,
                "ledger_entries",
                "Entries, the newest first; that somebody looked is entered",
            ))
            .query("before", Type::Integer, "Goes on before this index")
            .query("limit", Type::Integer, "At most this many, up to 500")
            .answers_object("`entries`, `before` for the next page, `size` of the ledger"),
            entries,
        )
        .add(
            get("/api/v1/ledger/checkpoint", prove, "ledger_checkpoint", "The newest signed checkpoint")
                .answers_as("text/plain", "A signed note"),
            checkpoint,
        )
        .add(
            get(
                "/api/v1/ledger/entries/{index}/proof",
                prove,
                "ledger_inclusion",
                "Proof that an entry is in the ledger",
            )
            .answers_object("The proof"),
            inclusion,
        )
}

fn proving_routes(routes: Routes) -> Routes {
    let prove = Access::May(Action::LedgerProve, Target::Workspace);
    let get = |path, access, id, summary| Op::new(Method::Get, path, access, id, summary);
    routes
        .add(
            get(
                "/api/v1/ledger/entries/{index}/tlog-proof",
                prove,
                "ledger_proof_file",
                "The same as a C2SP .tlog-proof file",
            )
            .answers_as("text/plain", "The file"),
            proof_file,
        )
        .add(
            get(
                "/api/v1/ledger/consistency",
                prove,
                "ledger_consistency",
                "Proof that an earlier ledger is the beginning of a later one",
            )
            .query("old", Type::Integer, "Entries of the earlier")
            .query("new", Type::Integer, "Entries of the later")
            .answers_object("The proof"),
            consistency,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/ledger/standing",
                prove,
                "ledger_standing",
                "How a checkpoint that somebody kept stands to this ledger",
            )
            .takes_text("text/plain")
            .answers_object("`standing`: consistent, ahead, or forked with the evidence"),
            standing,
        )
}

fn searching_routes(routes: Routes) -> Routes {
    let export_may = Access::May(Action::LedgerExport, Target::Workspace);
    let own = Access::May(Action::SearchesEdit, Target::Own);
    let get = |path, access, id, summary| Op::new(Method::Get, path, access, id, summary);
    routes
        .add(
            filtered(get(
                "/api/v1/ledger/export",
                export_may,
                "ledger_export",
                "Entries as OCSF events, one a line; entered with its hash",
            ))
            .answers_as("application/jsonl", "OCSF events"),
            export,
        )
        .add(
            get("/api/v1/ledger/searches", own, "searches", "My saved searches")
                .answers_object("`items`: searches"),
            searches,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/ledger/searches",
                own,
                "search_save",
                "Keep a search under a name",
            )
            .takes::<NewSearch>()
            .creates_object("The search"),
            save,
        )
        .add(
            Op::new(
                Method::Delete,
                "/api/v1/ledger/searches/{search}",
                own,
                "search_delete",
                "Delete one of my searches",
            ),
            delete,
        )
}

async fn entries(
    State(app): State<App>,
    caller: Caller,
    Query(ask): Query<Search>,
) -> Result<Response, Problem> {
    let filter = ask.filter();
    filter.check()?;
    let limit = ask.limit.unwrap_or(100).clamp(1, super::PAGE_MAX as usize);
    Ok(ok(&app.auditor.search(&caller.who, &filter, ask.before, limit).await?))
}

async fn checkpoint(State(app): State<App>) -> Result<Response, Problem> {
    let newest = app.auditor.checkpoint()?.ok_or(GuardError::Unknown("checkpoint yet"))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], newest.note).into_response())
}

fn index(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::not_found("entry"))
}

/// Entries come into the tiles within a second; who asks for the proof of one that is not there yet has not to wait.
async fn into_tiles(app: &App, at: u64) -> Result<(), Problem> {
    let is_there = app.auditor.checkpoint()?.is_some_and(|newest| newest.size > at);
    if !is_there && at < app.workspace.state().ledger_size().await? {
        app.workspace.integrate().await?;
    }
    Ok(())
}

async fn inclusion(State(app): State<App>, Path(at): Path<String>) -> Result<Response, Problem> {
    let at = index(&at)?;
    into_tiles(&app, at).await?;
    Ok(ok(&app.auditor.inclusion(at).await?))
}

async fn proof_file(State(app): State<App>, Path(at): Path<String>) -> Result<Response, Problem> {
    let at = index(&at)?;
    into_tiles(&app, at).await?;
    let (proof, _) = app.auditor.proof_file(at).await?;
    let name = format!("attachment; filename=\"entry-{at}.tlog-proof\"");
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, proof.to_text()).into_response())
}

async fn consistency(State(app): State<App>, Query(sizes): Query<Sizes>) -> Result<Response, Problem> {
    if sizes.old > sizes.new {
        return Err(Problem::bad_request("`old` must not be larger than `new`"));
    }
    Ok(ok(&app.auditor.consistency(sizes.old, sizes.new).await?))
}

async fn standing(State(app): State<App>, Text(note): Text) -> Result<Response, Problem> {
    let standing = app.auditor.standing(&note).await.map_err(|error| match error {
        GuardError::Store(dunlin_store::StoreError::Note(_)) => Problem::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            "not_a_checkpoint",
            "this is not a checkpoint of this ledger's key",
        )
        .help("send the signed note byte for byte, with its last line break"),
        other => other.into(),
    })?;
    Ok(match standing {
        Standing::Consistent(proof) => ok(&json!({ "standing": "consistent", "proof": proof })),
        Standing::Ahead { size } => ok(&json!({ "standing": "ahead", "size": size })),
        Standing::Forked(evidence) => ok(&json!({ "standing": "forked", "evidence": *evidence })),
    })
}

async fn export(
    State(app): State<App>,
    caller: Caller,
    Query(ask): Query<Search>,
) -> Result<Response, Problem> {
    let filter = ask.filter();
    filter.check()?;
    let product =
        Product { version: env!("CARGO_PKG_VERSION").to_owned(), workspace: app.workspace.id.clone() };
    let export = app.auditor.export_ocsf(&caller.who, &filter, &product).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"ledger.ocsf.jsonl\"".to_owned()),
        (header::HeaderName::from_static("x-content-sha256"), export.sha256),
    ];
    Ok((headers, export.lines).into_response())
}

async fn searches(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    Ok(items(&app.auditor.saved_searches(&caller.who).await?))
}

async fn save(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewSearch>,
) -> Result<Response, Problem> {
    Ok(created(&app.auditor.save_search(&caller.who, &body.name, &body.filter).await?))
}

async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    app.auditor.delete_search(&caller.who, &id).await?;
    Ok(done())
}
