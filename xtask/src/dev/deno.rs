//! The functions in Deno, the runtime of Supabase's Edge Functions, without a gateway.

use std::process::Command;

use serde_json::json;

use super::settings::FunctionVariables;
use crate::page;
use crate::workspace::{GATEWAY, Workspace};

pub fn command(workspace: &Workspace, port: u16, variables: &FunctionVariables) -> Command {
    let web = page::folder(workspace);
    let modules = workspace.target.join("deno");
    let functions: Vec<_> = workspace
        .functions
        .iter()
        .filter(|function| function.name != GATEWAY)
        .map(|function| {
            let mut env = function.wrangler.vars.clone();
            env.extend(variables.of(function));
            json!({ "name": function.name, "directory": workspace.deno_dir(function), "env": env })
        })
        .collect();
    // What on Cloudflare the gateway is told.
    let gateway = workspace.functions.iter().find(|function| function.name == GATEWAY);
    let public = gateway.map(|gateway| variables.of(gateway)).unwrap_or_default();
    let mut command = Command::new(workspace.npm_bin("deno"));
    command.args(["run", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--allow-net"]);
    command.arg("--allow-env=DENO_SERVE");
    command.arg(format!("--allow-read={},{}", web.display(), modules.display()));
    command.arg(workspace.root.join("xtask/assets/deno-serve.ts"));
    let settings = json!({ "port": port, "web": web, "page": public, "functions": functions });
    command.env("DENO_SERVE", settings.to_string());
    command
}
