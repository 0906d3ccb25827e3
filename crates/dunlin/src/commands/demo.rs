//! `dunlin demo`: a dirty legacy CRM, migrated, verified, reported, and served, in one go.

use std::path::Path;
use std::sync::Arc;

use super::{NOT_RIGHT, OK};
use crate::cli::{DemoArgs, Format};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

/// The seed of the demo's data: the same everywhere.
const SEED: u64 = 2011;

/// Makes, migrates, verifies, reports.
pub async fn demo(dir: &Path, args: DemoArgs, format: Format) -> Result<u8, Failure> {
    let dir = if dir == Path::new(".") { Path::new("dunlin-demo") } else { dir };
    if dir.join("dunlin.toml").exists() {
        return Err(Failure::usage(
            format!("{} holds a plan already", dir.display()),
            "name another folder with --dir, or remove this one",
        ));
    }
    let made = |e: crate::demo::DemoError| Failure::Refused { message: e.to_string(), help: None, code: 3 };
    output::note(&format!(
        "making a legacy CRM of {} customers in {}",
        output::thousands(args.customers),
        dir.display()
    ));
    crate::demo::generate(dir, args.customers, SEED).await.map_err(made)?;
    crate::demo::write_plan(dir).map_err(made)?;
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let office = crate::demo::office::people(dir, &workspace, &plan.plan).await?;
    super::publish::told(&workspace, &plan, None).await?;
    let progress = Arc::new(Progress::new(false));
    let options = plan.options(None);
    let outcome = dunlin_move::run(&workspace, &plan.plan, &options, progress.clone()).await;
    progress.clear();
    let summary = outcome.map_err(|e| plan.failure(e))?;
    output::note("reading both sides again");
    let verified = dunlin_move::verify(&workspace, &plan.plan, &options, progress.clone()).await;
    progress.clear();
    let verified = verified.map_err(|e| plan.failure(e))?;
    let at = Some(super::keys::when(dunlin_store::now_us()));
    let mut tables = verified.tables;
    for table in &mut tables {
        if let Some(ran) = summary.tables.iter().find(|t| t.table == table.table) {
            table.seconds = ran.seconds;
        }
    }
    let report = super::report::gather(&workspace, &plan, &summary.run, &tables, at).await?;
    let (page, _) = super::report::write(&workspace, &report, &dir.join("report")).await?;
    let (accounts, customer) = crate::demo::office::open(office, &workspace, &plan).await?;
    if format == Format::Json {
        tables.iter().for_each(output::json);
        let people: Vec<_> = accounts
            .iter()
            .map(|a| serde_json::json!({ "name": a.name, "email": a.email, "password": a.password }))
            .collect();
        output::json(&serde_json::json!({
            "run": summary.run, "reconciled": report.proven(), "report": page, "people": people, "customer": customer,
        }));
    } else {
        output::line(&crate::report::summary(&report, output::colour_out(), output::width()));
        output::line(&format!("The report: {}", page.display()));
        output::line("\nThree people can sign in, with these passwords of this demo:");
        for account in &accounts {
            output::line(&format!(
                "  {:<22} {}   {} ({})",
                account.email, account.password, account.name, account.part
            ));
        }
    }
    if let Some(path) = customer.as_ref().filter(|_| format == Format::Text) {
        output::line(
            "\nA customer sees what is theirs by this link, once, within 15 minutes; another one asks to be deleted:",
        );
        output::line(&format!("  {}{path}", base(dir)?));
    }
    if args.no_serve {
        if format == Format::Text {
            output::line(&format!("\nIn the browser: dunlin --dir {} serve", dir.display()));
        }
        return Ok(if report.proven() { OK } else { NOT_RIGHT });
    }
    // The server opens the workspace itself.
    drop(workspace);
    let usual = settings(dir)?.listen;
    let is_taken = std::net::TcpListener::bind(usual).is_err();
    let listen = is_taken.then(|| std::net::SocketAddr::new(usual.ip(), 0));
    super::serve::serve(dir, crate::cli::ServeArgs { listen }, format).await
}

fn settings(dir: &Path) -> Result<dunlin_server::ServerConfig, Failure> {
    dunlin_server::ServerConfig::load(dir).map_err(|e| Failure::usage(e.to_string(), "mend server.toml"))
}

/// Where the demo's server answers, as far as that is known before it does: another port when this one is taken.
fn base(dir: &Path) -> Result<String, Failure> {
    let settings = settings(dir)?;
    Ok(settings.base_url(settings.listen))
}
