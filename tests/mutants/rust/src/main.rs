//! The mutation check of the Rust sources: `cargo run --package rust-mutants [TEXT]`, where a text selects the mutants whose
//! names contain it.
//!
//! A scratch copy of the workspace contains every mutant of [`table`], each with a switch, so that every crate is
//! compiled once instead of once for each mutant. The environment variable `MUTANT` names the mutant that is on. Each named
//! test must pass with all switches off, and fail with its mutant on.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use table::{MUTANTS, Mutant};

const SWITCH: &str = "MUTANT";
const SKIPPED: [&str; 5] = ["target", "node_modules", "build", "dist", ".git"];

/// Returns a file's source with a switch for every mutant.
///
/// # Errors
/// If a text does not occur exactly once.
fn with_switches(source: &str, mutants: &[&Mutant]) -> Result<String> {
    let mut switched = source.to_owned();
    for Mutant { name, file, text, replacement, .. } in mutants {
        let count = source.matches(text).count();
        if count != 1 {
            bail!("{name}: {file} contains this {count} times: {text}");
        }
        if !switched.contains(text) {
            bail!("{name}: another mutant of {file} changes the same text: {text}");
        }
        let is_on = format!("std::env::var({SWITCH:?}).is_ok_and(|name| name == {name:?})");
        switched = switched.replace(text, &format!("(if {is_on} {{ {replacement} }} else {{ {text} }})"));
    }
    Ok(switched)
}

fn mutants_by_file() -> BTreeMap<&'static str, Vec<&'static Mutant>> {
    let mut by_file: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for mutant in MUTANTS {
        by_file.entry(mutant.file).or_default().push(mutant);
    }
    by_file
}

/// Copies only changed files, so that cargo recompiles only what it must, and removes deleted ones.
fn copy(from: &Path, to: &Path, name: &str, mutants: &BTreeMap<&str, Vec<&Mutant>>) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let child = entry.file_name().into_string().unwrap_or_default();
            if !SKIPPED.contains(&child.as_str()) {
                let name = if name.is_empty() { child.clone() } else { format!("{name}/{child}") };
                copy(&entry.path(), &to.join(child), &name, mutants)?;
            }
        }
        for entry in fs::read_dir(to)? {
            let entry = entry?;
            if !from.join(entry.file_name()).exists() {
                if entry.path().is_dir() {
                    fs::remove_dir_all(entry.path())?
                } else {
                    fs::remove_file(entry.path())?
                }
            }
        }
        return Ok(());
    }
    let mut bytes = fs::read(from)?;
    if let Some(mutants) = mutants.get(name) {
        bytes = with_switches(&String::from_utf8(bytes)?, mutants)?.into_bytes();
    }
    if fs::read(to).ok().as_ref() != Some(&bytes) {
        fs::write(to, bytes)?;
    }
    Ok(())
}

/// Runs tests of a package by parts of their names; returns what cargo printed.
fn run_tests(scratch: &Path, package: &str, tests: &[&str], mutant: &str) -> Result<String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--package", package, "--lib", "--"]).args(tests);
    // A separate target folder, because cargo would confuse these artefacts with the workspace's.
    command.current_dir(scratch).env(SWITCH, mutant).env("CARGO_TARGET_DIR", scratch.join("target"));
    let output = command.output().context("cargo cannot be started")?;
    let printed = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// The problem of a mutant; `None` if its test failed as it should.
fn complaint(scratch: &Path, mutant: &Mutant) -> Result<Option<String>> {
    let printed = run_tests(scratch, mutant.package, &[mutant.test], mutant.name)?;
    let failed = printed.contains("test result: FAILED");
    Ok((!failed).then(|| format!("{}: {} passes", mutant.name, mutant.test)))
}

/// The problems without any mutant: every named test must exist and pass.
fn complaints_without_mutants(scratch: &Path, package: &str, mutants: &[&Mutant]) -> Result<Vec<String>> {
    let tests: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.test).collect();
    let tests: Vec<&str> = tests.into_iter().collect();
    let printed = run_tests(scratch, package, &tests, "")?;
    if !printed.contains("test result: ok") {
        return Ok(vec![format!("{package} without any mutant:\n{printed}")]);
    }
    let has_passed = |test: &str| printed.lines().any(|line| line.ends_with(&format!("::{test} ... ok")));
    Ok(tests
        .iter()
        .filter(|test| !has_passed(test))
        .map(|test| format!("{package} has no test {test}"))
        .collect())
}

fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let scratch = root.join("target/mutants");
    copy(&root, &scratch, "", &mutants_by_file())?;
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let mut by_package: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for mutant in MUTANTS.iter().filter(|mutant| mutant.name.contains(&wanted)) {
        by_package.entry(mutant.package).or_default().push(mutant);
    }
    let (mut run, mut complaints) = (0, Vec::new());
    for (package, mutants) in by_package {
        let started = Instant::now();
        let unsound = complaints_without_mutants(&scratch, package, &mutants)?;
        if unsound.is_empty() {
            for mutant in &mutants {
                complaints.extend(complaint(&scratch, mutant)?);
            }
        }
        complaints.extend(unsound);
        run += mutants.len();
        println!("{package}: {:.0} s", started.elapsed().as_secs_f64());
    }
    for complaint in &complaints {
        println!("  {complaint}");
    }
    println!("mutants: {run}, not noticed {}", complaints.len());
    Ok(if run > 0 && complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_the_table_occurs_once_and_every_name_is_one_mutants() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        for (file, mutants) in mutants_by_file() {
            let source =
                fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            with_switches(&source, &mutants).unwrap();
        }
        let names: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
    }
}
