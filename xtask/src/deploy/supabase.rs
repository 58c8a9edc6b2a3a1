//! Edge Functions of a Supabase project.

use std::process::Command;

use anyhow::Result;

use super::configuration::Configuration;
use super::{SecretsFolder, Step};
use crate::workspace::{Function, GATEWAY, Workspace};

/// All but the gateway, whose place the platform takes.
pub fn functions(workspace: &Workspace) -> impl Iterator<Item = &Function> {
    workspace.functions.iter().filter(|function| function.name != GATEWAY)
}

/// What the functions are to find is set before they look for it.
pub fn steps(
    workspace: &Workspace,
    configuration: &Configuration,
    secrets: &SecretsFolder,
) -> Result<Vec<Step>> {
    let file = secrets.write("secrets.env", &configuration.of_project(functions(workspace)))?;
    let mut set = remote(workspace, configuration, &["secrets", "set"])?;
    set.arg("--env-file").arg(file);
    let mut steps = vec![Step {
        name: "secrets".into(),
        command: set,
        rehearsal: None,
        remedy: "Does SUPABASE_ACCESS_TOKEN belong to somebody who may change this project? No function was changed.".into(),
    }];
    for function in functions(workspace) {
        // `--use-api` bundles there: no Docker here.
        let mut command = remote(workspace, configuration, &["functions", "deploy", &function.name])?;
        command.args(["--use-api", "--no-verify-jwt"]);
        steps.push(Step {
            name: function.name.clone(),
            command,
            rehearsal: Some(load(workspace, function)),
            remedy: "Deploy again when it is mended: what was deployed before this step serves already, and works with what was \
                     not. To go back instead, check out the release of before and deploy it: Supabase keeps no versions."
                .into(),
        });
    }
    Ok(steps)
}

/// The CLI, with the account's credentials.
pub fn cli(workspace: &Workspace, configuration: &Configuration) -> Result<Command> {
    let mut command = Command::new(workspace.npm_bin("supabase"));
    command.current_dir(&workspace.root).env("PATH", workspace.path_with(&[])?);
    command.env("SUPABASE_TELEMETRY_DISABLED", "1");
    command.envs(configuration.account("SUPABASE_"));
    Ok(command)
}

fn remote(workspace: &Workspace, configuration: &Configuration, arguments: &[&str]) -> Result<Command> {
    let mut command = cli(workspace, configuration)?;
    command.args(arguments).arg(format!("--remote={}", configuration.project()));
    Ok(command)
}

/// What the platform does with an entry before it serves it: all its modules are found and checked.
fn load(workspace: &Workspace, function: &Function) -> Command {
    let entry = workspace.deno_entry(function);
    let mut command = Command::new(workspace.npm_bin("deno"));
    command.args(["check", "--no-lock", "--no-remote", "--no-npm", "--config"]).arg(entry.join("deno.json"));
    command.arg(entry.join("index.ts"));
    command
}
