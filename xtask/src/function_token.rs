//! The tokens by which functions get their roles in the database; xtask/assets/function-token.ts signs them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::args::TokenOptions;
use crate::process;
use crate::progress::say;
use crate::setup;
use crate::workspace::{Variables, Workspace};

/// The roles of supabase/migrations/20261126000000_foundations.sql.
pub const ROLES: [&str; 4] = ["fn_ai", "fn_spotify", "fn_billing", "fn_account"];

/// Prints a token on the standard output, and nothing else there.
pub fn run(workspace: &Workspace, options: &TokenOptions) -> Result<ExitCode> {
    setup::for_node(workspace)?;
    let key = read_key(&options.key).with_context(|| options.key.display().to_string())?;
    let tokens = sign(workspace, &key, options.days, &[&options.role])
        .with_context(|| options.key.display().to_string())?;
    tokens.values().for_each(say);
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// If anyone but its owner can read the file.
fn read_key(path: &Path) -> Result<String> {
    let mode = fs::metadata(path)?.permissions().mode();
    ensure!(mode & 0o077 == 0, "others can read this key: chmod 600 {}", path.display());
    Ok(fs::read_to_string(path)?)
}

/// Signs a token for each role with a private key, which is a JWK.
pub fn sign(workspace: &Workspace, key: &str, days: u64, roles: &[&str]) -> Result<Variables> {
    let mut command = Command::new(workspace.npm_bin("node"));
    command.current_dir(&workspace.root).arg("xtask/assets/function-token.ts");
    command.arg(days.to_string()).args(roles).env("FUNCTION_KEY", key);
    Ok(serde_json::from_str(&process::answer_of(&mut command)?)?)
}
