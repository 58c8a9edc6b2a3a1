//! The functions in Deno, the runtime of Supabase's Edge Functions, without a gateway.

use std::process::Command;

use serde_json::json;

use super::settings::FunctionVariables;
use crate::workspace::{GATEWAY, Workspace};

pub fn command(workspace: &Workspace, port: u16, variables: &FunctionVariables) -> Command {
    let web = workspace.root.join("web");
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
    let mut command = Command::new(workspace.npm_bin("deno"));
    command.args(["run", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--allow-net"]);
    command.arg("--allow-env=DENO_SERVE");
    command.arg(format!("--allow-read={},{}", web.display(), modules.display()));
    command.arg(workspace.root.join("xtask/assets/deno-serve.ts"));
    command.env("DENO_SERVE", json!({ "port": port, "web": web, "functions": functions }).to_string());
    command
}
