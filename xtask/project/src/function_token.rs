//! The tokens by which functions get their roles in the database; assets/function-token.ts signs them.

use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::workspace::{Variables, Workspace};

/// The roles that supabase/migrations creates for the functions.
pub const ROLES: [&str; 4] = ["fn_ai", "fn_spotify", "fn_billing", "fn_account"];

/// Signs a token for each role with a private key, which is a JWK.
pub fn sign(workspace: &Workspace, key: &str, days: u64, roles: &[&str]) -> Result<Variables> {
    let mut command = Command::new(workspace.npm_bin("node"));
    command
        .current_dir(&workspace.root)
        .arg("xtask/project/assets/function-token.ts");
    command
        .arg(days.to_string())
        .args(roles)
        .env("FUNCTION_KEY", key);
    Ok(serde_json::from_str(&process::stdout_of(&mut command)?)?)
}
