//! Python, and the packages that a requirements file pins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{debian, install, log};
use crate::files;
use crate::process::{self, output_of};
use crate::workspace::Workspace;

/// The requirement of `for_python`, for messages.
pub const NEEDED: &str = "Python 3.11 or newer with its module venv";

const OLDEST: (u32, u32) = (3, 11);
/// The candidates in order: another `python3`, possibly too old, may precede Debian's on PATH.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];
const DEBIAN_PACKAGES: [&str; 2] = ["python3", "python3-venv"];
/// A virtual environment gets pip from ensurepip, which is a separate package on Debian.
const VERSION: &str = "import ensurepip, venv, platform; print(platform.python_version())";

/// The folder of the packages' executables, or `None` without a suitable Python.
pub fn for_python(workspace: &Workspace, requirements: &Path) -> Result<Option<PathBuf>> {
    let found = match find() {
        None if debian::install(&DEBIAN_PACKAGES, &workspace.target)? => find(),
        found => found,
    };
    let Some((python, version)) = found else {
        return Ok(None);
    };
    let pinned = fs::read(requirements).with_context(|| requirements.display().to_string())?;
    let name = format!("python-{version}-{:.16}", files::fingerprint(&pinned));
    let folder = install(&name, |folder| {
        process::run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--require-hashes",
            "--disable-pip-version-check",
            "--requirement",
        ]);
        process::run_logged(
            "installing the Python packages",
            pip.arg(requirements),
            &log(&name)?,
        )
    })?;
    Ok(Some(folder.join("bin")))
}

/// A suitable Python, and its version.
fn find() -> Option<(&'static str, String)> {
    PYTHONS.into_iter().find_map(|python| {
        let version = output_of(Command::new(python).args(["-c", VERSION]))?;
        will_do(&version).then_some((python, version))
    })
}

fn will_do(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_an_old_python() {
        for (version, expected) in [
            ("3.11.2", true),
            ("3.14.0rc1", true),
            ("4.0.0", true),
            ("3.10.12", false),
            ("2.7.18", false),
            ("", false),
        ] {
            assert_eq!(will_do(version), expected, "{version}");
        }
    }
}
