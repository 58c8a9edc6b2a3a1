//! Tools that a machine with Rust and Node lacks, installed once.

mod debian;
mod npm;
mod postgres;
mod python;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::files;
use crate::process::{self, output_of};
use crate::progress::say;

pub use npm::ensure as for_node;
pub use postgres::{
    DEBIAN_PACKAGES as DEBIAN_POSTGRES, PostgresPackage, for_debian_postgres, for_postgres,
};
pub use python::{NEEDED as NEEDED_PYTHON, for_python};

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

const WASM_PACK: &str = "wasm-pack@0.15.1";

/// Adds the target of the functions to the Rust toolchain.
pub fn ensure_wasm_target() -> Result<()> {
    let library = output_of(Command::new("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        WASM_TARGET,
    ]));
    if library.is_some_and(|folder| Path::new(&folder).exists()) {
        return Ok(());
    }
    if output_of(Command::new("rustup").arg("--version")).is_none() {
        bail!(
            "Rust's target {WASM_TARGET} is missing, and rustup, which would add it: https://rustup.rs"
        );
    }
    let mut command = Command::new("rustup");
    command.args(["target", "add", WASM_TARGET]);
    process::run_logged(
        &format!("adding Rust's target {WASM_TARGET}"),
        &mut command,
        &log("rustup")?,
    )
}

/// wasm-pack, if it is installed.
pub fn wasm_pack() -> Option<PathBuf> {
    let ours = tools_folder().ok()?.join(WASM_PACK).join("bin/wasm-pack");
    let is_on_path = || output_of(Command::new("wasm-pack").arg("--version")).is_some();
    if ours.exists() {
        Some(ours)
    } else {
        is_on_path().then(|| "wasm-pack".into())
    }
}

pub fn install_wasm_pack() -> Result<()> {
    if wasm_pack().is_some() {
        return Ok(());
    }
    install(WASM_PACK, |folder| {
        let mut command = Command::new("cargo");
        // An unoptimised build compiles faster, and runs fast enough.
        command
            .args(["install", "--locked", "--debug", "--no-track", "--root"])
            .arg(folder)
            .arg(WASM_PACK);
        process::run_logged(
            &format!("installing {WASM_PACK} (once)"),
            &mut command,
            &log("wasm-pack")?,
        )
    })
    .map(drop)
}

/// Installs a tool into its own folder, unless it is installed; other checkouts wait meanwhile.
fn install(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let tools = tools_folder()?;
    let folder = tools.join(name);
    let lock = File::create(tools.join(".lock")).context("the lock of the tools")?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        say("waiting for another checkout that is installing tools …");
        lock.lock()?;
    }
    files::make_once(&folder, name, || make(&folder))?;
    Ok(folder)
}

/// One folder per tool and version, shared by all clones.
///
/// Root's is outside of its home, because PostgreSQL's unprivileged user must be able to read it.
fn tools_folder() -> Result<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache = match (
        nix::unistd::geteuid().is_root(),
        absolute("XDG_CACHE_HOME"),
        absolute("HOME"),
    ) {
        (true, ..) => PathBuf::from("/var/cache"),
        (false, Some(cache), _) => cache,
        (false, None, home) => home
            .context("HOME is not set: there is no place for the tools")?
            .join(".cache"),
    };
    let folder = cache.join("sound-whiskers/installed");
    files::create_folder(&folder)?;
    Ok(folder)
}

fn log(name: &str) -> Result<PathBuf> {
    Ok(tools_folder()?.join(format!("{name}.log")))
}
