//! `cargo xtask generate`: files that are written from the sources, checked in, and compared by `--check`.

mod contract;
mod deployment;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use project::files::create_folder;
use project::workspace::Workspace;

/// Writes the generated files, or compares them with the existing ones.
///
/// # Errors
/// If `is_check` and a file differs from the generated text, or if a file cannot be generated or written.
pub fn run(workspace: &Workspace, is_check: bool) -> Result<ExitCode> {
    let mut files = deployment::files(workspace)?;
    files.extend(contract::files(workspace)?);
    if is_check {
        check(workspace, &files)?
    } else {
        write(&files)?
    }
    Ok(ExitCode::SUCCESS)
}

fn check(workspace: &Workspace, files: &[(PathBuf, String)]) -> Result<()> {
    let stale: Vec<_> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| {
            path.strip_prefix(&workspace.root)
                .unwrap_or(path)
                .display()
                .to_string()
        })
        .collect();
    if !stale.is_empty() {
        bail!(
            "not what `cargo xtask generate` writes: {}",
            stale.join(", ")
        );
    }
    Ok(())
}

fn write(files: &[(PathBuf, String)]) -> Result<()> {
    for (path, text) in files {
        path.parent().map_or(Ok(()), create_folder)?;
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
