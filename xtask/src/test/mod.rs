//! Runs the tests: stages, two at a time, each with a tier and its needs.

mod changed;
mod context;
mod run;
mod slowest;
mod summary;
mod table;
mod wasm_tests;
mod workers;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use self::table::Run;
pub use self::table::STAGES;
use crate::args::TestOptions;
use project::progress::{duration, say};
use project::workspace::Workspace;
use stack::Profile;

pub struct Stage {
    pub name: &'static str,
    about: &'static str,
    tier: Tier,
    needs: Needs,
    /// Whether it measures or kills processes, and therefore runs alone.
    is_exclusive: bool,
    /// The prefixes of paths whose changes affect it; `*.rs` matches an extension.
    paths: &'static [&'static str],
    run: Run,
}

/// When a stage runs; each tier includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Every few minutes during development.
    Check,
    /// Before a change is merged.
    #[default]
    Test,
    /// Nightly in CI.
    Full,
}

/// The needs of a stage. Stages with the same needs run in sequence and share them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Nothing: it builds the artefacts that the stacks run, and so comes first.
    Build,
    /// Cargo, which locks the target folder.
    Cargo,
    /// The npm packages.
    Node,
    /// The whole product, its functions on workerd.
    Workerd,
    /// A second such stack, so that browser tests and end-to-end tests do not share simulators.
    Page,
    /// The whole product, its functions on Deno.
    Deno,
    /// Debian's PostgreSQL with pg_cron, and the Supabase APIs over it.
    Postgres15,
}

impl Needs {
    /// In the order in which free workers take them, longest first.
    const ALL: [Self; 7] = [
        Self::Build,
        Self::Workerd,
        Self::Cargo,
        Self::Node,
        Self::Page,
        Self::Deno,
        Self::Postgres15,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Build => "nothing",
            Self::Cargo => "cargo",
            Self::Node => "npm packages",
            Self::Workerd => "workerd",
            Self::Page => "workerd for the page",
            Self::Deno => "deno",
            Self::Postgres15 => "postgres-15",
        }
    }

    fn runs_functions(self) -> bool {
        matches!(self, Self::Workerd | Self::Page | Self::Deno)
    }
}

/// A stage that this machine cannot run, and why.
#[derive(Debug)]
pub struct NotRun(pub String);

impl std::fmt::Display for NotRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}

/// Runs the stages that the options select; the others run even if one fails.
pub fn run(workspace: &Workspace, tier: Tier, options: &TestOptions) -> Result<ExitCode> {
    let chosen = choose(workspace, tier, options)?;
    if options.list {
        chosen.iter().for_each(|stage| say(stage.line()));
        return Ok(ExitCode::SUCCESS);
    }
    let started = Instant::now();
    // The deployed artefacts differ only in their optimisation.
    let profile = if tier == Tier::Full {
        Profile::Deployable
    } else {
        Profile::Quick
    };
    let summary = workers::run(workspace, profile, &chosen)?;
    say(format_args!(
        "\nall stages took {}",
        duration(started.elapsed())
    ));
    say(format_args!(
        "\n{}{}",
        slowest::report(&workers::logs(workspace)),
        summary.text()
    ));
    Ok(if summary.failed() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The stages of the tier, the named ones, or those of the tier that a change affects; and the build, if one of them
/// runs functions.
fn choose(workspace: &Workspace, tier: Tier, options: &TestOptions) -> Result<Vec<&'static Stage>> {
    let changed = if options.changed {
        Some(changed::paths(workspace)?)
    } else {
        None
    };
    let is_chosen = |stage: &Stage| {
        let is_named = options.only.iter().any(|name| name == stage.name);
        let is_of_tier = options.only.is_empty() && stage.is_of(tier);
        let is_concerned =
            |paths: &Vec<String>| paths.iter().any(|path| stage.is_concerned_by(path));
        is_named || (is_of_tier && changed.as_ref().is_none_or(is_concerned))
    };
    let runs_functions = STAGES
        .iter()
        .any(|stage| is_chosen(stage) && stage.needs.runs_functions());
    let is_needed =
        |stage: &&Stage| is_chosen(stage) || (stage.needs == Needs::Build && runs_functions);
    Ok(STAGES.iter().filter(is_needed).collect())
}

impl Stage {
    /// The full tier runs all browser tests, the smoke among them.
    fn is_of(&self, tier: Tier) -> bool {
        self.tier <= tier && (self.name != "browser-smoke" || tier < Tier::Full)
    }

    fn line(&self) -> String {
        let tier = format!("{:?}", self.tier).to_lowercase();
        format!(
            "{:<18} {tier:<5}  {:<20}  {}",
            self.name,
            self.needs.name(),
            self.about
        )
    }
}
