//! The functions in workerd, Cloudflare's runtime, wired as their wrangler.toml files say.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{Profile, Runtime};
use project::files;
use project::workspace::{Function, GATEWAY, ServiceBinding, Variables, Workspace};

/// Where a variable's value travels: in the process' environment, so that no file holds a secret.
const ENVIRONMENT_PREFIX: &str = "FUNCTION_VARIABLE_";

/// `data` receives workerd's configuration.
pub fn command(
    workspace: &Workspace,
    profile: Profile,
    data: &Path,
    port: u16,
    given: &Variables,
) -> Result<Command> {
    let config = data.join("workerd.capnp");
    let built = |function: &Function| profile.folder(workspace, function, Runtime::Workerd);
    let text = generate(&workspace.functions, &workspace.root, built, port, given)?;
    files::write_private(&config, &text)?;
    let mut command = Command::new(workspace.npm_bin("workerd"));
    // The assets service is workerd's own copy of what Cloudflare serves assets with, still called experimental.
    command.args(["serve", "--experimental", "--import-path=/"]).arg(&config);
    command.env("PATH", workspace.path_with(&[])?);
    for function in &workspace.functions {
        for (name, value) in function.values(given) {
            command.env(environment_name(function, &name), value);
        }
    }
    Ok(command)
}

/// Each function has its own, for what they are given differs.
fn environment_name(function: &Function, variable: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}_{variable}", function.name.replace('-', "_").to_ascii_uppercase())
}

/// workerd's configuration: a worker per function, the network, and the gateway with its assets on the port.
fn generate(
    functions: &[Function],
    root: &Path,
    built: impl Fn(&Function) -> PathBuf,
    port: u16,
    given: &Variables,
) -> Result<String> {
    let gateway =
        functions.iter().find(|function| function.name == GATEWAY).context("there is no gateway")?;
    let assets = gateway.wrangler.assets.as_ref().context("wrangler.toml has no [assets]")?;
    let options = json!({ "run_worker_first": assets.run_worker_first, "not_found_handling": assets.not_found_handling });
    let options = options.to_string();
    let (path, options) = (quoted(&root.join(&assets.directory).to_string_lossy()), quoted(&options));
    let user_worker = quoted(&gateway.wrangler.name);
    let workers: String =
        functions.iter().map(|function| worker(function, &built(function), given)).collect();
    Ok(format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
{workers}    (name = "assets", assets = (path = {path}, config = {options}, userWorker = {user_worker})),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "assets")],
);
"#
    ))
}

fn worker(function: &Function, built: &Path, given: &Variables) -> String {
    let wrangler = &function.wrangler;
    let module = |file: &str| quoted(&built.join(file).to_string_lossy());
    let flags: Vec<_> = wrangler.compatibility_flags.iter().map(|flag| quoted(flag)).collect();
    let mut bindings = Vec::new();
    for ServiceBinding { binding, service } in &wrangler.services {
        bindings.push((binding, format!("service = {}", quoted(service))));
    }
    if let Some(assets) = &wrangler.assets {
        let service = r#"service = (name = "assets", entrypoint = "AssetWorker")"#;
        bindings.push((&assets.binding, service.to_owned()));
    }
    let variables = function.values(given);
    for (name, value) in wrangler.vars.iter().filter(|(name, _)| !variables.contains_key(*name)) {
        bindings.push((name, format!("text = {}", quoted(value))));
    }
    for name in variables.keys() {
        bindings.push((name, format!("fromEnvironment = {}", quoted(&environment_name(function, name)))));
    }
    let line = |(name, value): &(&String, String)| format!("        (name = {}, {value}),\n", quoted(name));
    format!(
        r#"    (name = {}, worker = (
      modules = [
        (name = "index.js", esModule = embed {}),
        (name = "index_bg.wasm", wasm = embed {}),
      ],
      compatibilityDate = {},
      compatibilityFlags = [{}],
      bindings = [
{}      ],
    )),
"#,
        quoted(&wrangler.name),
        module("index.js"),
        module("index_bg.wasm"),
        quoted(&wrangler.compatibility_date),
        flags.join(", "),
        bindings.iter().map(line).collect::<String>(),
    )
}

/// A Cap'n Proto text literal; JSON's has the same escapes for all that may occur.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, wrangler: &str) -> Function {
        let wrangler = format!("name = \"sw-{name}\"\ncompatibility_date = \"2026-11-01\"\n{wrangler}");
        let dir = Path::new("/repo/functions").join(name);
        Function {
            name: name.into(),
            dir,
            wrangler: toml::from_str(&wrangler).unwrap(),
            role: Some("fn_ai".into()),
            optional: vec!["LLM_API_KEY".into()],
        }
    }

    fn gateway(services: &str) -> Function {
        let assets = "[assets]\ndirectory = \"web/dist\"\nbinding = \"ASSETS\"\nrun_worker_first = [\"/functions/*\"]\n";
        Function {
            role: None,
            optional: vec!["SUPABASE_URL".into()],
            ..function(GATEWAY, &format!("services = [{services}]\n{assets}"))
        }
    }

    const BOUND: &str = "{ binding = \"AI_PLAYLIST\", service = \"sw-ai-playlist\" }";

    fn generated(functions: &[Function]) -> Result<String> {
        let given = [("LLM_API_KEY", "hunter2"), ("SUPABASE_URL", "http://x"), ("FN_AI_TOKEN", "t0ken")];
        let given = Variables::from(given.map(|(name, value)| (name.into(), value.into())));
        let built = |function: &Function| Path::new("/built").join(&function.name);
        generate(functions, Path::new("/repo"), built, 8787, &given)
    }

    #[test]
    fn a_function_has_its_modules_flags_and_variables() {
        let playlist = function(
            "ai-playlist",
            "compatibility_flags = [\"enable_request_signal\"]\n[vars]\nA = \"\\\"1\\\"\"\n",
        );
        let text = generated(&[playlist, gateway(BOUND)]).unwrap();
        assert!(text.contains("embed \"/built/ai-playlist/index_bg.wasm\""));
        assert!(text.contains("compatibilityFlags = [\"enable_request_signal\"]"));
        assert!(text.contains("(name = \"A\", text = \"\\\"1\\\"\")"));
        assert!(text.contains("(name = \"AI_PLAYLIST\", service = \"sw-ai-playlist\")"));
        assert!(text.contains("address = \"127.0.0.1:8787\""));
    }

    #[test]
    fn no_secret_is_written_to_a_file() {
        let text = generated(&[function("ai-playlist", ""), gateway(BOUND)]).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("t0ken"));
        for name in ["LLM_API_KEY", "SUPABASE_FUNCTION_TOKEN"] {
            let source = format!("fromEnvironment = \"FUNCTION_VARIABLE_AI_PLAYLIST_{name}\")");
            assert!(text.contains(&format!("(name = \"{name}\", {source}")), "{text}");
        }
    }

    #[test]
    fn the_gateway_has_no_credentials() {
        let text = generated(&[gateway("")]).unwrap();
        assert!(!text.contains("LLM_API_KEY") && !text.contains("TOKEN"));
        assert!(text.contains("(name = \"SUPABASE_URL\", fromEnvironment"));
        assert!(
            text.contains("(name = \"ASSETS\", service = (name = \"assets\", entrypoint = \"AssetWorker\"))")
        );
    }
}
