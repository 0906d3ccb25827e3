//! One file a command. Each reads its arguments, calls one crate, and prints.

pub mod check;
mod demo;
mod doctor;
mod duplicates;
mod init;
mod keys;
mod ledger;
mod login;
mod notice;
mod plan;
mod profile;
pub mod publish;
mod quarantine;
pub(crate) mod report;
pub(crate) mod request;
mod run;
pub(crate) mod serve;
mod undo;
mod user;
mod verify;
mod waive;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Exit code 0: done, everything accounted for.
pub const OK: u8 = 0;
/// Exit code 1: it ran, and something is not as it should be.
pub const NOT_RIGHT: u8 = 1;

/// Runs a command and gives its exit code.
pub async fn dispatch(args: Cli) -> Result<u8, Failure> {
    let (dir, format) = (args.dir.as_path(), args.format);
    match args.command {
        Command::Demo(demo) => demo::demo(dir, demo, format).await,
        Command::Init(init) => init::init(dir, init, format).await,
        Command::Check => check::check(dir, format).await,
        Command::Profile(profile) => profile::profile(dir, profile, format).await,
        Command::Duplicates(args) => duplicates::duplicates(dir, args, format).await,
        Command::Run(run) => run::run(dir, run, format).await,
        Command::Verify(verify) => verify::verify(dir, verify, format).await,
        Command::Undo(undo) => undo::undo(dir, undo, format).await,
        Command::Finish => verify::finish(dir, format).await,
        Command::Enrich => verify::enrich(dir, format).await,
        Command::Quarantine(quarantine) => quarantine::quarantine(dir, quarantine, format).await,
        Command::Report(report) => report::report(dir, report, format).await,
        Command::Ledger(ledger) => ledger::ledger(dir, ledger, format).await,
        Command::Keys(keys) => keys::keys(dir, keys, format).await,
        Command::Plan(plan) => plan::plan(dir, plan, format).await,
        Command::Serve(serve) => serve::serve(dir, serve, format).await,
        Command::User(user) => user::user(dir, user, format).await,
        Command::Login(login) => login::login(login, format).await,
        Command::Notice(command) => notice::notice(dir, command, format).await,
        Command::Request(command) => request::request(dir, command, format).await,
        Command::Waive(waive) => waive::waive(dir, waive, format).await,
        Command::Doctor => doctor::doctor(dir, format).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "dunlin", &mut std::io::stdout());
            Ok(OK)
        }
    }
}
