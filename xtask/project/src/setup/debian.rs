//! Debian's packages, installed on Debian as root.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::files;
use crate::process::{self, output_of};

/// Returns whether this system has the packages at all.
pub fn install(packages: &[&str], logs: &Path) -> Result<bool> {
    if !nix::unistd::geteuid().is_root()
        || output_of(Command::new("apt-get").arg("--version")).is_none()
    {
        return Ok(false);
    }
    files::create_folder(logs)?;
    let log = logs.join("apt-get.log");
    let mut update = Command::new("apt-get");
    process::run_logged(
        "updating the list of Debian's packages",
        update.arg("update"),
        &log,
    )?;
    if output_of(Command::new("apt-cache").arg("show").args(packages)).is_none() {
        return Ok(false);
    }
    let mut install = Command::new("apt-get");
    install
        .args([
            "install",
            "--yes",
            "--no-install-recommends",
            "--no-upgrade",
        ])
        .args(packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    process::run_logged(
        &format!("installing Debian's {}", packages.join(", ")),
        &mut install,
        &log,
    )?;
    Ok(true)
}
