//! The functions in Deno, by their entries for Supabase's Edge Runtime, without a gateway.

use std::process::Command;

use serde_json::json;

use super::settings::FunctionVariables;
use crate::page;
use crate::workspace::{GATEWAY, Workspace};

pub fn command(workspace: &Workspace, port: u16, variables: &FunctionVariables) -> Command {
    let web = page::folder(workspace);
    let functions: Vec<_> = workspace
        .functions
        .iter()
        .filter(|function| function.name != GATEWAY)
        .map(|function| {
            json!({ "name": function.name, "entry": workspace.deno_entry(function).join("index.ts") })
        })
        .collect();
    // What on Cloudflare the gateway is told.
    let gateway = workspace.functions.iter().find(|function| function.name == GATEWAY);
    let public = gateway.map(|gateway| variables.of(gateway)).unwrap_or_default();
    let mut command = Command::new(workspace.npm_bin("deno"));
    command.args([
        "run",
        "--no-config",
        "--no-lock",
        "--no-remote",
        "--no-npm",
        "--allow-net",
        "--allow-env",
    ]);
    let entries = workspace.root.join("supabase/functions");
    command.arg(format!("--allow-read={},{}", web.display(), entries.display()));
    command.arg(workspace.root.join("xtask/assets/deno-serve.ts"));
    command.envs(variables.of_project());
    let settings = json!({ "port": port, "web": web, "page": public, "functions": functions });
    command.env("DENO_SERVE", settings.to_string());
    command
}
