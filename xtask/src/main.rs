//! The project's commands: `cargo xtask build`, `dev`, `test` and others, which `--help` lists.

mod args;
mod artefacts;
mod bench;
mod generate;
mod page;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use project::process::{self, Interrupted};
use project::workspace;

use crate::args::{Command, CommandLine, TestOptions};
use crate::test::Tier;

/// The exit code that shells use for a command that Ctrl-C ended.
const EXIT_INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => ExitCode::from(EXIT_INTERRUPTED),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn run() -> Result<ExitCode> {
    let command = CommandLine::parse().command;
    process::catch_signals()?;
    let workspace = workspace::Workspace::open()?;
    match command {
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::CheckLlm(options) => tools::check_llm(&workspace, &options),
        Command::Check => test::run(&workspace, Tier::Check, &TestOptions::default()),
        Command::Build => artefacts::build_deployable(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Deploy(options) => deploy::run(&workspace, &options, || {
            artefacts::build_deployable(&workspace)
        }),
        Command::Dev(options) => stack::run(&workspace, &options, || {
            artefacts::build(&workspace, options.profile(), options.runtime)
        }),
        Command::FunctionToken(options) => deploy::print_token(&workspace, &options),
        Command::Generate(options) => generate::run(&workspace, options.check),
        Command::ReconcileBilling(options) => tools::reconcile_billing(&workspace, &options),
        Command::Test(options) => test::run(&workspace, options.tier(), &options),
    }
}

#[cfg(not(unix))]
fn run() -> Result<ExitCode> {
    anyhow::bail!(
        "on Windows the project runs inside WSL: https://learn.microsoft.com/windows/wsl/install"
    )
}
