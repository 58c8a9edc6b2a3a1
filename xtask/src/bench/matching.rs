//! The matching alone, built for this machine and for wasm as the functions are.

use std::path::Path;

use anyhow::{Context, Result};

use super::{MATCHING, measurement};
use crate::artefacts;
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

const PACKAGE: &str = "bench-matching";

pub fn run(workspace: &Workspace, folder: &Path) -> Result<()> {
    setup::ensure_wasm_target()?;
    setup::for_node(workspace)?;
    let release = ["build", "--release", "--package", PACKAGE];
    process::run(workspace.cargo(&workspace.root).args(release).arg("--bins"))?;
    let wasm_target = ["--lib", "--target", "wasm32-unknown-unknown"];
    process::run(workspace.cargo(&workspace.root).args(release).args(wasm_target))?;

    let built = workspace.target.join("wasm32-unknown-unknown/release/bench_matching.wasm");
    let out = folder.join(MATCHING);
    process::run(workspace.cargo(&workspace.root).args(["build", "--package", "bindings"]))?;
    process::run(artefacts::bindings(workspace).args(["nodejs", "index"]).arg(built).arg(&out))?;
    let wasm = out.join("index_bg.wasm");
    process::run(&mut artefacts::wasm_opt(workspace, &wasm, &wasm)?)?;

    let mut command = measurement(workspace, MATCHING);
    command.env("BENCH_FOLDER", folder).env("BENCH_MATCHING_MODULE", out.join("index.js"));
    command.env("BENCH_MATCHING_PROGRAM", workspace.target.join("release").join(PACKAGE));
    process::run(&mut command).with_context(|| format!("the measurement of the {MATCHING}"))
}
