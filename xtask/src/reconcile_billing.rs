//! Runs the comparison of the plans with Stripe, on the project that an env file names or on a local stack.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::args::ReconcileOptions;
use crate::dev::{SIMULATED_STRIPE_KEY, Settings, Variables};
use crate::process;
use crate::workspace::Workspace;

/// Answers the tool's own exit code, which says whether all agree.
pub fn run(workspace: &Workspace, options: &ReconcileOptions) -> Result<ExitCode> {
    let variables = match &options.ready_file {
        Some(path) => of_stack(path)?,
        None => {
            let default = workspace.root.join(".dev.vars");
            Settings::read(options.env_file.as_deref(), &default)?.given().clone()
        }
    };
    let mut command = workspace.cargo(&workspace.root);
    command.args(["run", "--quiet", "--package", "reconcile-billing", "--"]).envs(variables);
    if options.apply {
        command.arg("--apply");
    }
    let status = process::run_while(&mut command, || Ok(()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What a function would be given in the stack that wrote a ready file.
fn of_stack(path: &Path) -> Result<Variables> {
    let text = fs::read_to_string(path).with_context(|| format!("--ready-file {}", path.display()))?;
    let ready: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let value = |pointer: &str| {
        let value = ready.pointer(pointer).and_then(Value::as_str);
        value.map(str::to_owned).with_context(|| format!("{} has no {pointer}", path.display()))
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
