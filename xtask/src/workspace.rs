//! The checkout: where things are, and which functions it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The worker in front of the others; it is Cloudflare's alone.
pub const GATEWAY: &str = "gateway";

pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// In the order of their names.
    pub functions: Vec<Function>,
}

/// A crate below functions/.
pub struct Function {
    pub name: String,
    pub dir: PathBuf,
    pub wrangler: Wrangler,
    /// Which role it is in the database; none for one that needs no more there than its callers may.
    pub role: Option<String>,
    /// What it reads of its environment if it is there, as the crate's Cargo.toml says.
    pub optional: Vec<String>,
}

impl Function {
    /// All that it reads of its environment, but for the credential of its role.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.wrangler.secrets.required.iter().chain(&self.optional).map(String::as_str)
    }
}

/// What a wrangler.toml says that matters to any runtime.
#[derive(Debug, Deserialize)]
pub struct Wrangler {
    pub name: String,
    pub compatibility_date: String,
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    #[serde(default)]
    pub services: Vec<ServiceBinding>,
    pub assets: Option<Assets>,
    #[serde(default)]
    pub secrets: Secrets,
}

/// What has to be set; nothing of it stands in a file.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Secrets {
    pub required: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct ServiceBinding {
    pub binding: String,
    pub service: String,
}

#[derive(Debug, Deserialize)]
pub struct Assets {
    pub directory: PathBuf,
    pub binding: String,
    #[serde(default)]
    pub run_worker_first: Vec<String>,
}

impl Workspace {
    pub fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.context("xtask has no parent folder")?.to_owned();
        let functions = read_functions(&root)?;
        let target = target_folder(&root)?;
        Ok(Self { root, target, functions })
    }

    /// Where a function's entry for Supabase's Edge Runtime is.
    pub fn deno_entry(&self, function: &Function) -> PathBuf {
        self.root.join("supabase/functions").join(&function.name)
    }

    /// An executable of a pinned npm package.
    pub fn npm_bin(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }

    /// Cargo, in a folder of the workspace, free of what the running cargo says of xtask.
    pub fn cargo(&self, dir: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(dir);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// The pinned Node and the other npm tools before everything else, for what looks for them by name.
    pub fn path_with(&self, first: &[PathBuf]) -> Result<std::ffi::OsString> {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let ours = first.iter().cloned().chain([self.root.join("node_modules/.bin")]);
        Ok(std::env::join_paths(ours.chain(std::env::split_paths(&inherited)))?)
    }
}

fn read_functions(root: &Path) -> Result<Vec<Function>> {
    let folder = root.join("functions");
    let mut functions = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let dir = entry?.path();
        let Some(name) = dir.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if !dir.join("Cargo.toml").exists() {
            continue;
        }
        let config = if name == GATEWAY { root } else { &dir }.join("wrangler.toml");
        let wrangler = read_wrangler(&config)?;
        let manifest = read_manifest(&dir.join("Cargo.toml"))?;
        let role = metadata(&manifest, &["sound-whiskers", "role"]).and_then(toml::Value::as_str);
        let role = role.filter(|role| *role != "none").map(str::to_owned);
        let optional = metadata(&manifest, &["sound-whiskers", "optional"]).cloned();
        let optional = optional.map_or(Ok(Vec::new()), toml::Value::try_into);
        let optional = optional.with_context(|| format!("functions/{name}: optional"))?;
        functions.push(Function { name, dir, wrangler, role, optional });
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    if functions.is_empty() {
        bail!("there is no function in {}", folder.display());
    }
    Ok(functions)
}

fn read_wrangler(path: &Path) -> Result<Wrangler> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

fn read_manifest(path: &Path) -> Result<toml::Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

/// What a manifest says below `[package.metadata]`.
fn metadata<'a>(manifest: &'a toml::Value, keys: &[&str]) -> Option<&'a toml::Value> {
    ["package", "metadata"].iter().chain(keys).try_fold(manifest, |table, key| table.get(key))
}

fn target_folder(root: &Path) -> Result<PathBuf> {
    let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") else { return Ok(root.join("target")) };
    Ok(std::path::absolute(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrangler_files_of_this_checkout_are_understood() {
        let workspace = Workspace::open().unwrap();
        let gateway = workspace.functions.iter().find(|function| function.name == GATEWAY).unwrap();
        assert!(gateway.wrangler.assets.is_some());
    }
}
