//! Runs the operators' tools with an env file or on a local stack.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::args::{CheckLlmOptions, ReconcileOptions};
use project::process;
use project::workspace::{Variables, Workspace};
use stack::{SIMULATED_STRIPE_KEY, Settings};

/// Its exit code shows whether a user would get songs.
pub fn check_llm(workspace: &Workspace, options: &CheckLlmOptions) -> Result<ExitCode> {
    let mut variables = Settings::variables(workspace, options.env_file.as_deref())?;
    variables.retain(|name, _| name.starts_with("LLM_"));
    let mut command = workspace.cargo(&workspace.root);
    process::exit_code(
        command
            .args(["run", "--quiet", "--package", "check-llm"])
            .envs(variables),
    )
}

/// Its exit code shows whether all profiles agree.
pub fn reconcile_billing(workspace: &Workspace, options: &ReconcileOptions) -> Result<ExitCode> {
    let variables = match &options.ready_file {
        Some(path) => of_stack(path).with_context(|| format!("--ready-file {}", path.display()))?,
        None => Settings::read(workspace, options.env_file.as_deref())?
            .given()
            .clone(),
    };
    let mut command = workspace.cargo(&workspace.root);
    command
        .args(["run", "--quiet", "--package", "reconcile-billing", "--"])
        .envs(variables);
    process::exit_code(command.args(options.apply.then_some("--apply")))
}

/// The environment of a function in the stack that wrote a ready file.
fn of_stack(path: &Path) -> Result<Variables> {
    let ready: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let value = |pointer: &str| {
        let value = ready.pointer(pointer).and_then(Value::as_str);
        value
            .map(str::to_owned)
            .with_context(|| format!("there is no {pointer}"))
    };
    Ok([
        ("SUPABASE_URL", value("/supabase_url")?),
        ("SUPABASE_PUBLISHABLE_KEY", value("/publishable_key")?),
        ("SUPABASE_SECRET_KEY", value("/secret_key")?),
        ("STRIPE_API_BASE_URL", value("/simulators/stripe")?),
        ("STRIPE_SECRET_KEY", SIMULATED_STRIPE_KEY.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into())
}
