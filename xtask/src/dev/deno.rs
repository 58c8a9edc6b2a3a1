//! The functions in Deno, by their entries for Supabase's Edge Runtime, without a gateway.

use std::process::Command;

use serde_json::json;

use super::settings::FunctionVariables;
use crate::workspace::{GATEWAY, Workspace};

pub fn command(workspace: &Workspace, port: u16, variables: &FunctionVariables) -> Command {
    let web = workspace.root.join("web");
    let functions: Vec<_> = workspace
        .functions
        .iter()
        .filter(|function| function.name != GATEWAY)
        .map(|function| {
            json!({ "name": function.name, "entry": workspace.deno_entry(function).join("index.ts") })
        })
        .collect();
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
    command.env("DENO_SERVE", json!({ "port": port, "web": web, "functions": functions }).to_string());
    command
}
