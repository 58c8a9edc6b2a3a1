//! Tools that come from crates.io.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{lock, tools_folder};
use crate::files;
use crate::process::{self, Interrupted};
use crate::progress::say;

/// The executable of a crate in exactly this version.
pub fn ensure(name: &str, version: &str, executable: &str) -> Result<PathBuf> {
    let tools = tools_folder()?;
    let folder = tools.join(format!("{name}-{version}"));
    let path = folder.join("bin").join(executable);
    if path.exists() {
        return Ok(path);
    }
    let _lock = lock(&tools)?;
    if !path.exists() {
        install(&format!("{name}@{version}"), &tools, &folder)?;
    }
    Ok(path)
}

fn install(package: &str, tools: &Path, folder: &Path) -> Result<()> {
    let draft = tools.join(format!(".installing-{package}"));
    files::remove_folder(&draft)?;
    let log = tools.join(format!("{package}.log"));
    let command = |locked: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(["install", "--no-track"]).args(locked).arg("--root").arg(&draft).arg(package);
        command.env_remove("CARGO_TARGET_DIR");
        command
    };
    let label = format!("installing {package} (once, a few minutes)");
    if let Err(error) = process::run_logged(&label, &mut command(&["--locked"]), &log) {
        if error.is::<Interrupted>() {
            return Err(error);
        }
        // A lock file can name what a registry has withdrawn, or what a mirror does not have yet.
        say(format_args!("{package}: its lock file could not be followed; trying without it"));
        process::run_logged(&label, &mut command(&[]), &log)?;
    }
    files::remove_folder(folder)?;
    fs::rename(&draft, folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(())
}
