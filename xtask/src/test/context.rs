//! The context of a stage: the workspace, a log, and its stack.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use super::{Needs, NotRun};
use crate::artefacts;
use project::process;
use project::setup;
use project::workspace::Workspace;
use stack::{DEPLOYABLE_VARIABLE, Profile, Ready, Runtime, Stack};

/// Locked during installations and starts of stacks, so that two workers do not install the same tool.
static SETUP: Mutex<()> = Mutex::new(());

pub struct Context<'a> {
    pub workspace: &'a Workspace,
    pub profile: Profile,
    pub stack: Option<&'a mut TestStack>,
    pub log: File,
}

impl Context<'_> {
    /// Runs a command with its output in the stage's log. With a stack, the command finds it through its ready file or
    /// by the usual variables, and in its data folder the keys to forge with.
    ///
    /// # Errors
    /// If it fails, on Ctrl-C, or as soon as a part of the stack ends.
    pub fn run(&mut self, command: &mut Command) -> Result<()> {
        command
            .stdout(self.log.try_clone()?)
            .stderr(self.log.try_clone()?);
        match &mut self.stack {
            Some(it) => {
                it.describe_to(command);
                if self.profile == Profile::Deployable {
                    // For tests that start stacks themselves.
                    command.env(DEPLOYABLE_VARIABLE, "true");
                }
                process::run_while(command, || it.stack.check())
            }
            None => process::run_while(command, || Ok(())),
        }
    }

    pub fn ready(&self) -> Result<&Ready> {
        self.stack
            .as_ref()
            .map(|it| &it.stack.ready)
            .context("the stage has no stack")
    }

    pub fn set_up<T>(&self, install: impl FnOnce(&Workspace) -> Result<T>) -> Result<T> {
        let _one_at_a_time = SETUP.lock().unwrap_or_else(PoisonError::into_inner);
        install(self.workspace)
    }
}

const READY_FILE: &str = "ready.json";

/// A stack for tests: empty data, free ports, no real services.
pub struct TestStack {
    stack: Stack,
    data: PathBuf,
}

impl TestStack {
    /// `None` if the stages need no stack.
    pub fn start(workspace: &Workspace, profile: Profile, needs: Needs) -> Result<Option<Self>> {
        let runtime = match needs {
            Needs::Build | Needs::Cargo | Needs::Node => return Ok(None),
            Needs::Workerd | Needs::Page => Some(Runtime::Workerd),
            Needs::Deno => Some(Runtime::Deno),
            Needs::Postgres15 => None,
        };
        let _one_at_a_time = SETUP.lock().unwrap_or_else(PoisonError::into_inner);
        let data = workspace
            .target
            .join("test")
            .join(needs.name().replace(' ', "-"));
        let ready_file = data.join(READY_FILE);
        let stack = match runtime {
            Some(runtime) => {
                artefacts::build(workspace, profile, runtime)?;
                Stack::start_simulated(workspace, profile, runtime, &data, ready_file)
            }
            None => {
                let missing = || {
                    NotRun(format!(
                        "it needs Debian 12's {}",
                        setup::DEBIAN_POSTGRES.join(", ")
                    ))
                };
                let package = setup::for_debian_postgres(workspace)?.ok_or_else(missing)?;
                Stack::start_supabase(workspace, package, &data, &ready_file)
            }
        };
        Ok(Some(Self {
            stack: stack?,
            data,
        }))
    }

    /// # Errors
    /// If a process of it is left.
    pub fn stop(self) -> Result<()> {
        let left = self.stack.stop();
        if left.is_empty() {
            Ok(())
        } else {
            bail!("processes are left of: {}", left.join(", "))
        }
    }

    fn describe_to(&self, command: &mut Command) {
        let ready = &self.stack.ready;
        command.env("SOUND_WHISKERS_READY_FILE", self.data.join(READY_FILE));
        command.env("SOUND_WHISKERS_DATA_DIR", &self.data);
        command.env("SUPABASE_URL", &ready.supabase_url);
        command.env("SUPABASE_PUBLISHABLE_KEY", &ready.publishable_key);
        command.env("SUPABASE_SECRET_KEY", &ready.secret_key);
        command.envs(ready.database_url.iter().map(|url| ("DATABASE_URL", url)));
    }
}
