//! PostgreSQL, where an unprivileged user can read it: npm's, or Debian's with pg_cron and plpgsql_check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{debian, install, npm};
use crate::files;
use crate::process;
use crate::workspace::Workspace;

/// The packages of Debian 12.
pub const DEBIAN_PACKAGES: [&str; 4] = [
    "postgresql-15",
    "postgresql-15-cron",
    "postgresql-15-plpgsql-check",
    "postgresql-15-pgtap",
];
const DEBIAN_EXTENSIONS: [&str; 3] = ["pg_cron", "plpgsql_check", "pgtap"];

pub struct PostgresPackage {
    pub folder: PathBuf,
    /// The major version, such as `17`, as in a data folder's PG_VERSION.
    pub major: String,
    /// The settings that its extensions need, as `name=value`.
    pub settings: &'static [&'static str],
}

impl PostgresPackage {
    pub fn executable(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

/// npm's PostgreSQL, with pgTAP added.
pub fn for_postgres(workspace: &Workspace) -> Result<PostgresPackage> {
    npm::ensure(workspace)?;
    let version = npm::version_of(workspace, "embedded-postgres")?;
    let pgtap = npm::version_of(workspace, "@electric-sql/pglite")?;
    let major = version.split('.').next().unwrap_or_default().to_owned();
    let folder = install(&format!("postgres-{version}-pglite-{pgtap}"), |folder| {
        process::run(
            Command::new("cp")
                .arg("-R")
                .arg(native_folder(workspace)?.join("."))
                .arg(folder),
        )?;
        let archive = workspace
            .root
            .join("node_modules/@electric-sql/pglite/dist/pgtap.tar.gz");
        let mut tar = Command::new("tar");
        tar.arg("-xzf")
            .arg(archive)
            .arg("-C")
            .arg(folder)
            .arg("share/postgresql/extension");
        process::run(tar.arg("--no-same-owner")).context("unpacking pgTAP")?;
        process::run(Command::new("chmod").args(["-R", "a+rX"]).arg(folder))
    })?;
    Ok(PostgresPackage {
        folder,
        major,
        settings: &[],
    })
}

/// The package that npm chose for this platform.
fn native_folder(workspace: &Workspace) -> Result<PathBuf> {
    let packages = workspace.root.join("node_modules/@embedded-postgres");
    for entry in fs::read_dir(&packages).with_context(|| packages.display().to_string())? {
        let native = entry?.path().join("native");
        if native.join("bin/postgres").exists() {
            return Ok(native);
        }
    }
    bail!("npm's embedded-postgres has no PostgreSQL for this platform")
}

/// Debian's PostgreSQL, if [`DEBIAN_PACKAGES`] are installed or can be.
pub fn for_debian_postgres(workspace: &Workspace) -> Result<Option<PostgresPackage>> {
    npm::ensure(workspace)?;
    let folder = PathBuf::from("/usr/lib/postgresql/15");
    let is_installed = || {
        let extensions = Path::new("/usr/share/postgresql/15/extension");
        folder.join("bin/postgres").exists()
            && DEBIAN_EXTENSIONS
                .iter()
                .all(|name| extensions.join(format!("{name}.control")).exists())
    };
    if !is_installed() {
        install_debian(workspace)?;
    }
    if !is_installed() {
        return Ok(None);
    }
    // Background workers, because pg_cron's own connections would need the password.
    let settings = &[
        "shared_preload_libraries=pg_cron",
        "cron.use_background_workers=on",
    ];
    Ok(Some(PostgresPackage {
        folder,
        major: "15".to_owned(),
        settings,
    }))
}

/// Installs without the cluster on port 5432 that the packages would create and start.
fn install_debian(workspace: &Workspace) -> Result<()> {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    let setting = folder.join("sound-whiskers.conf");
    if nix::unistd::geteuid().is_root() {
        files::create_folder(folder)?;
        fs::write(&setting, "create_main_cluster = false\n").context("createcluster.d")?;
    }
    let installed = debian::install(&DEBIAN_PACKAGES, &workspace.target);
    let _ = fs::remove_file(&setting);
    installed.map(drop)
}
