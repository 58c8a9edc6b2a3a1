//! Edge Functions of a Supabase project.

use std::process::Command;

use anyhow::Result;

use super::configuration::Configuration;
use super::{SecretsFolder, Step};
use project::workspace::{Function, Workspace};

/// Secrets are set before the functions that read them are deployed.
pub fn steps(
    workspace: &Workspace,
    configuration: &Configuration,
    secrets: &SecretsFolder,
) -> Result<Vec<Step>> {
    let file = secrets.write("secrets.env", &configuration.of_project(workspace))?;
    let mut set = remote(workspace, configuration, &["secrets", "set"])?;
    set.arg("--env-file").arg(file);
    let mut steps = vec![Step::new(
        "secrets",
        set,
        &format!("{REFUSED} No function was changed."),
    )];
    for function in workspace.edge_functions() {
        // `--use-api` bundles on the platform, so Docker is not needed.
        let mut command = remote(
            workspace,
            configuration,
            &["functions", "deploy", &function.name],
        )?;
        command.args(["--use-api", "--no-verify-jwt"]);
        let remedy = format!(
            "{REFUSED} The parts that were deployed before this step already serve requests, and work with the old ones. To go back instead, \
             check out the previous release and deploy it: Supabase keeps no versions."
        );
        let step = Step::new(&function.name, command, &remedy);
        steps.push(Step {
            rehearsal: Some(load(workspace, function)),
            ..step
        });
    }
    Ok(steps)
}

const REFUSED: &str = "The message above is the Supabase CLI's. Unauthorized, forbidden, 401 or 403: SUPABASE_ACCESS_TOKEN has \
                       expired, is of another account, or lacks a permission that docs/deploy.md lists. Anything else, such as \
                       500 or no connection: run the same command again, which completes the deployment.";

/// The CLI, with the account's credentials. `--yes` confirms its prompts before changes of a hosted project.
pub fn cli(workspace: &Workspace, configuration: &Configuration) -> Result<Command> {
    let mut command = Command::new(workspace.npm_bin("supabase"));
    command
        .arg("--yes")
        .current_dir(&workspace.root)
        .env("PATH", workspace.path_with(&[])?);
    command.env("SUPABASE_TELEMETRY_DISABLED", "1");
    command.envs(configuration.account("SUPABASE_"));
    Ok(command)
}

/// The CLI, on the database.
pub fn on_database(
    workspace: &Workspace,
    configuration: &Configuration,
    arguments: &[&str],
) -> Result<Command> {
    let mut command = cli(workspace, configuration)?;
    let (database, password) = configuration.database();
    command.args(arguments).arg(format!("--remote={database}"));
    // libpq's variable, which the CLI also reads.
    command.envs(password.map(|password| ("PGPASSWORD", password)));
    Ok(command)
}

fn remote(
    workspace: &Workspace,
    configuration: &Configuration,
    arguments: &[&str],
) -> Result<Command> {
    let mut command = cli(workspace, configuration)?;
    command
        .args(arguments)
        .arg(format!("--remote={}", configuration.project()));
    Ok(command)
}

/// Finds and checks all modules of an entry, as the platform does before it serves it.
fn load(workspace: &Workspace, function: &Function) -> Command {
    let entry = workspace.deno_entry(function);
    let mut command = Command::new(workspace.npm_bin("deno"));
    command
        .args(["check", "--no-lock", "--no-remote", "--no-npm", "--config"])
        .arg(entry.join("deno.json"));
    command.arg(entry.join("index.ts"));
    command
}
