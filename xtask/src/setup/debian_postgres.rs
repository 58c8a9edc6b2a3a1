//! Debian's PostgreSQL: unlike npm's it has pg_cron and plpgsql_check.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{PostgresPackage, debian};
use crate::files;

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
    let hold_back = || if has_server() { Ok(None) } else { NoMainCluster::create().map(Some) };
    Ok(debian::install(&PACKAGES, "PostgreSQL", logs, hold_back)? && is_installed())
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
