//! Everything that must pass, stage by stage.

mod stages;
mod summary;

pub use self::stages::node_tests;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Result, bail};

use self::summary::{Outcome, Summary};
use crate::args::{DEPLOYABLE_VARIABLE, Runtime};
use crate::artefacts::Profile;
use crate::dev::{Ready, Stack};
use crate::process::{self, Interrupted};
use crate::progress::say;
use crate::setup;
use crate::workspace::Workspace;

pub struct Stage {
    pub name: &'static str,
    tier: Tier,
    run: Run,
}

/// When a stage runs; each tier includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Every few minutes while working.
    Check,
    /// Before a change is handed in.
    #[default]
    Test,
    /// What CI runs.
    Full,
}

enum Run {
    Alone(fn(&Workspace) -> Result<()>),
    On(Ground, fn(&Workspace, &mut TestStack) -> Result<()>),
}

/// What is started for a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The whole product, its functions on workerd.
    Workerd,
    /// The same on Deno.
    Deno,
    /// Debian's PostgreSQL with pg_cron, and the Supabase APIs over it.
    Postgres15,
}

const GROUNDS: [Ground; 3] = [Ground::Workerd, Ground::Deno, Ground::Postgres15];

impl Ground {
    fn name(self) -> &'static str {
        match self {
            Self::Workerd => "workerd",
            Self::Deno => "deno",
            Self::Postgres15 => "postgres-15",
        }
    }
}

pub const STAGES: &[Stage] = &[
    Stage { name: "format", tier: Tier::Check, run: Run::Alone(stages::format) },
    Stage { name: "lint-native", tier: Tier::Check, run: Run::Alone(stages::lint_native) },
    Stage { name: "build", tier: Tier::Full, run: Run::Alone(crate::artefacts::build_deployable) },
    Stage { name: "lint-wasm", tier: Tier::Test, run: Run::Alone(stages::lint_wasm) },
    Stage { name: "docs", tier: Tier::Full, run: Run::Alone(stages::docs) },
    Stage { name: "native-tests", tier: Tier::Check, run: Run::Alone(stages::native_tests) },
    Stage { name: "fuzz", tier: Tier::Full, run: Run::Alone(stages::fuzz) },
    Stage { name: "wasm-pack", tier: Tier::Full, run: Run::Alone(stages::wasm_pack) },
    Stage { name: "wasm-tests", tier: Tier::Test, run: Run::Alone(crate::wasm_tests::run) },
    Stage { name: "types", tier: Tier::Check, run: Run::Alone(stages::types) },
    Stage { name: "stand-ins", tier: Tier::Test, run: Run::Alone(stages::stand_ins) },
    Stage { name: "page", tier: Tier::Check, run: Run::Alone(stages::page) },
    Stage { name: "openapi", tier: Tier::Check, run: Run::Alone(stages::openapi) },
    Stage { name: "pgtap", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::pgtap) },
    Stage { name: "database", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::database) },
    Stage { name: "mutations", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::mutations) },
    Stage { name: "conformance", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::conformance) },
    Stage { name: "end-to-end", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::end_to_end) },
    Stage { name: "histories", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::histories) },
    Stage { name: "load", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::load) },
    Stage { name: "faults", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::faults) },
    Stage { name: "crashes", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::crashes) },
    Stage { name: "models", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::models) },
    Stage { name: "supabase-js", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::supabase_js) },
    Stage { name: "stripe-sdk", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::stripe_sdk) },
    Stage { name: "openapi-live", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::openapi_live) },
    Stage { name: "schemathesis", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::schemathesis) },
    Stage { name: "deploy", tier: Tier::Full, run: Run::On(Ground::Workerd, stages::deploy) },
    Stage { name: "browser", tier: Tier::Test, run: Run::On(Ground::Workerd, stages::browser) },
    Stage { name: "end-to-end-deno", tier: Tier::Full, run: Run::On(Ground::Deno, stages::end_to_end_deno) },
    Stage { name: "faults-deno", tier: Tier::Full, run: Run::On(Ground::Deno, stages::faults_deno) },
    Stage { name: "browser-deno", tier: Tier::Full, run: Run::On(Ground::Deno, stages::browser) },
    Stage { name: "openapi-live-deno", tier: Tier::Full, run: Run::On(Ground::Deno, stages::openapi_live) },
    Stage { name: "schemathesis-deno", tier: Tier::Full, run: Run::On(Ground::Deno, stages::schemathesis) },
    Stage { name: "pgtap-15", tier: Tier::Full, run: Run::On(Ground::Postgres15, stages::pgtap) },
    Stage { name: "database-15", tier: Tier::Full, run: Run::On(Ground::Postgres15, stages::database) },
    Stage { name: "cron-15", tier: Tier::Full, run: Run::On(Ground::Postgres15, stages::cron) },
    Stage { name: "conformance-15", tier: Tier::Full, run: Run::On(Ground::Postgres15, stages::conformance) },
    Stage {
        name: "database-lint",
        tier: Tier::Full,
        run: Run::On(Ground::Postgres15, stages::database_lint),
    },
];

/// A stage that this machine cannot run, and why.
#[derive(Debug)]
pub struct NotRun(pub String);

impl std::fmt::Display for NotRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}

/// Runs the stages of a tier, or those that are named; a stage that fails does not keep the next from running.
pub fn run(workspace: &Workspace, tier: Tier, only: &[String]) -> Result<ExitCode> {
    let mut summary = Summary::default();
    let chosen = |stage: &&Stage| match only {
        [] => stage.tier <= tier,
        only => only.iter().any(|name| name == stage.name),
    };
    for stage in STAGES.iter().filter(chosen) {
        if let Run::Alone(run) = stage.run {
            record(&mut summary, stage.name, || run(workspace))?;
        }
    }
    let profile = if tier == Tier::Full { Profile::Deployable } else { Profile::Quick };
    for ground in GROUNDS {
        let on_it = |stage: &&Stage| matches!(stage.run, Run::On(on, _) if on == ground);
        let stages: Vec<_> = STAGES.iter().filter(chosen).filter(on_it).collect();
        if !stages.is_empty() {
            run_on(workspace, ground, profile, &stages, &mut summary)?;
        }
    }
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    say(format_args!("\n{}", summary.text(is_ci)));
    Ok(if summary.failed(is_ci) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// # Errors
/// Only on Ctrl-C; a failure goes into the summary.
fn record(summary: &mut Summary, name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    say(format_args!("\n== {name}"));
    let started = Instant::now();
    let outcome = match run() {
        Ok(()) => Outcome::Ok,
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) if error.is::<NotRun>() => Outcome::NotRun(error.to_string()),
        Err(error) => {
            say(format_args!("{error:#}"));
            Outcome::Failed
        }
    };
    summary.add(name, started.elapsed(), outcome);
    Ok(())
}

fn run_on(
    workspace: &Workspace,
    ground: Ground,
    profile: Profile,
    stages: &[&Stage],
    summary: &mut Summary,
) -> Result<()> {
    let name = ground.name();
    let mut stack = None;
    record(summary, &format!("start ({name})"), || {
        stack = Some(TestStack::start(workspace, ground, profile)?);
        Ok(())
    })?;
    for stage in stages {
        let Run::On(_, run) = stage.run else { continue };
        record(summary, stage.name, || match &mut stack {
            Some(stack) => run(workspace, stack),
            None => Err(NotRun(format!("the stack on {name} did not start")).into()),
        })?;
    }
    let Some(stack) = stack else { return Ok(()) };
    record(summary, &format!("stop ({name})"), || {
        let left = stack.stack.stop();
        if left.is_empty() { Ok(()) } else { bail!("processes are left of: {}", left.join(", ")) }
    })
}

const READY_FILE: &str = "ready.json";

/// A stack for tests alone: empty data, free ports, no real service.
pub struct TestStack {
    stack: Stack,
    profile: Profile,
    data: PathBuf,
}

impl TestStack {
    fn start(workspace: &Workspace, ground: Ground, profile: Profile) -> Result<Self> {
        let data = workspace.target.join("test").join(ground.name());
        let ready_file = data.join(READY_FILE);
        let stack = match ground {
            Ground::Workerd => {
                Stack::start_simulated(workspace, profile, Runtime::Workerd, &data, ready_file)
            }
            Ground::Deno => Stack::start_simulated(workspace, profile, Runtime::Deno, &data, ready_file),
            Ground::Postgres15 => {
                let missing =
                    || NotRun(format!("it needs Debian 12's {}", setup::DEBIAN_POSTGRES.join(", ")));
                let package = setup::for_debian_postgres(workspace)?.ok_or_else(missing)?;
                Stack::start_supabase(workspace, package, &data, &ready_file)
            }
        };
        Ok(Self { stack: stack?, profile, data })
    }

    fn ready(&self) -> &Ready {
        &self.stack.ready
    }

    /// Runs a command that finds the stack through its ready file or by the usual variables, and in its data folder
    /// the keys to forge with.
    ///
    /// # Errors
    /// If it fails, or as soon as a part of the stack ends.
    fn run(&mut self, command: &mut Command) -> Result<()> {
        command.env("SOUND_WHISKERS_READY_FILE", self.data.join(READY_FILE));
        command.env("SOUND_WHISKERS_DATA_DIR", &self.data);
        if self.profile == Profile::Deployable {
            // For the stacks that a test starts itself.
            command.env(DEPLOYABLE_VARIABLE, "true");
        }
        let ready = &self.stack.ready;
        command.env("SUPABASE_URL", &ready.supabase_url);
        command.env("SUPABASE_PUBLISHABLE_KEY", &ready.publishable_key);
        command.env("SUPABASE_SECRET_KEY", &ready.secret_key);
        command.envs(ready.database_url.iter().map(|url| ("DATABASE_URL", url)));
        process::run_while(command, || self.stack.check())
    }
}
