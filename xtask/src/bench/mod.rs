//! Measurements: two ways of doing the same as a ratio, side by side in one run; and what a generation takes.

mod matching;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde_json::json;

use crate::args::{BenchOptions, Runtime, Scale};
use crate::artefacts::{self, Profile};
use crate::dev::Stack;
use crate::files;
use crate::process;
use crate::progress::say;
use crate::setup;
use crate::workspace::Workspace;

/// What can be chosen, in the order in which it runs.
pub const PARTS: [&str; 6] = [STRIPE_WEBHOOK, AI_PLAYLIST, START_UP, FUNCTIONS, MATCHING, DATABASE];

const STRIPE_WEBHOOK: &str = "stripe-webhook";
const AI_PLAYLIST: &str = "ai-playlist";
const START_UP: &str = "start-up";
const FUNCTIONS: &str = "functions";
const MATCHING: &str = "matching";
const DATABASE: &str = "database";

/// What runs beside the product.
const BESIDE_THE_PRODUCT: [&str; 4] = [STRIPE_WEBHOOK, AI_PLAYLIST, START_UP, FUNCTIONS];

pub fn run(workspace: &Workspace, options: &BenchOptions) -> Result<ExitCode> {
    let folder = workspace.target.join("bench");
    files::create_folder(&folder)?;
    let chosen: Vec<_> = PARTS
        .into_iter()
        .filter(|part| options.only.is_empty() || options.only.iter().any(|only| only == part))
        .collect();
    let beside: Vec<_> = chosen.iter().copied().filter(|part| BESIDE_THE_PRODUCT.contains(part)).collect();
    if !beside.is_empty() {
        beside_the_product(workspace, &folder, &beside)?;
    }
    if chosen.contains(&MATCHING) {
        matching::run(workspace, &folder)?;
    }
    if chosen.contains(&DATABASE) {
        database(workspace, &folder, options.scale)?;
    }
    say(format_args!(
        "written to {}",
        folder.join(format!("{{{}}}.{{json,md}}", chosen.join(","))).display()
    ));
    if options.record {
        record(workspace, &folder, options, &chosen)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One part after the other, all of them against the same simulators and the same database.
fn beside_the_product(workspace: &Workspace, folder: &Path, parts: &[&str]) -> Result<()> {
    if parts.contains(&START_UP) {
        artefacts::build(workspace, Profile::Deployable, Runtime::Deno)?;
    }
    let (data, ready_file) = (folder.join("product"), folder.join("product.json"));
    let mut stack =
        Stack::start_simulated(workspace, Profile::Deployable, Runtime::Workerd, &data, ready_file.clone())?;
    for part in parts {
        let mut command = measurement(workspace, part);
        command.env("BENCH_READY_FILE", &ready_file).env("BENCH_FOLDER", folder);
        command.env("BENCH_FUNCTIONS", functions(workspace, &stack));
        command.env("BENCH_LOG", data.join("logs/functions.log"));
        process::run_while(&mut command, || stack.check())
            .with_context(|| format!("the measurement of {part}"))?;
    }
    stack.stop();
    Ok(())
}

/// What serves a function alone.
fn functions(workspace: &Workspace, stack: &Stack) -> String {
    let functions = workspace.edge_functions();
    let described = functions.map(|function| {
        let wrangler = &function.wrangler;
        let description = json!({
            "workerd": function.dir.join("build"),
            "deno": workspace.deno_entry(function).join("index.ts"),
            "compatibility_date": wrangler.compatibility_date,
            "compatibility_flags": wrangler.compatibility_flags,
            "variables": stack.variables.get(&function.name),
        });
        (function.name.clone(), description)
    });
    serde_json::Value::Object(described.collect()).to_string()
}

/// The schema under as many rows as there may one day be, on a PostgreSQL of its own.
fn database(workspace: &Workspace, folder: &Path, scale: Scale) -> Result<()> {
    let package = setup::for_postgres(workspace)?;
    let mut stack =
        Stack::start_supabase(workspace, package, &folder.join("stack"), &folder.join("ready.json"))?;
    let url = stack.ready.database_url.clone().context("there is no local database")?;
    let scale = match scale {
        Scale::Small => "small",
        Scale::Full => "full",
    };
    let mut command = measurement(workspace, DATABASE);
    let measured = process::run_while(command.args([&url, scale]).arg(folder), || stack.check());
    stack.stop();
    measured.with_context(|| format!("the measurement of the {DATABASE}"))
}

/// Into docs/bench, whose page of the database is about a million playlists.
fn record(workspace: &Workspace, folder: &Path, options: &BenchOptions, parts: &[&str]) -> Result<()> {
    let is_full = options.scale == Scale::Full;
    let (recorded, left): (Vec<&str>, Vec<&str>) =
        parts.iter().partition(|part| is_full || **part != DATABASE);
    for part in left {
        say(format_args!("docs/bench/{part}.md is left as it is: only --scale full belongs there"));
    }
    let scale = if is_full { " --scale full" } else { "" };
    let mut command = node(workspace, "tests/bench/record.ts");
    command.arg(folder).arg(format!("cargo xtask bench{scale}")).args(recorded);
    process::run(&mut command)
}

fn measurement(workspace: &Workspace, name: &str) -> Command {
    node(workspace, &format!("tests/bench/{name}/main.ts"))
}

fn node(workspace: &Workspace, script: &str) -> Command {
    let mut command = Command::new(workspace.npm_bin("node"));
    command.current_dir(&workspace.root).arg(script);
    command
}
