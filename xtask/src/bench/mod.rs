//! Measurements: two ways of doing the same as a ratio, side by side in one run; and what a generation takes.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::args::{BenchOptions, Runtime, Scale};
use crate::dev::Stack;
use crate::files;
use crate::process;
use crate::progress::say;
use crate::setup;
use crate::workspace::Workspace;

pub fn run(workspace: &Workspace, options: &BenchOptions) -> Result<ExitCode> {
    let folder = workspace.target.join("bench");
    files::create_folder(&folder)?;
    functions(workspace, &folder)?;
    database(workspace, &folder, options.scale)?;
    say(format_args!("written to {}", folder.join("{functions,database}.{json,md}").display()));
    Ok(ExitCode::SUCCESS)
}

/// What a generation takes.
fn functions(workspace: &Workspace, folder: &Path) -> Result<()> {
    let (data, ready_file) = (folder.join("product"), folder.join("product.json"));
    let stack = Stack::start_simulated(workspace, Runtime::Workerd, &data, ready_file.clone())?;
    let mut command = measurement(workspace, "functions");
    command.arg(ready_file).arg(data.join("logs/functions.log")).arg(folder);
    finish(stack, &mut command)
}

/// The schema under as many rows as there may one day be, on a PostgreSQL of its own.
fn database(workspace: &Workspace, folder: &Path, scale: Scale) -> Result<()> {
    let package = setup::for_postgres(workspace)?;
    let stack = Stack::start_supabase(workspace, package, &folder.join("stack"), &folder.join("ready.json"))?;
    let url = stack.ready.database_url.clone().context("there is no local database")?;
    let scale = match scale {
        Scale::Small => "small",
        Scale::Full => "full",
    };
    let mut command = measurement(workspace, "database");
    finish(stack, command.args([&url, scale]).arg(folder))
}

fn measurement(workspace: &Workspace, name: &str) -> Command {
    let mut command = Command::new(workspace.npm_bin("node"));
    command.current_dir(&workspace.root).arg(format!("tests/bench/{name}/main.ts"));
    command
}

fn finish(mut stack: Stack, command: &mut Command) -> Result<()> {
    let status = process::run_while(command, || stack.check())?;
    stack.stop();
    if status.success() { Ok(()) } else { bail!("the measurement failed ({status})") }
}
