//! The tokens by which functions get their roles in the database; assets/function-token.ts signs them.

use std::process::Command;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

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

/// What a token says of itself.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Claims {
    pub role: String,
    /// When it expires, in seconds since 1970.
    pub exp: u64,
}

/// Reads a token without verifying it; `None` if it is not a JWT with these claims.
pub fn claims(token: &str) -> Option<Claims> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
