//! What no artefact may contain: secrets, and the folders of the machine that built it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::WASM;
use crate::page;
use project::secrets;
use project::workspace::Workspace;

/// # Errors
/// If an artefact, which is public, names a folder of this machine or contains text that looks like a secret.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut built = page::built(workspace).collect::<Vec<_>>();
    for function in &workspace.functions {
        built.extend(["index.js", WASM].map(|file| function.dir.join("build").join(file)));
        let deno = workspace.deno_entry(function).join("build");
        built.extend(
            ["index.js", "embedded.js"]
                .map(|file| deno.join(file))
                .into_iter()
                .filter(|it| it.exists()),
        );
    }
    for path in built {
        let content = fs::read(&path).with_context(|| path.display().to_string())?;
        let problems = problems_of(
            &String::from_utf8_lossy(&content),
            &machine_folders(&workspace.root)?,
        );
        if !problems.is_empty() {
            bail!("{}: {}", path.display(), problems.join(", "));
        }
    }
    Ok(())
}

fn problems_of(content: &str, folders: &[(PathBuf, &str)]) -> Vec<String> {
    let secrets = secrets::found_in(content)
        .into_iter()
        .map(|(line, kind)| format!("{kind} in line {line}"));
    let named = folders
        .iter()
        .filter(|(folder, _)| content.contains(&*folder.to_string_lossy()));
    secrets
        .chain(named.map(|(folder, _)| format!("it names {}", folder.display())))
        .collect()
}

/// The compiler's flags that keep the folders of the building machine out of artefacts.
pub fn remapped(root: &Path) -> Result<Vec<String>> {
    let folders = machine_folders(root)?;
    Ok(folders
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect())
}

/// The folders of sources on this machine, and their replacements in artefacts; the last match wins.
fn machine_folders(root: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let home = |variable: &str, folder: &str| {
        let default = || std::env::home_dir().unwrap_or_default().join(folder);
        std::env::var_os(variable).map_or_else(default, PathBuf::from)
    };
    let cargo = home("CARGO_HOME", ".cargo");
    let mut folders = vec![
        (root.to_owned(), "."),
        (home("RUSTUP_HOME", ".rustup"), "rust"),
        (cargo.clone(), "cargo"),
    ];
    // One folder for each registry, named after its host.
    for registry in fs::read_dir(cargo.join("registry/src"))
        .into_iter()
        .flatten()
    {
        folders.push((registry.context("the registry's folder")?.path(), "crates"));
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artefact_names_no_folder_of_this_machine_and_holds_no_secret() {
        let root = Path::new("/srv/checkout");
        let folders = machine_folders(root).unwrap();
        let cargo = folders
            .iter()
            .find(|(_, to)| *to == "cargo")
            .unwrap()
            .0
            .join("registry/src/x/y.rs");
        assert_eq!(
            problems_of("/srv/checkout/shared/src/lib.rs", &folders),
            ["it names /srv/checkout"]
        );
        assert_eq!(problems_of(&cargo.to_string_lossy(), &folders).len(), 1);
        let key = format!("sb_secret_{}", "4eC39HqLyjWDarjtT1zdp7dc");
        assert_eq!(
            problems_of(&format!("a\n{key}"), &folders),
            ["Supabase in line 2"]
        );
        assert!(problems_of("./shared/src/lib.rs crates/bytes/src/lib.rs", &folders).is_empty());
    }
}
