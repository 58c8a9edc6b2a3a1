//! Debian's PostgreSQL: unlike npm's it has pg_cron and plpgsql_check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use super::PostgresPackage;
use crate::files;
use crate::process::{self, output_of};

/// What there is in Debian 12.
pub const PACKAGES: [&str; 4] =
    ["postgresql-15", "postgresql-15-cron", "postgresql-15-plpgsql-check", "postgresql-15-pgtap"];

const MAJOR: &str = "15";
const FOLDER: &str = "/usr/lib/postgresql/15";
const EXTENSIONS: &str = "/usr/share/postgresql/15/extension";

/// Answers nothing where the packages are not installed and this is not Debian, or not as root.
pub fn ensure(logs: &Path) -> Result<Option<PostgresPackage>> {
    if !is_installed() && !install(logs)? {
        return Ok(None);
    }
    Ok(Some(PostgresPackage {
        folder: FOLDER.into(),
        major: MAJOR.to_owned(),
        // Workers, because a connection of pg_cron's own would have to know the password.
        settings: &["shared_preload_libraries=pg_cron", "cron.use_background_workers=on"],
    }))
}

fn has_server() -> bool {
    Path::new(FOLDER).join("bin/postgres").exists()
}

fn is_installed() -> bool {
    let has = |name: &&str| Path::new(EXTENSIONS).join(format!("{name}.control")).exists();
    has_server() && ["pg_cron", "plpgsql_check", "pgtap"].iter().all(has)
}

/// Answers whether this system has the packages at all.
fn install(logs: &Path) -> Result<bool> {
    if !geteuid().is_root() || output_of(Command::new("apt-get").arg("--version")).is_none() {
        return Ok(false);
    }
    files::create_folder(logs)?;
    let log = logs.join("apt-get.log");
    process::run_logged(
        "updating the list of Debian's packages",
        Command::new("apt-get").arg("update"),
        &log,
    )?;
    if output_of(Command::new("apt-cache").arg("show").args(PACKAGES)).is_none() {
        return Ok(false);
    }
    let _held_back = if has_server() { None } else { Some(NoMainCluster::create()?) };
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--no-install-recommends", "--no-upgrade"]).args(PACKAGES);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    process::run_logged("installing Debian's PostgreSQL", &mut command, &log)?;
    Ok(is_installed())
}

/// While it exists, installing a server creates and starts no cluster on the port that everybody knows.
struct NoMainCluster(PathBuf);

impl NoMainCluster {
    fn create() -> Result<Self> {
        let folder = Path::new("/etc/postgresql-common/createcluster.d");
        files::create_folder(folder)?;
        let path = folder.join("sound-whiskers.conf");
        fs::write(&path, "create_main_cluster = false\n").with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for NoMainCluster {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
