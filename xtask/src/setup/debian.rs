//! Debian's packages, installed where this is Debian and we are root.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use rustix::process::geteuid;

use crate::files;
use crate::process::{self, output_of};

/// Answers whether this system has the packages at all; `prepare` runs before they are installed.
pub fn install<T>(
    packages: &[&str],
    what: &str,
    logs: &Path,
    prepare: impl FnOnce() -> Result<T>,
) -> Result<bool> {
    if !geteuid().is_root() || output_of(Command::new("apt-get").arg("--version")).is_none() {
        return Ok(false);
    }
    files::create_folder(logs)?;
    let log = logs.join("apt-get.log");
    process::run_logged(
        "updating the list of Debian's packages",
        Command::new("apt-get").arg("update"),
        &log,
    )?;
    if output_of(Command::new("apt-cache").arg("show").args(packages)).is_none() {
        return Ok(false);
    }
    let _held_while_installing = prepare()?;
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--no-install-recommends", "--no-upgrade"]).args(packages);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    process::run_logged(&format!("installing Debian's {what}"), &mut command, &log)?;
    Ok(true)
}
