//! wasm-pack, the one tool that is installed from crates.io: the full tests run with it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{lock, tools_folder};
use crate::files;
use crate::process::{self, output_of};

const WASM_PACK: &str = "wasm-pack@0.15.1";

pub fn install_wasm_pack() -> Result<()> {
    let tools = tools_folder()?;
    let _lock = lock(&tools)?;
    if wasm_pack().is_some() {
        return Ok(());
    }
    let draft = tools.join(format!(".installing-{WASM_PACK}"));
    files::remove_folder(&draft)?;
    let mut command = Command::new("cargo");
    // An unoptimised build is ready sooner, and fast enough.
    command.args(["install", "--locked", "--debug", "--no-track", "--root"]).arg(&draft).arg(WASM_PACK);
    let log = tools.join(format!("{WASM_PACK}.log"));
    process::run_logged(&format!("installing {WASM_PACK} (once)"), &mut command, &log)?;
    let folder = tools.join(WASM_PACK);
    fs::rename(&draft, &folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// wasm-pack, where it is installed.
pub fn wasm_pack() -> Option<PathBuf> {
    let ours = tools_folder().ok()?.join(WASM_PACK).join("bin/wasm-pack");
    let is_on_path = || output_of(Command::new("wasm-pack").arg("--version")).is_some();
    if ours.exists() { Some(ours) } else { is_on_path().then(|| "wasm-pack".into()) }
}
