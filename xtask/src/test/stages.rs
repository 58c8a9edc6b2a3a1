//! What each stage runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{NotRun, TestStack};
use crate::process::{self, run};
use crate::setup;
use crate::workspace::{GATEWAY, Workspace};

pub fn format(workspace: &Workspace) -> Result<()> {
    need_component("rustfmt")?;
    run(cargo(workspace).args(["fmt", "--all", "--check"]))
}

pub fn lint_native(workspace: &Workspace) -> Result<()> {
    need_component("clippy")?;
    run(cargo(workspace).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub fn lint_wasm(workspace: &Workspace) -> Result<()> {
    need_component("clippy")?;
    setup::for_build(workspace)?;
    let mut command = cargo(workspace);
    command.args(["clippy", "--all-targets", "--target", "wasm32-unknown-unknown", "--package", "shared"]);
    for function in &workspace.functions {
        command.args(["--package", &function.name]);
    }
    run(command.args(["--", "-D", "warnings"]))
}

pub fn docs(workspace: &Workspace) -> Result<()> {
    run(cargo(workspace).args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

pub fn native_tests(workspace: &Workspace) -> Result<()> {
    run(cargo(workspace).args(["test", "--workspace", "--exclude", "it"]))
}

/// The property tests again, on more inputs and from new seeds; `PROPTEST_CASES` chooses how many.
///
/// An input that fails is kept in the crate's `proptest-regressions/`, to be committed.
pub fn fuzz(workspace: &Workspace) -> Result<()> {
    const CASES: &str = "PROPTEST_CASES";
    let cases = std::env::var_os(CASES).unwrap_or_else(|| "2000".into());
    let mut command = cargo(workspace);
    command.args(["test", "--workspace", "--exclude", "it", "--lib", "--", "properties::", "any_text::"]);
    // A failing input says more than a backtrace of each attempt to shrink it.
    run(command.env(CASES, cases).env("RUST_BACKTRACE", "0"))
}

/// The crates that have tests for wasm say so by what they depend on.
pub fn wasm_tests(workspace: &Workspace) -> Result<()> {
    let (wasm_pack, runner_folder) = setup::for_wasm_tests(workspace)?;
    let shared = workspace.root.join("shared");
    for folder in workspace.functions.iter().map(|function| &function.dir).chain([&shared]) {
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        if !text.contains("wasm-bindgen-test") {
            continue;
        }
        // The runner takes a crate without a single test for success.
        if !mentions(folder, "wasm_bindgen_test::wasm_bindgen_test")? {
            bail!("{} depends on wasm-bindgen-test and has no test that uses it", folder.display());
        }
        let mut command = Command::new(&wasm_pack);
        command.args(["test", "--node", "--mode", "no-install"]).arg(folder);
        // In place of the flags that remove names: a failure should show where it happened.
        command.env("RUSTFLAGS", "-Cstrip=none");
        run(command.env("PATH", workspace.path_with(std::slice::from_ref(&runner_folder))?))?;
    }
    // What stands around the wasm.
    run(&mut node_tests(workspace, "tests/platform/*.test.ts")?)
}

/// Whether a Rust file below a folder contains a text.
fn mentions(folder: &Path, text: &str) -> Result<bool> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let found = if path.is_dir() {
            mentions(&path, text)?
        } else {
            path.extension().is_some_and(|extension| extension == "rs")
                && fs::read_to_string(&path)?.contains(text)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn types(workspace: &Workspace) -> Result<()> {
    setup::for_node(workspace)?;
    run(Command::new(workspace.npm_bin("tsc")).arg("--noEmit").current_dir(&workspace.root))?;
    let mut deno = Command::new(workspace.npm_bin("deno"));
    deno.args(["check", "--no-config", "--no-lock", "--no-remote", "--no-npm", "xtask/assets/deno-serve.ts"]);
    deno.args(
        workspace
            .functions
            .iter()
            .filter(|function| function.name != GATEWAY)
            .map(|function| workspace.deno_entry(function).join("index.ts")),
    );
    run(deno.current_dir(&workspace.root))
}

/// What stands in for services: the simulators, and the parts of the local Supabase.
pub fn stand_ins(workspace: &Workspace) -> Result<()> {
    setup::for_node(workspace)?;
    run(node_tests(workspace, "tests/simulators/**/*.test.ts")?.arg("tests/local-supabase/parts.test.ts"))
}

/// The parts of the page that need no browser.
pub fn page(workspace: &Workspace) -> Result<()> {
    setup::for_node(workspace)?;
    run(&mut node_tests(workspace, "tests/page/*.test.ts")?)
}

/// The description of the functions against itself and against the code.
pub fn openapi(workspace: &Workspace) -> Result<()> {
    setup::for_node(workspace)?;
    run(cargo(workspace).args(["test", "--package", "xtask", "contract::"]))?;
    run(&mut node_tests(workspace, "tests/openapi/openapi.test.ts")?)
}

pub fn pgtap(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let url = database_url(stack)?;
    stack.run(node(workspace).arg("tests/local-supabase/pgtap.ts").arg(url))
}

pub fn conformance(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(&mut node_tests(workspace, "tests/local-supabase/conformance.test.ts")?)
}

/// Attacks, races and time: what assertions within one transaction cannot see.
pub fn database(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(&mut node_tests(workspace, "tests/database/**/*.test.ts")?)
}

/// Breaks the schema on purpose, one thing at a time: each must turn the tests above red.
pub fn mutations(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let url = database_url(stack)?;
    stack.run(node(workspace).arg("tests/database/mutations/main.ts").arg(url))
}

pub fn cron(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(&mut node_tests(workspace, "tests/database-cron/**/*.test.ts")?)
}

pub fn database_lint(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let url = database_url(stack)?;
    let mut command = node(workspace);
    // The tools find their Node by name.
    command.env("PATH", workspace.path_with(&[])?);
    stack.run(command.arg("tests/database-lint/main.ts").arg(url))
}

/// The end-to-end tests that have a stage of their own.
const STAGES_OF_THEIR_OWN: [&str; 10] = [
    "--skip",
    "load::",
    "--skip",
    "matrix::",
    "--skip",
    "crashes::",
    "--skip",
    "models::",
    "--skip",
    "convergence::",
];

pub fn end_to_end(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(it(workspace)?.args(STAGES_OF_THEIR_OWN))
}

/// A thousand billing histories, whose events come late, doubled and shuffled.
pub fn histories(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(it(workspace)?.arg("convergence::"))
}

/// Many listeners at once: by themselves, for they report how long everything takes.
pub fn load(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(it(workspace)?.args(["load::", "--nocapture"]))
}

/// Every outbound call meets every fault.
pub fn faults(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(it(workspace)?.args(["matrix::on_workerd", "--nocapture"]))
}

pub fn faults_deno(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(it(workspace)?.args(["matrix::on_deno", "--nocapture"]))
}

/// What is killed under load comes back, and nothing that was promised is lost.
pub fn crashes(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(it(workspace)?.args(["crashes::", "--nocapture"]))
}

/// The functions with a real model server, llama.cpp's own.
pub fn models(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let packages = python_packages(workspace, "tests/models")?;
    stack.run(it(workspace)?.arg("models::").env("SOUND_WHISKERS_PYTHON", packages.join("python")))
}

/// The end-to-end tests; filters may follow.
fn it(workspace: &Workspace) -> Result<Command> {
    let mut command = cargo(workspace);
    // For the tests that start stacks of their own, to see how they end.
    command.env("SOUND_WHISKERS_XTASK", std::env::current_exe()?);
    command.args(["test", "--package", "it", "--"]);
    Ok(command)
}

/// The same as `end_to_end`, but for how stacks start and end and the histories, which have a runtime of their own, and
/// for a client that leaves before its document: Deno aborts `request.signal` then as a rule, but was seen not to.
pub fn end_to_end_deno(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let mut command = it(workspace)?;
    command.args(STAGES_OF_THEIR_OWN).args(["--skip", "process::"]);
    stack.run(command.args(["--skip", "a_listener_who_leaves_before_the_document"]))
}

pub fn supabase_js(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(&mut node_tests(workspace, "tests/supabase-js/**/*.test.ts")?)
}

pub fn stripe_sdk(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(&mut node_tests(workspace, "tests/stripe-sdk/**/*.test.ts")?)
}

/// The same against what the functions answer.
pub fn openapi_live(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    stack.run(&mut node_tests(workspace, "tests/openapi/live.test.ts")?)
}

/// Deployments by wrangler and the Supabase CLI, to APIs on loopback.
pub fn deploy(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let mut command = node_tests(workspace, "tests/deploy/**/*.test.ts")?;
    stack.run(command.env("SOUND_WHISKERS_XTASK", std::env::current_exe()?))
}

/// Requests that schemathesis makes up from the description. `SCHEMATHESIS_SEED` chooses others.
pub fn schemathesis(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let folder = workspace.root.join("tests/openapi");
    let packages = python_packages(workspace, "tests/openapi")?;
    let functions_url = stack.ready().functions_url.clone().context("there are no functions")?;
    let mut command = Command::new(packages.join("schemathesis"));
    command.arg("--config-file").arg(folder.join("schemathesis.toml"));
    command.args(["run", "docs/openapi.yaml", "--url", &functions_url]);
    if let Some(seed) = std::env::var_os("SCHEMATHESIS_SEED") {
        command.arg("--seed").arg(seed);
    }
    // Compiled hooks would be left beside their source.
    stack.run(command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&workspace.root))
}

/// One file after the other: they tell the simulators what to do, which all of them share.
pub fn browser(workspace: &Workspace, stack: &mut TestStack) -> Result<()> {
    let mut command = node(workspace);
    command.args(["--test", "--test-reporter=spec", "--test-concurrency=1", "tests/browser/*.test.ts"]);
    stack.run(&mut command)
}

fn cargo(workspace: &Workspace) -> Command {
    workspace.cargo(&workspace.root)
}

fn node(workspace: &Workspace) -> Command {
    let mut command = Command::new(workspace.npm_bin("node"));
    command.current_dir(&workspace.root);
    command
}

/// The folder of the executables that a folder's requirements.txt pins.
fn python_packages(workspace: &Workspace, folder: &str) -> Result<PathBuf> {
    let requirements = workspace.root.join(folder).join("requirements.txt");
    let packages = setup::for_python(workspace, &requirements)?;
    Ok(packages.ok_or_else(|| NotRun(format!("it needs {}", setup::NEEDED_PYTHON)))?)
}

fn database_url(stack: &TestStack) -> Result<String> {
    stack.ready().database_url.clone().context("there is no local database")
}

/// Node's test runner; it takes a pattern that matches nothing for success, so the folder must be there.
fn node_tests(workspace: &Workspace, pattern: &str) -> Result<Command> {
    let folder = pattern.split("/*").next().unwrap_or(pattern);
    if !workspace.root.join(folder).exists() {
        bail!("there is no {folder}");
    }
    let mut command = node(workspace);
    command.args(["--test", "--test-reporter=spec", pattern]);
    Ok(command)
}

/// Installs a part of the Rust toolchain where it lacks and rustup can.
fn need_component(name: &str) -> Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if process::output_of(Command::new("cargo").args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    let added = run(Command::new("rustup").args(["component", "add", name]).current_dir(Path::new("/")));
    added.map_err(|_| NotRun(format!("{name} is not installed, and rustup cannot add it")).into())
}
