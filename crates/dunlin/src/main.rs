//! dunlin: moves customer data from one system to another, and proves it.
//!
//! The command line is thin: it reads arguments, opens the workspace, calls one crate and prints. What a command does is
//! in its own file under `commands/`; exit codes are those of `docs/commands.md`.

mod cli;
mod commands;
mod comply;
mod demo;
mod engine;
#[cfg(feature = "failpoints")]
mod failpoints;
mod failure;
mod letters;
mod lineage;
mod output;
mod profiled;
mod progress;
mod report;
mod workspace;

use clap::Parser;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "failpoints")]
    let _scenario = failpoints::arm();
    let args = cli::Cli::parse();
    let format = args.format;
    // A crash must not print the values that were at hand: a panic's own text may quote them.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        eprintln!("dunlin: a defect at {place}; nothing that was committed is lost. Please report it.");
    }));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: dunlin could not start its threads: {}", error.kind());
            return std::process::ExitCode::from(3);
        }
    };
    match runtime.block_on(commands::dispatch(args)) {
        Ok(code) => code.into(),
        Err(failure) => {
            failure.print(format);
            failure.exit_code().into()
        }
    }
}
