//! The checkout: where things are, and which functions it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Names and values, as a function finds them in its environment.
pub type Variables = BTreeMap<String, String>;

pub const SECRET_KEY: &str = "SUPABASE_SECRET_KEY";
pub const FUNCTION_TOKEN: &str = "SUPABASE_FUNCTION_TOKEN";

/// Under which name the token of a role is given, and where a project's functions find it.
pub fn token_name(role: &str) -> String {
    format!("{}_TOKEN", role.to_ascii_uppercase())
}

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

    /// What it is handed of what is given: its variables, and the token of its role or else the secret key.
    pub fn values(&self, given: &Variables) -> Variables {
        let value = |name: &str| given.get(name).cloned();
        let mut values: Variables =
            self.variables().filter_map(|name| Some((name.to_owned(), value(name)?))).collect();
        if let Some(role) = &self.role {
            let token = value(&token_name(role)).map(|token| (FUNCTION_TOKEN.to_owned(), token));
            values.extend(token.or_else(|| Some((SECRET_KEY.to_owned(), value(SECRET_KEY)?))));
        }
        values
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
    pub not_found_handling: Option<String>,
}

impl Workspace {
    pub fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let root = root.context("tools/project is in no checkout")?.to_owned();
        let functions = read_functions(&root)?;
        let target = target_folder(&root)?;
        Ok(Self { root, target, functions })
    }

    /// All but the gateway, whose place is taken by the platform where functions are not Cloudflare's.
    pub fn edge_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(|function| function.name != GATEWAY)
    }

    /// What all functions of a Supabase project are handed. What begins with `SUPABASE_` the platform injects, or it is
    /// set without that prefix, which is reserved.
    pub fn values_of_project(&self, given: &Variables) -> Variables {
        let mut all = Variables::new();
        for function in self.edge_functions() {
            for (name, value) in function.values(given) {
                let name = match (name.as_str(), &function.role) {
                    ("SUPABASE_URL" | "SUPABASE_PUBLISHABLE_KEY" | SECRET_KEY, _) => continue,
                    (FUNCTION_TOKEN, Some(role)) => token_name(role),
                    (name, _) => name.strip_prefix("SUPABASE_").unwrap_or(name).to_owned(),
                };
                all.insert(name, value);
            }
        }
        all
    }

    /// Where a function's entry for Supabase's Edge Runtime is.
    pub fn deno_entry(&self, function: &Function) -> PathBuf {
        self.root.join("supabase/functions").join(&function.name)
    }

    /// Where the page is built.
    pub fn page(&self) -> PathBuf {
        self.root.join("web/dist")
    }

    /// An executable of a pinned npm package.
    pub fn npm_bin(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }

    /// Cargo, in a folder of the workspace, without what the running cargo told this program.
    pub fn cargo(&self, dir: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(dir);
        let is_of_xtask =
            |name: &String| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(is_of_xtask) {
            command.env_remove(name);
        }
        // Tests have it (see the stage `end-to-end`); with it, cargo would compile everything anew.
        command.env_remove("RUSTC_BOOTSTRAP");
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
        let manifest = dir.join("Cargo.toml");
        if manifest.exists() {
            let Metadata { role, optional } = read::<Manifest>(&manifest)?.package.metadata.sound_whiskers;
            let wrangler = read(&if name == GATEWAY { root } else { &dir }.join("wrangler.toml"))?;
            functions.push(Function { name, dir, wrangler, role: role.filter(|it| it != "none"), optional });
        }
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(functions)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    metadata: PackageMetadata,
}

#[derive(Default, Deserialize)]
struct PackageMetadata {
    #[serde(default, rename = "sound-whiskers")]
    sound_whiskers: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    role: Option<String>,
    #[serde(default)]
    optional: Vec<String>,
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
