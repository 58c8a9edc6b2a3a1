//! Runs the check of the language model that an env file names.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::dev::{Settings, Variables};
use crate::process;
use crate::workspace::Workspace;

/// Returns the tool's own exit code, which says whether a listener would get songs.
pub fn run(workspace: &Workspace, env_file: Option<&Path>) -> Result<ExitCode> {
    let default = workspace.root.join(".dev.vars");
    let variables = match env_file {
        Some(file) => Settings::parse_file(file)?,
        None if default.exists() => Settings::parse_file(&default)?,
        None => Variables::new(),
    };
    let mut command = workspace.cargo(&workspace.root);
    command.args(["run", "--quiet", "--package", "check-llm"]);
    command.envs(variables.iter().filter(|(name, _)| name.starts_with("LLM_")));
    let status = process::run_while(&mut command, || Ok(()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
