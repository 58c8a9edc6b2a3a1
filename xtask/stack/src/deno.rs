//! The functions in Deno, through their entries for Supabase's Edge Runtime, without a gateway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::json;

use crate::settings::PUBLISHABLE_KEY;
use crate::{Profile, Runtime};
use project::files;
use project::workspace::{Function, SECRET_KEY, Variables, Workspace};

/// Writes an import map with which the entries find artefacts in another folder.
pub fn write_import_map(
    workspace: &Workspace,
    path: &Path,
    built: impl Fn(&Function) -> PathBuf,
) -> Result<()> {
    let url = |folder: &Path| format!("file://{}/", folder.display());
    let imports: BTreeMap<_, _> = workspace
        .edge_functions()
        .map(|function| {
            (
                url(&workspace.deno_entry(function).join("build")),
                url(&built(function)),
            )
        })
        .collect();
    files::write_private(path, &json!({ "imports": imports }).to_string())
}

/// `data` receives an import map.
pub fn command(
    workspace: &Workspace,
    profile: Profile,
    data: &Path,
    port: u16,
    given: &Variables,
) -> Result<Command> {
    let web = workspace.page();
    let entry = |function| workspace.deno_entry(function).join("index.ts");
    let functions: Vec<_> = workspace
        .edge_functions()
        .map(|function| json!({ "name": function.name, "entry": entry(function) }))
        .collect();
    let import_map = data.join("import-map.json");
    write_import_map(workspace, &import_map, |function| {
        profile.folder(workspace, function, Runtime::Deno)
    })?;
    // The gateway's variables on Cloudflare.
    let public = workspace
        .gateway()
        .map(|gateway| gateway.values(given))
        .unwrap_or_default();
    let mut command = Command::new(workspace.npm_bin("deno"));
    command.args(["run", "--no-config", "--no-lock", "--no-remote", "--no-npm"]);
    command
        .args(["--allow-net", "--allow-env"])
        .arg("--import-map")
        .arg(&import_map);
    let readable = [
        &web,
        &workspace.root.join("supabase/functions"),
        &workspace.target.join("functions"),
    ];
    command.arg(format!(
        "--allow-read={}",
        readable
            .map(|folder| folder.display().to_string())
            .join(",")
    ));
    command.arg(workspace.root.join("xtask/stack/assets/deno-serve.ts"));
    command
        .envs(workspace.values_of_project(given))
        .envs(injected(workspace, given));
    let settings = json!({ "port": port, "web": web, "page": public, "functions": functions });
    command.env("DENO_SERVE", settings.to_string());
    Ok(command)
}

/// The variables that Supabase's Edge Runtime sets. It also sets the secret key, but with tokens no function may fall back on
/// it.
fn injected(workspace: &Workspace, given: &Variables) -> Variables {
    let needs_key = |function: &Function| function.values(given).contains_key(SECRET_KEY);
    let key = |name: &str| json!({ "default": given.get(name) }).to_string();
    let mut injected = Variables::from([
        (
            "SUPABASE_URL".to_owned(),
            given.get("SUPABASE_URL").cloned().unwrap_or_default(),
        ),
        ("SUPABASE_PUBLISHABLE_KEYS".to_owned(), key(PUBLISHABLE_KEY)),
    ]);
    if workspace.edge_functions().any(needs_key) {
        injected.insert("SUPABASE_SECRET_KEYS".to_owned(), key(SECRET_KEY));
    }
    injected
}
