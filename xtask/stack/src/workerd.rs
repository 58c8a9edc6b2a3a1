//! The functions in workerd, Cloudflare's runtime, wired as the wrangler.toml files wire them on Cloudflare.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::json;

use crate::{Profile, Runtime};
use project::files;
use project::workspace::{Function, GATEWAY, Variables, Workspace};

/// Values are passed in the process' environment, so that no file contains a secret.
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
    let text = generate(workspace, built, port, given);
    files::write_private(&config, &text)?;
    let mut command = Command::new(workspace.npm_bin("workerd"));
    // The assets service is workerd's copy of Cloudflare's, which is still experimental.
    command
        .args(["serve", "--experimental", "--import-path=/"])
        .arg(&config);
    command.env("PATH", workspace.path_with(&[])?);
    for function in &workspace.functions {
        for (name, value) in function.values(given) {
            command.env(environment_name(function, &name), value);
        }
    }
    Ok(command)
}

/// The names are separate for each function, because values differ.
fn environment_name(function: &Function, variable: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}_{variable}", function.binding())
}

/// workerd's configuration: a worker per function, the network, and the gateway with its assets on the port.
fn generate(
    workspace: &Workspace,
    built: impl Fn(&Function) -> PathBuf,
    port: u16,
    given: &Variables,
) -> String {
    let assets = &workspace.wrangler.assets;
    let options = json!({ "run_worker_first": assets.run_worker_first, "not_found_handling": assets.not_found_handling });
    let options = options.to_string();
    let (path, options) = (
        quoted(&workspace.root.join(&assets.directory).to_string_lossy()),
        quoted(&options),
    );
    let user_worker = workspace
        .gateway()
        .map(|gateway| quoted(&gateway.worker()))
        .unwrap_or_default();
    let workers: String = workspace
        .functions
        .iter()
        .map(|function| worker(workspace, function, &built(function), given))
        .collect();
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
{workers}    (name = "assets", assets = (path = {path}, config = {options}, userWorker = {user_worker})),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "assets")],
);
"#
    )
}

fn worker(workspace: &Workspace, function: &Function, built: &Path, given: &Variables) -> String {
    let module = |file: &str| quoted(&built.join(file).to_string_lossy());
    let flags: Vec<_> = function
        .needs
        .compatibility_flags
        .iter()
        .map(|flag| quoted(flag))
        .collect();
    let mut bindings = Vec::new();
    if function.name == GATEWAY {
        let services = workspace.edge_functions();
        bindings.extend(
            services.map(|it| (it.binding(), format!("service = {}", quoted(&it.worker())))),
        );
        let assets = r#"service = (name = "assets", entrypoint = "AssetWorker")"#;
        bindings.push((workspace.wrangler.assets.binding.clone(), assets.to_owned()));
    }
    for name in function.values(given).into_keys() {
        let source = format!(
            "fromEnvironment = {}",
            quoted(&environment_name(function, &name))
        );
        bindings.push((name, source));
    }
    let line =
        |(name, value): &(String, String)| format!("        (name = {}, {value}),\n", quoted(name));
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
        quoted(&function.worker()),
        module("index.js"),
        module("index_bg.wasm"),
        quoted(&workspace.wrangler.compatibility_date),
        flags.join(", "),
        bindings.iter().map(line).collect::<String>(),
    )
}

/// A Cap'n Proto text literal; JSON's escapes are the same for all texts that occur.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

#[cfg(test)]
mod tests {
    use project::workspace::Needs;

    use super::*;

    fn function(name: &str, needs: Needs) -> Function {
        Function {
            name: name.into(),
            dir: Path::new("/repo/functions").join(name),
            needs,
        }
    }

    fn generated() -> String {
        let playlist = Needs {
            role: Some("fn_ai".into()),
            secrets: vec!["LLM_API_KEY".into()],
            compatibility_flags: vec!["enable_request_signal".into()],
            ..Needs::default()
        };
        let gateway = Needs {
            optional: vec!["SUPABASE_URL".into()],
            ..Needs::default()
        };
        let wrangler = "compatibility_date = \"2026-11-01\"\n[assets]\ndirectory = \"web/dist\"\nbinding = \"ASSETS\"\n";
        let workspace = Workspace {
            root: "/repo".into(),
            target: "/repo/target".into(),
            functions: vec![
                function("ai-playlist", playlist),
                function(GATEWAY, gateway),
            ],
            wrangler: toml::from_str(wrangler).unwrap(),
            program: "/repo/target/debug/xtask".into(),
        };
        let given = [
            ("LLM_API_KEY", "hunter2"),
            ("SUPABASE_URL", "http://x"),
            ("FN_AI_TOKEN", "t0ken"),
        ];
        let given = Variables::from(given.map(|(name, value)| (name.into(), value.into())));
        generate(
            &workspace,
            |function| Path::new("/built").join(&function.name),
            8787,
            &given,
        )
    }

    #[test]
    fn a_function_has_its_modules_and_flags_and_the_gateway_reaches_it() {
        let text = generated();
        for part in [
            "embed \"/built/ai-playlist/index_bg.wasm\"",
            "compatibilityDate = \"2026-11-01\"",
            "compatibilityFlags = [\"enable_request_signal\"]",
            "(name = \"AI_PLAYLIST\", service = \"sound-whiskers-ai-playlist\")",
            "(name = \"ASSETS\", service = (name = \"assets\", entrypoint = \"AssetWorker\"))",
            "userWorker = \"sound-whiskers-gateway\"",
            "address = \"127.0.0.1:8787\"",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }

    #[test]
    fn each_worker_takes_its_own_variables_from_the_environment_and_none_is_written_down() {
        let text = generated();
        assert!(!text.contains("hunter2") && !text.contains("t0ken"));
        let bound: Vec<_> = text
            .lines()
            .filter(|line| line.contains("fromEnvironment"))
            .collect();
        let names = bound
            .iter()
            .map(|line| line.split('"').collect::<Vec<_>>()[3])
            .collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                "FUNCTION_VARIABLE_AI_PLAYLIST_LLM_API_KEY",
                "FUNCTION_VARIABLE_AI_PLAYLIST_SUPABASE_FUNCTION_TOKEN",
                "FUNCTION_VARIABLE_GATEWAY_SUPABASE_URL",
            ]
        );
    }
}
