//! Measurements: two ways of doing the same as a ratio, side by side in one run; and what a generation takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde_json::json;

use stack::{Profile, Runtime, Stack};

use crate::args::{BenchOptions, Scale};
use crate::artefacts;
use project::files;
use project::process;
use project::workspace::{Workspace, token_name};

/// What can be chosen, in the order in which it runs.
pub const PARTS: [&str; 8] = [
    "stripe-webhook",
    "ai-playlist",
    "start-up",
    "functions",
    "page",
    DATABASE,
    MATCHING,
    MEMORY,
];

const DATABASE: &str = "database";

/// What the page of a part holds between these is written by the part.
const BEGIN: &str = "<!-- measured -->";
const END: &str = "<!-- /measured -->";

/// Needs nothing but the code; divan measures it.
const MATCHING: &str = "matching";

/// Needs nothing but the code, and replays a day in virtual time.
const MEMORY: &str = "memory";

pub fn run(workspace: &Workspace, options: &BenchOptions) -> Result<ExitCode> {
    let is_chosen =
        |part: &&str| options.only.is_empty() || options.only.iter().any(|only| only == part);
    let (code, product): (Vec<&str>, _) = PARTS
        .into_iter()
        .filter(is_chosen)
        .partition(|part| [MATCHING, MEMORY].contains(part));
    if !product.is_empty() {
        of_the_product(workspace, options, &product)?;
    }
    if code.contains(&MATCHING) {
        process::run(workspace.cargo(&workspace.root).args([
            "bench",
            "--package",
            "shared",
            "--bench",
            "matching",
        ]))?;
    }
    if code.contains(&MEMORY) {
        of_the_memory(workspace, options.record)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes and shows the tables that the replay prints.
fn of_the_memory(workspace: &Workspace, is_recorded: bool) -> Result<()> {
    let mut replay = workspace.cargo(&workspace.root);
    replay.args(["test", "--package", "ai-playlist", "--lib", "replay::"]);
    replay.args(["--", "--ignored", "--nocapture", "--test-threads=1"]);
    let tables = tables_of(&process::stdout_of(&mut replay)?);
    files::create_folder(&workspace.target.join("bench"))?;
    fs::write(workspace.target.join("bench/memory.md"), &tables)?;
    println!("{tables}");
    if is_recorded {
        let page = workspace.root.join("docs/bench/memory.md");
        let head = "`cargo xtask bench --only memory`, in virtual time.";
        fs::write(
            &page,
            recorded(&fs::read_to_string(&page)?, &format!("{head}\n\n{tables}"))?,
        )?;
    }
    Ok(())
}

/// The headings and tables in what tests print.
fn tables_of(output: &str) -> String {
    let mut tables = String::new();
    for line in output.lines() {
        if line.starts_with("## ") {
            let gap = if tables.is_empty() { "" } else { "\n" };
            tables += &format!("{gap}{line}\n\n");
        } else if line.starts_with('|') {
            tables += &format!("{line}\n");
        }
    }
    tables
}

/// Puts tables between the markers of a page; the text around them is written by hand.
fn recorded(page: &str, tables: &str) -> Result<String> {
    let (before, rest) = page
        .split_once(BEGIN)
        .context("the page has no place for the tables")?;
    let (_, after) = rest
        .split_once(END)
        .context("the place for the tables has no end")?;
    Ok(format!("{before}{BEGIN}\n{tables}{END}{after}"))
}

/// One part after the other, all of them against the same simulators and the same database.
fn of_the_product(workspace: &Workspace, options: &BenchOptions, parts: &[&str]) -> Result<()> {
    let folder = workspace.target.join("bench");
    files::create_folder(&folder)?;
    for runtime in [Runtime::Workerd, Runtime::Deno] {
        artefacts::build(workspace, Profile::Deployable, runtime)?;
    }
    let (data, ready_file) = (folder.join("product"), folder.join("product.json"));
    let profile = Profile::Deployable;
    let mut stack = Stack::start_simulated(
        workspace,
        profile,
        Runtime::Workerd,
        &data,
        ready_file.clone(),
    )?;
    let mut other = options
        .against
        .as_deref()
        .map(|root| Other::start(root, &folder))
        .transpose()?;
    for part in parts {
        let mut command = Command::new(workspace.npm_bin("node"));
        command
            .current_dir(&workspace.root)
            .arg(format!("benches/{part}.ts"));
        command
            .env("BENCH_READY_FILE", &ready_file)
            .env("BENCH_FOLDER", &folder);
        command.env("BENCH_FUNCTIONS", functions(workspace, &stack));
        command.env("BENCH_LOG", data.join("logs/functions.log"));
        command.env("BENCH_PAGE", workspace.page());
        if let Some(other) = &other {
            command.env("BENCH_AGAINST", functions(&other.workspace, &other.stack));
            command.env("BENCH_AGAINST_READY_FILE", &other.ready_file);
            command.env("BENCH_AGAINST_PAGE", other.workspace.page());
        }
        let scale = if options.scale == Scale::Full {
            "full"
        } else {
            "small"
        };
        command.env("BENCH_SCALE", scale);
        // The page of the database is about a million playlists.
        if options.record && (*part != DATABASE || options.scale == Scale::Full) {
            command.env(
                "BENCH_RECORD",
                format!("cargo xtask bench --only {part} --scale {scale}"),
            );
        }
        process::run_while(&mut command, || {
            other.as_mut().map_or(Ok(()), |other| other.stack.check())?;
            stack.check()
        })?;
    }
    stack.stop();
    Ok(())
}

/// Another checkout of the product, running.
struct Other {
    workspace: Workspace,
    ready_file: PathBuf,
    stack: Stack,
}

impl Other {
    fn start(root: &Path, folder: &Path) -> Result<Self> {
        let (workspace, ready_file) = (Workspace::at(root)?, folder.join("against.json"));
        let (profile, runtime, data) = (
            Profile::Deployable,
            Runtime::Workerd,
            folder.join("against"),
        );
        artefacts::build(&workspace, profile, runtime)?;
        let stack =
            Stack::start_simulated(&workspace, profile, runtime, &data, ready_file.clone())?;
        Ok(Self {
            workspace,
            ready_file,
            stack,
        })
    }
}

/// What serves each function alone.
fn functions(workspace: &Workspace, stack: &Stack) -> String {
    let functions = workspace.edge_functions();
    let described = functions.map(|function| {
        let mut variables = stack
            .variables
            .get(&function.name)
            .cloned()
            .unwrap_or_default();
        // Only the local stack has it.
        variables.remove("SERVER_TIMING");
        // On Deno the token of a function has the name of its role.
        if let Some((role, token)) = function
            .needs
            .role
            .as_ref()
            .zip(variables.get("SUPABASE_FUNCTION_TOKEN"))
        {
            variables.insert(token_name(role), token.clone());
        }
        let description = json!({
            "workerd": function.dir.join("build"),
            "deno": workspace.deno_entry(function).join("index.ts"),
            "compatibility_date": workspace.wrangler.compatibility_date,
            "compatibility_flags": function.needs.compatibility_flags,
            "variables": variables,
        });
        (function.name.clone(), description)
    });
    serde_json::Value::Object(described.collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_gets_the_tables_that_the_replay_prints_and_keeps_its_own_words() {
        let printed = "running 2 tests\ntest a ... \n## A\n\n| x |\n|---|\n\nok\ntest b ... \n## B\n\n| y |\n\nok\n";
        let tables = tables_of(printed);
        assert_eq!(tables, "## A\n\n| x |\n|---|\n\n## B\n\n| y |\n");
        let page = "# Page\n\n<!-- measured -->\nold\n<!-- /measured -->\n\nMore.\n";
        let written = recorded(page, &tables).unwrap();
        assert!(written.starts_with("# Page\n\n<!-- measured -->\n## A\n"));
        assert!(written.ends_with("| y |\n<!-- /measured -->\n\nMore.\n"));
        assert_eq!(recorded(&written, &tables).unwrap(), written);
        assert!(recorded("# Page", &tables).is_err());
    }
}
