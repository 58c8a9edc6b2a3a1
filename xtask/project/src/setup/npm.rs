//! Node, and the packages that package-lock.json pins.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::files;
use crate::process::{self, output_of};
use crate::workspace::Workspace;

const OLDEST_NODE: u32 = 20;

/// Installs the packages, unless they are installed.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    let wanted = read_json(&workspace.root.join("package-lock.json"))?;
    // npm writes this file last, so it proves a complete installation; it lists the installed packages.
    let installed = read_json(&workspace.root.join("node_modules/.package-lock.json"));
    if installed.is_ok_and(|installed| satisfies(&installed, &wanted)) {
        return Ok(());
    }
    check_node(output_of(Command::new("node").arg("--version")).as_deref())?;
    files::create_folder(&workspace.target)?;
    let mut command = Command::new("npm");
    command
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&workspace.root);
    process::run_logged(
        "installing the npm packages",
        &mut command,
        &workspace.target.join("npm.log"),
    )
}

/// The version of an installed package.
pub fn version_of(workspace: &Workspace, package: &str) -> Result<String> {
    let manifest = read_json(
        &workspace
            .root
            .join("node_modules")
            .join(package)
            .join("package.json"),
    )?;
    manifest
        .get("version")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("{package} has no version"))
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Whether the installed packages are the wanted ones; an optional one, such as another platform's, may be absent.
fn satisfies(installed: &Value, wanted: &Value) -> bool {
    let (Some(installed), Some(wanted)) = (
        installed["packages"].as_object(),
        wanted["packages"].as_object(),
    ) else {
        return false;
    };
    let is_there = |path: &String, package: &Value| match installed.get(path) {
        Some(found) => found["version"] == package["version"],
        None => ["optional", "devOptional", "peer"]
            .iter()
            .any(|kind| package[kind] == true),
    };
    wanted
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .all(|(path, package)| is_there(path, package))
}

/// `version` is what `node --version` printed, such as `v22.3.0`.
fn check_node(version: Option<&str>) -> Result<()> {
    let major = version.and_then(|text| {
        text.trim_start_matches('v')
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
    });
    match major {
        Some(OLDEST_NODE..) => Ok(()),
        _ => bail!(
            "Node.js {OLDEST_NODE} or newer is needed (found {}): https://nodejs.org",
            version.unwrap_or("none")
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_or_missing_node_is_one_clear_line() {
        assert!(check_node(Some("v20.0.0")).is_ok());
        assert!(check_node(Some("v24.1.0")).is_ok());
        let error = check_node(Some("v18.19.1")).unwrap_err().to_string();
        assert_eq!(
            error,
            "Node.js 20 or newer is needed (found v18.19.1): https://nodejs.org"
        );
        assert!(
            check_node(None)
                .unwrap_err()
                .to_string()
                .contains("found none")
        );
    }

    #[test]
    fn an_installation_satisfies_its_own_lock_file_only() {
        let lock = |version: &str| {
            json!({"packages": {
                "": {"name": "root"},
                "node_modules/a": {"version": version},
                "node_modules/a-windows": {"version": "1.0.0", "optional": true},
            }})
        };
        let installed = json!({"packages": {"node_modules/a": {"version": "1.0.0"}}});
        assert!(satisfies(&installed, &lock("1.0.0")));
        assert!(!satisfies(&installed, &lock("1.0.1")));
        assert!(!satisfies(&json!({"packages": {}}), &lock("1.0.0")));
        assert!(!satisfies(&json!({}), &lock("1.0.0")));
    }
}
