//! The commands of the stages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use project::process;
use project::setup::{self, WASM_TARGET};
use stack::{Profile, Runtime};

use super::NotRun;
use super::context::Context;
use crate::artefacts;

pub enum Run {
    /// Cargo, with variables unless they are set already.
    Cargo(
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
    ),
    Clippy(Clippy),
    /// Node's test runner on some files.
    Node(&'static [&'static str]),
    /// The same with options, one file after the other, because all files control the simulators.
    Browser(&'static [&'static str], &'static [&'static str]),
    /// A program that takes the database's URL.
    Database(&'static str),
    /// The end-to-end tests that match a filter.
    EndToEnd(&'static str),
    /// The end-to-end tests that match none of these filters.
    EndToEndWithout(&'static [&'static str]),
    Other(fn(&mut Context<'_>) -> Result<()>),
}

pub enum Clippy {
    Native,
    Wasm,
}

impl Run {
    pub fn run(&self, cx: &mut Context<'_>) -> Result<()> {
        let mut command = match self {
            Self::Cargo(arguments, variables) => {
                let mut command = cargo(cx);
                let unset = variables
                    .iter()
                    .filter(|(name, _)| std::env::var_os(name).is_none());
                command.args(*arguments).envs(unset.copied());
                command
            }
            Self::Clippy(clippy) => clippy.command(cx)?,
            Self::Node(patterns) => node(cx, &[], patterns)?,
            Self::Browser(options, patterns) => node(
                cx,
                &[&["--test-concurrency=1"], *options].concat(),
                patterns,
            )?,
            Self::Database(program) => {
                let url = cx
                    .ready()?
                    .database_url
                    .clone()
                    .context("there is no local database")?;
                let mut command = Command::new(cx.workspace.npm_bin("node"));
                // The tools that it starts search Node by name.
                command.env("PATH", cx.workspace.path_with(&[])?);
                command
                    .arg(program)
                    .arg(url)
                    .current_dir(&cx.workspace.root);
                command
            }
            Self::EndToEnd(filter) => {
                let mut command = end_to_end(cx)?;
                command.args([filter, "--nocapture"]);
                command
            }
            Self::EndToEndWithout(skipped) => {
                // The tests run the operators' tools, which are compiled here instead of during a test.
                let mut tools = cargo(cx);
                cx.run(tools.args([
                    "build",
                    "--package",
                    "check-llm",
                    "--package",
                    "reconcile-billing",
                ]))?;
                let mut command = end_to_end(cx)?;
                command.args(skipped.iter().flat_map(|name| ["--skip", name]));
                command
            }
            Self::Other(run) => return run(cx),
        };
        cx.run(&mut command)
    }
}

impl Clippy {
    fn command(&self, cx: &mut Context<'_>) -> Result<Command> {
        need_component(cx, "clippy")?;
        let mut command = cargo(cx);
        command.args(["clippy", "--all-targets"]);
        match self {
            Self::Native => {
                command.arg("--workspace");
            }
            Self::Wasm => {
                cx.set_up(|_| setup::ensure_wasm_target())?;
                command.args(["--target", WASM_TARGET, "--package", "shared"]);
                command.args(
                    cx.workspace
                        .functions
                        .iter()
                        .flat_map(|it| ["--package", &it.name]),
                );
            }
        }
        command.args(["--", "-D", "warnings"]);
        Ok(command)
    }
}

pub fn build(cx: &mut Context<'_>) -> Result<()> {
    match cx.profile {
        Profile::Quick => artefacts::build(cx.workspace, Profile::Quick, Runtime::Workerd),
        Profile::Deployable => artefacts::build_deployable(cx.workspace),
    }
}

pub fn format(cx: &mut Context<'_>) -> Result<()> {
    need_component(cx, "rustfmt")?;
    let mut command = cargo(cx);
    cx.run(command.args(["fmt", "--all", "--check"]))
}

pub fn wasm_pack(cx: &mut Context<'_>) -> Result<()> {
    cx.set_up(|_| setup::install_wasm_pack())
}

pub fn biome(cx: &mut Context<'_>) -> Result<()> {
    cx.set_up(setup::for_node)?;
    let mut biome = Command::new(cx.workspace.npm_bin("biome"));
    cx.run(biome.arg("check").current_dir(&cx.workspace.root))
}

pub fn types(cx: &mut Context<'_>) -> Result<()> {
    cx.set_up(setup::for_node)?;
    let workspace = cx.workspace;
    cx.run(
        Command::new(workspace.npm_bin("tsc"))
            .arg("--noEmit")
            .current_dir(&workspace.root),
    )?;
    // The entries are checked whether their functions are built or not.
    let import_map = workspace.target.join("types.json");
    stack::write_import_map(workspace, &import_map, |_| {
        workspace.root.join("xtask/stack/assets/built")
    })?;
    let mut deno = Command::new(workspace.npm_bin("deno"));
    deno.args([
        "check",
        "--no-config",
        "--no-lock",
        "--no-remote",
        "--no-npm",
        "--import-map",
    ]);
    deno.arg(import_map).arg("xtask/stack/assets/deno-serve.ts");
    let functions = workspace.edge_functions();
    deno.args(functions.map(|function| workspace.deno_entry(function).join("index.ts")));
    cx.run(deno.env("NO_COLOR", "1").current_dir(&workspace.root))
}

pub fn models(cx: &mut Context<'_>) -> Result<()> {
    let packages = python_packages(cx, "tests/compat/models")?;
    let mut command = end_to_end(cx)?;
    cx.run(
        command
            .arg("models::")
            .env("SOUND_WHISKERS_PYTHON", packages.join("python")),
    )
}

pub fn deploy(cx: &mut Context<'_>) -> Result<()> {
    let mut command = node(cx, &[], &["tests/deploy/**/*.test.ts"])?;
    cx.run(command.env("SOUND_WHISKERS_XTASK", &cx.workspace.program))
}

/// `SCHEMATHESIS_SEED` chooses other requests.
pub fn schemathesis(cx: &mut Context<'_>) -> Result<()> {
    let packages = python_packages(cx, "tests/openapi")?;
    let functions_url = cx
        .ready()?
        .functions_url
        .clone()
        .context("there are no functions")?;
    let mut command = Command::new(packages.join("schemathesis"));
    command.args(["--config-file", "tests/openapi/schemathesis.toml"]);
    command.args(["run", "docs/openapi.yaml", "--url", &functions_url]);
    if let Some(seed) = std::env::var_os("SCHEMATHESIS_SEED") {
        command.arg("--seed").arg(seed);
    }
    // Python would otherwise write compiled hooks beside their source.
    cx.run(
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(&cx.workspace.root),
    )
}

fn cargo(cx: &Context<'_>) -> Command {
    cx.workspace.cargo(&cx.workspace.root)
}

/// The end-to-end tests; filters may follow.
fn end_to_end(cx: &Context<'_>) -> Result<Command> {
    let mut command = cargo(cx);
    // libtest reports times only with unstable options. Only the test binary gets the variable that allows them, because
    // with it cargo would recompile everything.
    command.args([
        "--config",
        "target.'cfg(all())'.runner=['env', 'RUSTC_BOOTSTRAP=1']",
    ]);
    // For tests that start stacks themselves.
    command.env("SOUND_WHISKERS_XTASK", &cx.workspace.program);
    command.args([
        "test",
        "--package",
        "e2e",
        "--lib",
        "--",
        "-Zunstable-options",
        "--report-time",
    ]);
    Ok(command)
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
    command
        .current_dir(root)
        .args(["--test", "--test-reporter=spec"])
        .args(options)
        .args(patterns);
    Ok(command)
}

/// The folder of the executables that a folder's requirements.txt pins.
fn python_packages(cx: &Context<'_>, folder: &str) -> Result<PathBuf> {
    let requirements = cx.workspace.root.join(folder).join("requirements.txt");
    let packages = cx.set_up(|workspace| setup::for_python(workspace, &requirements))?;
    Ok(packages.ok_or_else(|| NotRun(format!("it needs {}", setup::NEEDED_PYTHON)))?)
}

/// Installs a missing component of the Rust toolchain with rustup.
fn need_component(cx: &mut Context<'_>, name: &str) -> Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if process::output_of(Command::new("cargo").args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    let added = cx.run(
        Command::new("rustup")
            .args(["component", "add", name])
            .current_dir(Path::new("/")),
    );
    added.map_err(|_| NotRun(format!("{name} is not installed, and rustup cannot add it")).into())
}

pub fn generated(cx: &mut Context<'_>) -> Result<()> {
    crate::generate::run(cx.workspace, true).map(drop)
}
