//! The properties of all crates on made-up inputs, for as long as one likes, on all processors.
//!
//! libFuzzer needs a nightly compiler; these are the property tests (`properties.rs` beside the sources) in rounds of ever
//! new seeds. What fails is kept in the crate's `proptest-regressions/` and tried first from then on.

mod campaign;
mod property;
mod targets;

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use self::campaign::Campaign;
use self::property::Property;
pub use self::targets::TARGETS;
use crate::args::FuzzOptions;
use crate::process::run;
use crate::workspace::Workspace;

/// What holds of time and not of values: how much longer four times the input takes.
pub const LINEAR_TESTS: &str = "linear";

pub fn run_command(workspace: &Workspace, options: &FuzzOptions) -> Result<ExitCode> {
    let properties = property::all(workspace, &options.only)?;
    campaign(workspace, properties, options.minutes)?;
    Ok(ExitCode::SUCCESS)
}

/// The stage of `cargo xtask test`.
pub fn stage(workspace: &Workspace) -> Result<()> {
    linear(workspace)?;
    let options = FuzzOptions::default();
    campaign(workspace, property::all(workspace, &options.only)?, options.minutes)
}

/// By itself and one after the other: it compares times.
fn linear(workspace: &Workspace) -> Result<()> {
    let mut command: Command = workspace.cargo(&workspace.root);
    run(command.args(["test", "--package", LINEAR_TESTS, "--", "--test-threads", "1", "--nocapture"]))
}

fn campaign(workspace: &Workspace, properties: Vec<Property>, minutes: u64) -> Result<()> {
    let seconds = minutes.checked_mul(60).context("so many minutes are too many")?;
    let failures = Campaign::new(workspace, properties, Duration::from_secs(seconds))?.run()?;
    if failures > 0 {
        bail!("{failures} properties failed; commit what they left in proptest-regressions/");
    }
    Ok(())
}
