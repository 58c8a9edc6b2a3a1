//! The paths that changed since the branch began.

use std::process::Command;

use anyhow::{Context, Result};

use super::Stage;
use project::process::output_of;
use project::workspace::Workspace;

/// A change of one of these affects every stage.
const EVERYTHING: [&str; 11] = [
    ".ci/",
    ".cargo/",
    "Cargo.lock",
    "Cargo.toml",
    "package-lock.json",
    "package.json",
    "xtask/Cargo.toml",
    "xtask/bindings/",
    "xtask/project/",
    "xtask/src/",
    "xtask/stack/",
];

/// The paths that differ from the commit at which the branch left `origin/main` or `main`, uncommitted and new ones
/// included.
pub fn paths(workspace: &Workspace) -> Result<Vec<String>> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        output_of(command.current_dir(&workspace.root).args(arguments))
    };
    let begun = ["origin/main", "main"]
        .iter()
        .find_map(|base| git(&["merge-base", base, "HEAD"]));
    let base = begun.context("git finds neither origin/main nor main")?;
    let changed =
        git(&["diff", "--name-only", "--no-renames", &base]).context("git diff failed")?;
    let new =
        git(&["ls-files", "--others", "--exclude-standard"]).context("git ls-files failed")?;
    Ok(changed
        .lines()
        .chain(new.lines())
        .map(str::to_owned)
        .collect())
}

impl Stage {
    pub fn is_concerned_by(&self, path: &str) -> bool {
        EVERYTHING.iter().any(|prefix| path.starts_with(prefix))
            || self
                .paths
                .iter()
                .any(|pattern| match pattern.strip_prefix('*') {
                    Some(suffix) => path.ends_with(suffix),
                    None => path.starts_with(pattern),
                })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::test::STAGES;

    fn concerned(path: &str) -> BTreeSet<&'static str> {
        STAGES
            .iter()
            .filter(|stage| stage.is_concerned_by(path))
            .map(|stage| stage.name)
            .collect()
    }

    #[test]
    fn a_change_runs_the_stages_that_it_concerns() {
        let migration = concerned("supabase/migrations/1_a.sql");
        assert!(migration.is_superset(&["pgtap", "database-15", "end-to-end", "deploy"].into()));
        assert!(!migration.contains("lint-wasm"));
        let page = concerned("web/src/i18n/en.ts");
        assert!(page.is_superset(&["types", "page", "browser", "browser-smoke"].into()));
        assert!(!page.contains("end-to-end"));
        assert_eq!(concerned("docs/scale.md"), ["native-tests"].into());
        assert_eq!(concerned("Cargo.lock").len(), STAGES.len());
    }

    #[test]
    fn every_folder_of_tests_concerns_a_stage_besides_the_native_tests() {
        let root = Workspace::open().unwrap().root;
        for entry in std::fs::read_dir(root.join("tests")).unwrap() {
            let path = format!("tests/{}/a.ts", entry.unwrap().file_name().display());
            assert!(concerned(&path).len() > 1, "{path}");
        }
    }
}
