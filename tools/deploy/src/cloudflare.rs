//! Workers, one a function, and the gateway in front of them.

use std::process::Command;

use anyhow::{Context, Result};

use super::configuration::Configuration;
use super::{SecretsFolder, Step};
use project::workspace::{Function, GATEWAY, Workspace};

/// The gateway comes last: it binds the others.
pub fn steps(
    workspace: &Workspace,
    configuration: &Configuration,
    environment: &str,
    secrets: &SecretsFolder,
) -> Result<Vec<Step>> {
    let (gateway, functions): (Vec<_>, Vec<_>) = workspace
        .functions
        .iter()
        .partition(|function| function.name == GATEWAY);
    let mut deployed: Vec<String> = Vec::new();
    let mut steps = Vec::new();
    for function in functions.into_iter().chain(gateway) {
        let worker = format!("{}-{environment}", function.worker());
        let command = || deploy(workspace, configuration, environment, secrets, function);
        let mut rehearsal = command()?;
        rehearsal
            .arg("--dry-run")
            .arg("--outdir")
            .arg(workspace.target.join("wrangler").join(&worker));
        let step = Step::new(&worker, command()?, &remedy(&deployed));
        steps.push(Step {
            rehearsal: Some(rehearsal),
            ..step
        });
        deployed.push(worker);
    }
    Ok(steps)
}

fn deploy(
    workspace: &Workspace,
    configuration: &Configuration,
    environment: &str,
    secrets: &SecretsFolder,
    function: &Function,
) -> Result<Command> {
    let values = serde_json::to_string(&configuration.of(function)).context("values")?;
    let folder = if function.name == GATEWAY {
        &workspace.root
    } else {
        &function.dir
    };
    let mut command = Command::new(workspace.npm_bin("wrangler"));
    command
        .current_dir(folder)
        .args(["deploy", "--env", environment]);
    command
        .arg("--secrets-file")
        .arg(secrets.write(&format!("{}.json", function.name), &values)?);
    command
        .env("PATH", workspace.path_with(&[])?)
        .env("WRANGLER_SEND_METRICS", "false");
    command.envs(configuration.account("CLOUDFLARE_"));
    Ok(command)
}

fn remedy(deployed: &[String]) -> String {
    let mut text = "The message above is wrangler's. Authentication error or forbidden: CLOUDFLARE_API_TOKEN has expired, or may not edit \
                    Workers of CLOUDFLARE_ACCOUNT_ID. Anything else, such as 500 or no connection: run the same command again, which \
                    completes the deployment. The parts that were deployed before this step already serve requests, and work with the old ones."
        .to_owned();
    if !deployed.is_empty() {
        text.push_str(" To go back instead:");
        for worker in deployed {
            text.push_str(&format!("\n  npx wrangler rollback --name {worker}"));
        }
    }
    text
}
