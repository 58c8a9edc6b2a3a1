//! What each stage runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::NotRun;
use super::context::Context;
use crate::args::Runtime;
use crate::artefacts::{self, Profile};
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

pub fn build(cx: &mut Context<'_>) -> Result<()> {
    match cx.profile {
        Profile::Quick => artefacts::build(cx.workspace, Profile::Quick, Runtime::Workerd),
        Profile::Deployable => artefacts::build_deployable(cx.workspace),
    }
}

pub fn format(cx: &mut Context<'_>) -> Result<()> {
    need_component(cx, "rustfmt")?;
    let mut command = cargo(cx.workspace);
    cx.run(command.args(["fmt", "--all", "--check"]))
}

pub fn lint_native(cx: &mut Context<'_>) -> Result<()> {
    need_component(cx, "clippy")?;
    let mut command = cargo(cx.workspace);
    cx.run(command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub fn lint_wasm(cx: &mut Context<'_>) -> Result<()> {
    need_component(cx, "clippy")?;
    cx.set_up(|_| setup::ensure_wasm_target())?;
    let mut command = cargo(cx.workspace);
    command.args(["clippy", "--all-targets", "--target", "wasm32-unknown-unknown", "--package", "shared"]);
    for function in &cx.workspace.functions {
        command.args(["--package", &function.name]);
    }
    cx.run(command.args(["--", "-D", "warnings"]))
}

pub fn docs(cx: &mut Context<'_>) -> Result<()> {
    let mut command = cargo(cx.workspace);
    cx.run(command.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

pub fn generated(cx: &mut Context<'_>) -> Result<()> {
    crate::generate::run(cx.workspace, true).map(drop)
}

pub fn native_tests(cx: &mut Context<'_>) -> Result<()> {
    let mut command = cargo(cx.workspace);
    cx.run(command.args(["test", "--workspace", "--exclude", "it", "--no-fail-fast"]))
}

/// The property tests again, on more inputs and from new seeds; `PROPTEST_CASES` chooses how many.
///
/// An input that fails is kept in the crate's `proptest-regressions/`, to be committed.
pub fn fuzz(cx: &mut Context<'_>) -> Result<()> {
    const CASES: &str = "PROPTEST_CASES";
    let cases = std::env::var_os(CASES).unwrap_or_else(|| "2000".into());
    let mut command = cargo(cx.workspace);
    command.args(["test", "--workspace", "--exclude", "it", "--lib", "--", "properties::", "any_text::"]);
    // A failing input says more than a backtrace of each attempt to shrink it.
    cx.run(command.env(CASES, cases).env("RUST_BACKTRACE", "0"))
}

/// Breaks the functions on purpose, one thing at a time: each must turn the test red that it names.
pub fn mutants(cx: &mut Context<'_>) -> Result<()> {
    let mut command = cargo(cx.workspace);
    cx.run(command.args(["run", "--package", "mutants"]))
}

pub fn wasm_pack(cx: &mut Context<'_>) -> Result<()> {
    cx.set_up(|_| setup::install_wasm_pack())
}

pub fn types(cx: &mut Context<'_>) -> Result<()> {
    cx.set_up(setup::for_node)?;
    let workspace = cx.workspace;
    cx.run(Command::new(workspace.npm_bin("tsc")).arg("--noEmit").current_dir(&workspace.root))?;
    // The entries are checked whether their functions are built or not.
    let import_map = workspace.target.join("types.json");
    crate::dev::write_import_map(workspace, &import_map, |_| workspace.root.join("xtask/assets/built"))?;
    let mut deno = Command::new(workspace.npm_bin("deno"));
    deno.args(["check", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--import-map"]);
    deno.arg(import_map).arg("xtask/assets/deno-serve.ts");
    let functions = workspace.edge_functions();
    deno.args(functions.map(|function| workspace.deno_entry(function).join("index.ts")));
    cx.run(deno.env("NO_COLOR", "1").current_dir(&workspace.root))
}

pub fn stand_ins(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/simulators/**/*.test.ts", "tests/local-supabase/parts.test.ts"])
}

pub fn page(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/page/*.test.ts"])
}

pub fn openapi(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/openapi/openapi.test.ts"])
}

pub fn pgtap(cx: &mut Context<'_>) -> Result<()> {
    on_database(cx, "tests/local-supabase/pgtap.ts")
}

pub fn conformance(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/local-supabase/conformance.test.ts"])
}

/// Attacks, races and time: what assertions within one transaction cannot see.
pub fn database(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/database/**/*.test.ts"])
}

/// Breaks the schema on purpose, one thing at a time: each must turn the tests above red.
pub fn mutations(cx: &mut Context<'_>) -> Result<()> {
    on_database(cx, "tests/database/mutations/main.ts")
}

pub fn cron(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/database-cron/**/*.test.ts"])
}

pub fn database_lint(cx: &mut Context<'_>) -> Result<()> {
    on_database(cx, "tests/database-lint/main.ts")
}

/// The end-to-end tests that have a stage of their own.
const STAGES_OF_THEIR_OWN: [&str; 5] = ["load::", "matrix::", "crashes::", "models::", "convergence::"];

pub fn end_to_end(cx: &mut Context<'_>) -> Result<()> {
    end_to_end_without(cx, &STAGES_OF_THEIR_OWN)
}

/// The same, but for how stacks start and end, which does not depend on the runtime, and for a client that leaves
/// before its document: Deno aborts `request.signal` then as a rule, but was seen not to.
pub fn end_to_end_deno(cx: &mut Context<'_>) -> Result<()> {
    let not_on_deno = ["process::", "a_listener_who_leaves_before_the_document"];
    end_to_end_without(cx, &[&STAGES_OF_THEIR_OWN[..], &not_on_deno].concat())
}

fn end_to_end_without(cx: &mut Context<'_>, skipped: &[&str]) -> Result<()> {
    // The tests start the operators' tools: they are compiled here instead of within a test.
    let mut tools = cargo(cx.workspace);
    cx.run(tools.args(["build", "--package", "check-llm", "--package", "reconcile-billing"]))?;
    let mut command = it(cx.workspace)?;
    cx.run(command.args(skipped.iter().flat_map(|name| ["--skip", name])))
}

/// A thousand billing histories, whose events come late, doubled and shuffled.
pub fn histories(cx: &mut Context<'_>) -> Result<()> {
    end_to_end_of(cx, "convergence::")
}

pub fn load(cx: &mut Context<'_>) -> Result<()> {
    end_to_end_of(cx, "load::")
}

pub fn faults(cx: &mut Context<'_>) -> Result<()> {
    end_to_end_of(cx, "matrix::on_workerd")
}

pub fn faults_deno(cx: &mut Context<'_>) -> Result<()> {
    end_to_end_of(cx, "matrix::on_deno")
}

/// What is killed under load comes back, and nothing that was promised is lost.
pub fn crashes(cx: &mut Context<'_>) -> Result<()> {
    end_to_end_of(cx, "crashes::")
}

fn end_to_end_of(cx: &mut Context<'_>, filter: &str) -> Result<()> {
    let mut command = it(cx.workspace)?;
    cx.run(command.args([filter, "--nocapture"]))
}

pub fn models(cx: &mut Context<'_>) -> Result<()> {
    let packages = python_packages(cx, "tests/models")?;
    let mut command = it(cx.workspace)?;
    cx.run(command.arg("models::").env("SOUND_WHISKERS_PYTHON", packages.join("python")))
}

/// The end-to-end tests; filters may follow.
fn it(workspace: &Workspace) -> Result<Command> {
    let mut command = cargo(workspace);
    // libtest tells how long a test took only where unstable options are allowed, and the variable that allows them
    // would have cargo compile everything anew: so the test binary alone gets it.
    command.args(["--config", "target.'cfg(all())'.runner=['env', 'RUSTC_BOOTSTRAP=1']"]);
    // For the tests that start stacks of their own, to see how they end.
    command.env("SOUND_WHISKERS_XTASK", std::env::current_exe()?);
    command.args(["test", "--package", "it", "--lib", "--", "-Zunstable-options", "--report-time"]);
    Ok(command)
}

pub fn supabase_js(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/supabase-js/**/*.test.ts"])
}

pub fn stripe_sdk(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/stripe-sdk/**/*.test.ts"])
}

pub fn openapi_live(cx: &mut Context<'_>) -> Result<()> {
    node_tests(cx, &["tests/openapi/live.test.ts"])
}

pub fn deploy(cx: &mut Context<'_>) -> Result<()> {
    let mut command = node(cx, &[], &["tests/deploy/**/*.test.ts"])?;
    cx.run(command.env("SOUND_WHISKERS_XTASK", std::env::current_exe()?))
}

/// `SCHEMATHESIS_SEED` chooses other requests.
pub fn schemathesis(cx: &mut Context<'_>) -> Result<()> {
    let packages = python_packages(cx, "tests/openapi")?;
    let functions_url = cx.ready()?.functions_url.clone().context("there are no functions")?;
    let mut command = Command::new(packages.join("schemathesis"));
    command.args(["--config-file", "tests/openapi/schemathesis.toml"]);
    command.args(["run", "docs/openapi.yaml", "--url", &functions_url]);
    if let Some(seed) = std::env::var_os("SCHEMATHESIS_SEED") {
        command.arg("--seed").arg(seed);
    }
    // Compiled hooks would be left beside their source.
    cx.run(command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&cx.workspace.root))
}

/// The main journeys: to sign up, generate, edit, pay, link and export.
pub fn browser_smoke(cx: &mut Context<'_>) -> Result<()> {
    // A file without such a test would start a browser and never close it.
    let files = ["account", "auth", "generation", "look", "playlists"];
    let files = files.map(|name| format!("tests/browser/{name}.test.ts"));
    browser_tests(cx, &["--test-name-pattern=on a desktop"], &files.each_ref().map(String::as_str))
}

pub fn browser(cx: &mut Context<'_>) -> Result<()> {
    browser_tests(cx, &[], &["tests/browser/*.test.ts"])
}

fn browser_tests(cx: &mut Context<'_>, options: &[&str], files: &[&str]) -> Result<()> {
    // One file after the other: they tell the simulators what to do, which all of them share.
    let options = [&["--test-concurrency=1"], options].concat();
    let mut command = node(cx, &options, files)?;
    cx.run(&mut command)
}

pub fn cargo(workspace: &Workspace) -> Command {
    workspace.cargo(&workspace.root)
}

/// Runs a program that takes the database's URL.
fn on_database(cx: &mut Context<'_>, program: &str) -> Result<()> {
    let url = cx.ready()?.database_url.clone().context("there is no local database")?;
    let mut command = Command::new(cx.workspace.npm_bin("node"));
    // Tools that it starts find their Node by name.
    command.env("PATH", cx.workspace.path_with(&[])?);
    cx.run(command.arg(program).arg(url).current_dir(&cx.workspace.root))
}

pub fn node_tests(cx: &mut Context<'_>, patterns: &[&str]) -> Result<()> {
    let mut command = node(cx, &[], patterns)?;
    cx.run(&mut command)
}

/// Node's test runner with some options. A pattern that matches nothing succeeds there, so its folder must exist.
fn node(cx: &Context<'_>, options: &[&str], patterns: &[&str]) -> Result<Command> {
    cx.set_up(setup::for_node)?;
    let root = &cx.workspace.root;
    for pattern in patterns {
        let folder = pattern.split("/*").next().unwrap_or(pattern);
        if !root.join(folder).exists() {
            bail!("there is no {folder}");
        }
    }
    let mut command = Command::new(cx.workspace.npm_bin("node"));
    command.current_dir(root).args(["--test", "--test-reporter=spec"]).args(options).args(patterns);
    Ok(command)
}

/// The folder of the executables that a folder's requirements.txt pins.
fn python_packages(cx: &Context<'_>, folder: &str) -> Result<PathBuf> {
    let requirements = cx.workspace.root.join(folder).join("requirements.txt");
    let packages = cx.set_up(|workspace| setup::for_python(workspace, &requirements))?;
    Ok(packages.ok_or_else(|| NotRun(format!("it needs {}", setup::NEEDED_PYTHON)))?)
}

/// Installs a part of the Rust toolchain where it lacks and rustup can.
fn need_component(cx: &mut Context<'_>, name: &str) -> Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if process::output_of(Command::new("cargo").args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    let added = cx.run(Command::new("rustup").args(["component", "add", name]).current_dir(Path::new("/")));
    added.map_err(|_| NotRun(format!("{name} is not installed, and rustup cannot add it")).into())
}
