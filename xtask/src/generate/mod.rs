//! `cargo xtask generate`: files that are written from the sources, checked in, and compared by `--check`.

mod contract;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use project::workspace::Workspace;

/// Writes the generated files, or compares them with what is there.
///
/// # Errors
/// Where `is_check` and a file is not what would be written; and where a file cannot be made or written.
pub fn run(workspace: &Workspace, is_check: bool) -> Result<ExitCode> {
    let mut stale = Vec::new();
    for (path, text) in files(workspace)? {
        if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        if is_check {
            stale.push(path.strip_prefix(&workspace.root).unwrap_or(&path).display().to_string());
        } else {
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!("not what `cargo xtask generate` writes: {}", stale.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every generated file, with its text.
fn files(workspace: &Workspace) -> Result<Vec<(PathBuf, String)>> {
    contract::files(workspace)
}
