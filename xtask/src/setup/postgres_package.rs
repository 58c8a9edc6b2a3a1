//! PostgreSQL out of npm, with pgTAP added, in a place that an unprivileged user can read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{npm, tools_folder};
use crate::files;
use crate::process;
use crate::workspace::Workspace;

pub struct PostgresPackage {
    pub folder: PathBuf,
    /// Such as `17`: what a data folder's PG_VERSION must say.
    pub major: String,
    /// What its extensions need, as `name=value`.
    pub settings: &'static [&'static str],
}

impl PostgresPackage {
    pub fn executable(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

pub fn ensure(workspace: &Workspace) -> Result<PostgresPackage> {
    let version = npm::version_of(workspace, "embedded-postgres")?;
    let pgtap = npm::version_of(workspace, "@electric-sql/pglite")?;
    let major = version.split('.').next().unwrap_or_default().to_owned();
    let tools = tools_folder()?;
    let folder = tools.join(format!("postgres-{version}-pglite-{pgtap}"));
    if !folder.exists() {
        let draft = tools.join(format!(".installing-postgres-{}", std::process::id()));
        files::remove_folder(&draft)?;
        files::copy_folder(&native_folder(workspace)?, &draft)?;
        add_pgtap(workspace, &draft)?;
        // Another checkout may have been faster: what it put there is the same.
        if fs::rename(&draft, &folder).is_err() && folder.exists() {
            files::remove_folder(&draft)?;
        }
    }
    if !folder.exists() {
        bail!("cannot create {}", folder.display());
    }
    Ok(PostgresPackage { folder, major, settings: &[] })
}

/// The package of this platform, whichever npm chose.
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

fn add_pgtap(workspace: &Workspace, postgres: &Path) -> Result<()> {
    let archive = workspace.root.join("node_modules/@electric-sql/pglite/dist/pgtap.tar.gz");
    let mut command = Command::new("tar");
    command.arg("-xzf").arg(archive).arg("-C").arg(postgres).arg("share/postgresql/extension");
    process::run(command.arg("--no-same-owner")).context("unpacking pgTAP")
}
