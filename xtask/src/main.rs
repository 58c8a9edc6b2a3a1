//! The project's commands: `cargo xtask build`, `dev`, `test` and what else `--help` lists.

mod args;
mod artefacts;
mod bench;
mod check_llm;
#[cfg(test)]
mod contract;
mod deploy;
mod dev;
mod files;
mod function_token;
#[cfg(test)]
mod house;
mod http;
mod page;
mod ports;
mod process;
mod progress;
mod reconcile_billing;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::args::Command;
use crate::process::Interrupted;
use crate::workspace::Workspace;

/// What a shell reports for a command that Ctrl-C ended.
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
    let command = args::parse(std::env::args().skip(1))?;
    if matches!(command, Command::Help) {
        print!("{}", args::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    process::catch_signals()?;
    let workspace = Workspace::open()?;
    match command {
        Command::Help => Ok(ExitCode::SUCCESS),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::CheckLlm(env_file) => check_llm::run(&workspace, env_file.as_deref()),
        Command::Build => artefacts::build_all(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Deploy(options) => deploy::run(&workspace, &options),
        Command::Dev(options) => dev::run(&workspace, &options),
        Command::FunctionToken(options) => function_token::run(&options),
        Command::ReconcileBilling(options) => reconcile_billing::run(&workspace, &options),
        Command::Test(options) => test::run(&workspace, &options),
    }
}

#[cfg(not(unix))]
fn run() -> Result<ExitCode> {
    anyhow::bail!("on Windows the project runs inside WSL: https://learn.microsoft.com/windows/wsl/install")
}
