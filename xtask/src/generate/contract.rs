//! The HTTP contract: docs/openapi.yaml, docs/errors.md and the page's types, which xtask/contract prints.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use project::process;
use project::workspace::Workspace;

pub fn files(workspace: &Workspace) -> Result<Vec<(PathBuf, String)>> {
    let mut command = workspace.cargo(&workspace.root);
    command.args(["run", "--quiet", "--package", "contract"]);
    let printed = process::output_of(&mut command).context("xtask/contract failed")?;
    let files: BTreeMap<PathBuf, String> =
        serde_json::from_str(&printed).context("the output of xtask/contract")?;
    Ok(files
        .into_iter()
        .map(|(path, text)| (workspace.root.join(path), text))
        .collect())
}
