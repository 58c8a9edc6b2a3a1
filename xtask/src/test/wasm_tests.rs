//! The tests in wasm: by wasm-pack if it is installed, otherwise by cargo with the same runner.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::context::Context;
use super::table::Run;
use project::setup;

/// Runs the tests of the crates that depend on wasm-bindgen-test, and those of the JavaScript around the wasm.
pub fn run(cx: &mut Context<'_>) -> Result<()> {
    cx.set_up(|_| setup::ensure_wasm_target())?;
    cx.set_up(setup::for_node)?;
    let runner = test_runner(cx)?;
    let workspace = cx.workspace;
    let shared = workspace.root.join("shared");
    let mut folders = Vec::new();
    for folder in workspace
        .functions
        .iter()
        .map(|function| &function.dir)
        .chain([&shared])
    {
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        if text.contains("wasm-bindgen-test") {
            folders.push(folder.as_path());
        }
    }
    match setup::wasm_pack() {
        Some(wasm_pack) => by_wasm_pack(cx, &wasm_pack, &runner, &folders)?,
        None => by_cargo(cx, &runner, &folders)?,
    }
    Run::Node(&["tests/platform/*.test.ts"]).run(cx)
}

/// Builds wasm-bindgen's runner, under the name that wasm-pack searches.
fn test_runner(cx: &mut Context<'_>) -> Result<PathBuf> {
    let workspace = cx.workspace;
    let mut cargo = workspace.cargo(&workspace.root);
    cx.run(cargo.args([
        "build",
        "--package",
        "bindings",
        "--bins",
        "--features",
        "test-runner",
    ]))?;
    Ok(workspace.target.join("debug/wasm-bindgen-test-runner"))
}

fn by_wasm_pack(
    cx: &mut Context<'_>,
    wasm_pack: &Path,
    runner: &Path,
    folders: &[&Path],
) -> Result<()> {
    let runner_folder = runner
        .parent()
        .context("the runner has no folder")?
        .to_owned();
    // wasm-pack runs this name only to read its version.
    let asked = runner_folder.join("wasm-bindgen");
    let _ = fs::remove_file(&asked);
    std::os::unix::fs::symlink(runner, &asked).with_context(|| asked.display().to_string())?;
    for folder in folders {
        let mut command = Command::new(wasm_pack);
        command
            .args(["test", "--node", "--mode", "no-install"])
            .arg(folder);
        cx.run(
            command.env(
                "PATH",
                cx.workspace
                    .path_with(std::slice::from_ref(&runner_folder))?,
            ),
        )?;
    }
    Ok(())
}

fn by_cargo(cx: &mut Context<'_>, runner: &Path, folders: &[&Path]) -> Result<()> {
    for folder in folders {
        let mut command = cx.workspace.cargo(folder);
        command.args(["test", "--tests", "--target", "wasm32-unknown-unknown"]);
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
        cx.run(command.env("PATH", cx.workspace.path_with(&[])?))?;
    }
    Ok(())
}
