//! Runs the operators' tools with an env file or on a local stack.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::args::{CheckLlmOptions, ReconcileOptions};
use project::process;
use project::workspace::{FUNCTION_TOKEN, Variables, Workspace, token_name};
use stack::{SIMULATED_STRIPE_KEY, Settings};

/// The exit code of both tools if they cannot determine what they are asked.
const UNDETERMINED: u8 = 2;

/// Its exit code shows whether a user would get songs.
pub fn check_llm(workspace: &Workspace, options: &CheckLlmOptions) -> Result<ExitCode> {
    let mut variables = match Settings::variables(workspace, options.env_file.as_deref()) {
        Ok(variables) => variables,
        Err(error) => return Ok(undetermined(&error)),
    };
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
    let variables = match for_reconciling(workspace, options) {
        Ok(variables) => variables,
        Err(error) => return Ok(undetermined(&error)),
    };
    let mut command = workspace.cargo(&workspace.root);
    command
        .args(["run", "--quiet", "--package", "reconcile-billing", "--"])
        .envs(variables);
    process::exit_code(command.args(options.apply.then_some("--apply")))
}

fn undetermined(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(UNDETERMINED)
}

/// A file may be the deployment's, where the token of stripe-webhook has the name of its role.
fn for_reconciling(workspace: &Workspace, options: &ReconcileOptions) -> Result<Variables> {
    if let Some(path) = &options.ready_file {
        return of_stack(path).with_context(|| format!("--ready-file {}", path.display()));
    }
    let mut variables = Settings::variables(workspace, options.env_file.as_deref())?;
    let token = variables.get(&token_name("fn_billing")).cloned();
    if let (Some(token), false) = (token, variables.contains_key(FUNCTION_TOKEN)) {
        variables.insert(FUNCTION_TOKEN.to_owned(), token);
    }
    Ok(variables)
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

#[cfg(test)]
mod tests {
    use super::*;
    use project::files;

    fn for_reconciling_with(text: &str) -> Variables {
        let file = std::env::temp_dir().join(format!("reconcile-{}", std::process::id()));
        files::write_private(&file, text).unwrap();
        let options = ReconcileOptions {
            env_file: Some(file.clone()),
            ..ReconcileOptions::default()
        };
        let variables = for_reconciling(&Workspace::open().unwrap(), &options).unwrap();
        fs::remove_file(file).unwrap();
        variables
    }

    #[test]
    fn reconciling_needs_no_other_variables_than_its_own_and_takes_the_token_of_a_deployment() {
        let own =
            "SUPABASE_URL=https://a.example\nSUPABASE_PUBLISHABLE_KEY=p\nSTRIPE_SECRET_KEY=s\n";
        for (token, expected) in [
            ("", None),
            ("SUPABASE_FUNCTION_TOKEN=a", Some("a")),
            ("FN_BILLING_TOKEN=b", Some("b")),
            ("SUPABASE_FUNCTION_TOKEN=a\nFN_BILLING_TOKEN=b", Some("a")),
            ("FN_AI_TOKEN=c", None),
        ] {
            let variables = for_reconciling_with(&format!("{own}{token}"));
            assert_eq!(variables["STRIPE_SECRET_KEY"], "s");
            let found = variables.get(FUNCTION_TOKEN).map(String::as_str);
            assert_eq!(found, expected, "{token}");
        }
    }
}
