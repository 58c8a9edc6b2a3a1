//! Measurements, each as a ratio of two ways of doing the same, side by side in one run.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::args::{BenchOptions, Scale};
use crate::dev::Stack;
use crate::files;
use crate::process;
use crate::progress::say;
use crate::setup;
use crate::workspace::Workspace;

/// The schema under as many rows as there may one day be, on a PostgreSQL of its own.
pub fn run(workspace: &Workspace, options: &BenchOptions) -> Result<ExitCode> {
    let folder = workspace.target.join("bench");
    files::create_folder(&folder)?;
    let package = setup::for_postgres(workspace)?;
    let mut stack =
        Stack::start_supabase(workspace, package, &folder.join("stack"), &folder.join("ready.json"))?;
    let url = stack.ready.database_url.clone().context("there is no local database")?;
    let scale = match options.scale {
        Scale::Small => "small",
        Scale::Full => "full",
    };
    let mut command = Command::new(workspace.npm_bin("node"));
    command.current_dir(&workspace.root).args(["tests/bench/database/main.ts", &url, scale]).arg(&folder);
    let status = process::run_while(&mut command, || stack.check())?;
    stack.stop();
    if !status.success() {
        bail!("the measurement failed ({status})");
    }
    say(format_args!("written to {}", folder.join("database.{json,md}").display()));
    Ok(ExitCode::SUCCESS)
}
