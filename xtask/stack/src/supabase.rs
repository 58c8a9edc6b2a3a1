//! The local Supabase: data API, Auth and mails over the local PostgreSQL.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use project::function_token;
use project::workspace::{Variables, Workspace, token_name};

/// The tokens of roles outlive any local stack.
const TOKEN_DAYS: u64 = 365;

/// A project's API keys.
#[derive(Deserialize)]
pub struct Keys {
    pub publishable_key: String,
    pub secret_key: String,
}

pub fn command(
    workspace: &Workspace,
    state: &Path,
    database_url: &str,
    port: u16,
    web_url: &str,
) -> Command {
    let mut command = Command::new(workspace.npm_bin("node"));
    command
        .arg(workspace.root.join("tests/local-supabase/main.ts"))
        .current_dir(&workspace.root);
    command
        .env("DATABASE_URL", database_url)
        .env("PORT", port.to_string())
        .env("STATE_DIR", state);
    command.env("ANONYMOUS_SIGN_INS", "true");
    command
        .env("FUNCTIONS_ORIGIN", web_url)
        .env("SITE_URL", web_url);
    command.env("MIGRATIONS_DIR", workspace.root.join("supabase/migrations"));
    command.env("SEED_FILE", workspace.root.join("supabase/seed.sql"));
    command
}

/// The keys, which the local Supabase generates at its first start, and a token for each role.
pub fn read_keys(workspace: &Workspace, state: &Path) -> Result<(Keys, Variables)> {
    #[derive(Deserialize)]
    struct State {
        #[serde(flatten)]
        keys: Keys,
        es256: serde_json::Value,
    }
    let path = state.join("keys.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let state: State = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let key = state.es256.to_string();
    let tokens = function_token::sign(workspace, &key, TOKEN_DAYS, &function_token::ROLES)?;
    Ok((
        state.keys,
        tokens
            .into_iter()
            .map(|(role, token)| (token_name(&role), token))
            .collect(),
    ))
}
