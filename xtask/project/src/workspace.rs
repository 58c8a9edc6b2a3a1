//! The checkout: its folders and its functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::function_token::ROLES;

/// The environment of a function: names and values.
pub type Variables = BTreeMap<String, String>;

pub const SECRET_KEY: &str = "SUPABASE_SECRET_KEY";
pub const FUNCTION_TOKEN: &str = "SUPABASE_FUNCTION_TOKEN";

/// The variable that holds the token of a role in a project's environment.
pub fn token_name(role: &str) -> String {
    format!("{}_TOKEN", role.to_ascii_uppercase())
}

/// The worker in front of the others, which exists only on Cloudflare.
pub const GATEWAY: &str = "gateway";

pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// The functions, sorted by name.
    pub functions: Vec<Function>,
    /// The gateway's wrangler.toml.
    pub wrangler: Wrangler,
    /// The running program. Cargo may replace its file later, and then the system no longer knows the path.
    pub program: PathBuf,
}

/// A crate below functions/.
pub struct Function {
    pub name: String,
    pub dir: PathBuf,
    /// The needs that the crate's Cargo.toml states.
    pub needs: Needs,
}

/// `[package.metadata.sound-whiskers]`: what a function needs where it is built and runs.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The largest allowed size of its wasm in KB, compressed as a platform stores it: its size and one percent.
    pub gzip_budget_kb: usize,
    /// Its role in the database. With the role "none" it has only the rights of its callers.
    #[serde(deserialize_with = "role")]
    pub role: Option<String>,
    /// The variables that must be set.
    pub secrets: Vec<String>,
    /// The variables that it reads if they are set.
    pub optional: Vec<String>,
    /// Cloudflare's compatibility flags.
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
}

impl Function {
    /// The name of its worker on Cloudflare.
    pub fn worker(&self) -> String {
        format!("sound-whiskers-{}", self.name)
    }

    /// The name under which the gateway binds its worker: `AI_PLAYLIST`.
    pub fn binding(&self) -> String {
        self.name.replace('-', "_").to_ascii_uppercase()
    }

    /// All variables that it reads, except for the credential of its role.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.needs
            .secrets
            .iter()
            .chain(&self.needs.optional)
            .map(String::as_str)
    }

    /// Selects its part of the given variables: its own, and the token of its role or else the secret key.
    pub fn values(&self, given: &Variables) -> Variables {
        let value = |name: &str| given.get(name).cloned();
        let mut values: Variables = self
            .variables()
            .filter_map(|name| Some((name.to_owned(), value(name)?)))
            .collect();
        if let Some(role) = &self.needs.role {
            let token = value(&token_name(role)).map(|token| (FUNCTION_TOKEN.to_owned(), token));
            values.extend(token.or_else(|| Some((SECRET_KEY.to_owned(), value(SECRET_KEY)?))));
        }
        values
    }
}

/// The settings of the gateway's wrangler.toml that apply to every runtime.
#[derive(Debug, Deserialize)]
pub struct Wrangler {
    /// The compatibility date of every worker.
    pub compatibility_date: String,
    pub assets: Assets,
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
        Self::at(root.context("xtask/project is not in a checkout")?)
    }

    /// Reads the checkout in a folder.
    ///
    /// # Errors
    /// If a function's Cargo.toml does not state its needs, or a file cannot be read.
    pub fn at(root: &Path) -> Result<Self> {
        let (functions, wrangler) = (read_functions(root)?, read(&root.join("wrangler.toml"))?);
        Ok(Self {
            root: root.to_owned(),
            target: target_folder(root)?,
            functions,
            wrangler,
            program: std::env::current_exe()?,
        })
    }

    /// The worker in front of the others.
    pub fn gateway(&self) -> Option<&Function> {
        self.functions
            .iter()
            .find(|function| function.name == GATEWAY)
    }

    /// All functions but the gateway, which other platforms than Cloudflare replace.
    pub fn edge_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions
            .iter()
            .filter(|function| function.name != GATEWAY)
    }

    /// The environment of all functions of a Supabase project. The prefix `SUPABASE_` is reserved: the platform sets such
    /// variables, and others are set without the prefix.
    pub fn values_of_project(&self, given: &Variables) -> Variables {
        let mut all = Variables::new();
        for function in self.edge_functions() {
            for (name, value) in function.values(given) {
                let name = match (name.as_str(), &function.needs.role) {
                    ("SUPABASE_URL" | "SUPABASE_PUBLISHABLE_KEY" | SECRET_KEY, _) => continue,
                    (FUNCTION_TOKEN, Some(role)) => token_name(role),
                    (name, _) => name.strip_prefix("SUPABASE_").unwrap_or(name).to_owned(),
                };
                all.insert(name, value);
            }
        }
        all
    }

    /// The folder of a function's entry for Supabase's Edge Runtime.
    pub fn deno_entry(&self, function: &Function) -> PathBuf {
        self.root.join("supabase/functions").join(&function.name)
    }

    /// The folder of the built page.
    pub fn page(&self) -> PathBuf {
        self.root.join("web/dist")
    }

    /// An executable of a pinned npm package.
    pub fn npm_bin(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }

    /// Cargo in a folder of the workspace, without the variables of the cargo that runs this program.
    pub fn cargo(&self, dir: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(dir);
        let is_of_xtask =
            |name: &String| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for name in std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(is_of_xtask)
        {
            command.env_remove(name);
        }
        // The stage `end-to-end` sets this variable, with which cargo would recompile everything.
        command.env_remove("RUSTC_BOOTSTRAP");
        command
    }

    /// A PATH that begins with the pinned Node and npm tools, for programs that search them by name.
    pub fn path_with(&self, first: &[PathBuf]) -> Result<std::ffi::OsString> {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let ours = first
            .iter()
            .cloned()
            .chain([self.root.join("node_modules/.bin")]);
        Ok(std::env::join_paths(
            ours.chain(std::env::split_paths(&inherited)),
        )?)
    }
}

fn read_functions(root: &Path) -> Result<Vec<Function>> {
    let folder = root.join("functions");
    let mut functions = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let dir = entry?.path();
        let Some(name) = dir
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned)
        else {
            continue;
        };
        let manifest = dir.join("Cargo.toml");
        if manifest.exists() {
            let needs = read::<Manifest>(&manifest)?.package.metadata.needs;
            functions.push(Function { name, dir, needs });
        }
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(functions)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    match name.as_str() {
        "none" => Ok(None),
        known if ROLES.contains(&known) => Ok(Some(name)),
        _ => Err(D::Error::custom(format!("there is no role {name}"))),
    }
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "sound-whiskers")]
    needs: Needs,
}

fn target_folder(root: &Path) -> Result<PathBuf> {
    let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") else {
        return Ok(root.join("target"));
    };
    Ok(std::path::absolute(folder)?)
}
