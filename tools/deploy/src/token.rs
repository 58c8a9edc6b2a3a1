//! Prints the token by which a deployed function gets its role in the database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use project::progress::say;
use project::workspace::Workspace;
use project::{function_token, setup};

use crate::TokenOptions;

/// Prints a token on the standard output, and nothing else there.
pub fn print(workspace: &Workspace, options: &TokenOptions) -> Result<ExitCode> {
    setup::for_node(workspace)?;
    let name = || options.key.display().to_string();
    let key = read_key(&options.key).with_context(name)?;
    let tokens =
        function_token::sign(workspace, &key, options.days, &[&options.role]).with_context(name)?;
    tokens.values().for_each(say);
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// If others than its owner can read the file.
fn read_key(path: &Path) -> Result<String> {
    let mode = fs::metadata(path)?.permissions().mode();
    ensure!(
        mode & 0o077 == 0,
        "others can read this key: chmod 600 {}",
        path.display()
    );
    Ok(fs::read_to_string(path)?)
}
