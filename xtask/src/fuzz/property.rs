//! The properties that there are, found in the crates' test programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::targets::{TARGETS, Target};
use crate::process::output_of;
use crate::workspace::Workspace;

/// The modules whose tests are properties.
const MODULES: [&str; 2] = ["properties::", "any_text::"];

/// Properties of their own generator, which is to run in wasm too and tries the same in every run.
const ALWAYS_THE_SAME: &str = "matching::properties::";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    pub target: &'static str,
    pub package: String,
    pub test: String,
    pub program: PathBuf,
    /// The package's folder: what failed is kept below it.
    pub folder: PathBuf,
}

/// A line of what `cargo test --no-run` says.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
}

/// All properties, or those of the chosen targets.
///
/// # Errors
/// Where the tests cannot be built, or a target has no property any more.
pub fn all(workspace: &Workspace, only: &[String]) -> Result<Vec<Property>> {
    let mut properties = Vec::new();
    for (folder, program) in programs(workspace)? {
        let package = folder.file_name().context("a package without a folder")?.to_string_lossy();
        for test in tests_of(&program)? {
            let target = Target::of(&package, &test).context("a property of no target")?.name;
            let (program, folder) = (program.clone(), folder.clone());
            properties.push(Property { target, package: package.to_string(), test, program, folder });
        }
    }
    if let Some(empty) = TARGETS.iter().find(|it| !properties.iter().any(|one| one.target == it.name)) {
        bail!("{} has no property: was one renamed?", empty.name);
    }
    properties.retain(|property| only.is_empty() || only.iter().any(|name| name == property.target));
    Ok(properties)
}

/// The test programs of the crates that make up inputs, each with its package's folder.
fn programs(workspace: &Workspace) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut command = workspace.cargo(&workspace.root);
    command.args(["test", "--no-run", "--lib", "--message-format", "json-render-diagnostics"]);
    command.args(["--package", "shared"]);
    for function in &workspace.functions {
        command.args(["--package", &function.name]);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cargo")?;
    if !output.status.success() {
        bail!("the properties cannot be built ({})", output.status);
    }
    let lines = String::from_utf8(output.stdout).context("cargo's output")?;
    let built = lines.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
    let of = |it: Built| Some((it.manifest_path?.parent().map(Path::to_owned)?, it.executable?));
    Ok(built.filter_map(of).collect())
}

fn tests_of(program: &Path) -> Result<Vec<String>> {
    let listed = output_of(Command::new(program).args(["--list", "--format", "terse"]));
    let listed = listed.with_context(|| format!("{} lists no tests", program.display()))?;
    Ok(properties_in(&listed))
}

fn properties_in(listed: &str) -> Vec<String> {
    let is_property = |test: &&str| {
        MODULES.iter().any(|module| test.contains(module)) && !test.starts_with(ALWAYS_THE_SAME)
    };
    listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(is_property)
        .map(Into::into)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_told_from_other_tests() {
        let listed = "auth::jwt_tests::a: test\nauth::properties::b: test\nmatching::any_text::c: test\n\
                      matching::properties::d: test\nproperties::e: benchmark\nproperties::f: test";
        assert_eq!(properties_in(listed), ["auth::properties::b", "matching::any_text::c", "properties::f"]);
    }
}
