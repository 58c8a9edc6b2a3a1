//! The whole product on one machine.

mod data;
mod deno;
mod options;
mod ports;
mod postgres;
mod ready;
mod settings;
mod supabase;
mod supervisor;
mod workerd;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;
use nix::sys::signal::Signal;
use project::files;
use project::process::{Interrupted, POLL};
use project::progress::{duration, say};
use project::setup::{self, PostgresPackage};
use project::workspace::{Function, Variables, Workspace};

use self::data::DataFolder;
use self::ports::{Choice, Ports};
use self::postgres::Postgres;
use self::ready::ReadyFile;
use self::supervisor::{PartOptions, Supervisor};

pub use self::deno::write_import_map;
pub use self::options::{DEPLOYABLE_VARIABLE, Options, Profile, Runtime};
pub use self::ready::Ready;
pub use self::settings::{SIMULATED_STRIPE_KEY, Settings};

/// The timeout of a part's readiness check.
const ANSWER_TIMEOUT_S: u64 = 5;

/// Runs a stack until Ctrl-C, which is success, or until a part of it ends, which is not.
pub fn run(
    workspace: &Workspace,
    options: &Options,
    build: impl FnOnce() -> Result<()>,
) -> Result<ExitCode> {
    let begun = Instant::now();
    let choice = options.ports_from.map_or(Choice::Usual, Choice::From);
    let outcome = Stack::start(workspace, options, choice, true, build).and_then(|mut stack| {
        let took = duration(begun.elapsed());
        say(format_args!(
            "\nready in {took}; Ctrl-C ends it\n{}",
            stack.ready.summary()
        ));
        loop {
            stack.check()?;
            std::thread::sleep(POLL);
        }
    });
    match outcome {
        Err(error) if error.is::<Interrupted>() => {
            say("stopped");
            Ok(ExitCode::SUCCESS)
        }
        other => other,
    }
}

/// A running stack; it stops when dropped.
pub struct Stack {
    pub ready: Ready,
    /// The environment of each function; empty without functions.
    pub variables: BTreeMap<String, Variables>,
    // Fields are dropped in this order, so that no ready file outlives its stack.
    _ready_file: Option<ReadyFile>,
    supervisor: Supervisor,
    _data: DataFolder,
}

impl Stack {
    /// Builds the artefacts, starts all parts and waits until each is ready.
    fn start(
        workspace: &Workspace,
        options: &Options,
        choice: Choice,
        echo: bool,
        build: impl FnOnce() -> Result<()>,
    ) -> Result<Self> {
        let settings = Settings::read(workspace, options.env_file.as_deref())?;
        let root = options
            .data
            .clone()
            .unwrap_or_else(|| workspace.target.join("dev"));
        let data = DataFolder::open(&root)?;
        // The ready file of a killed stack would name services that no longer run.
        options
            .ready_file
            .as_deref()
            .map(ready::forget)
            .transpose()?;
        // Before the build, so that a port in use is reported at once.
        let ports = ports::assign(choice)?;
        if !options.no_build {
            build()?;
        }

        let mut starter = Starter::new(workspace, &data, ports);
        starter.start_simulators(&settings)?;
        let (mut ready, tokens) = match settings.supabase() {
            Some(ready) => (ready, Variables::new()),
            None => starter.start_supabase(setup::for_postgres(workspace)?, options.fresh)?,
        };
        let mut given = settings.for_functions(&ports, &ready);
        given.extend(tokens);
        let variables = starter.start_functions(options, &given, echo)?;
        ready.web_url = Some(local(ports.web));
        ready.functions_url = Some(local(ports.web) + "/functions/v1");
        ready.stripe_webhook_secret = Some(settings.webhook_secret());
        ready.simulators = settings
            .simulators(&ports)
            .map(|(name, port)| (name, local(port)))
            .collect();
        starter.finish(ready, variables, options.ready_file.as_deref(), data)
    }

    /// Starts the built artefacts on free ports, with an empty database and without real services.
    pub fn start_simulated(
        workspace: &Workspace,
        profile: Profile,
        runtime: Runtime,
        data: &Path,
        ready_file: PathBuf,
    ) -> Result<Self> {
        let options = Options {
            ready_file: Some(ready_file),
            deployable: profile == Profile::Deployable,
            runtime,
            data: Some(data.to_owned()),
            fresh: true,
            env_file: Some("/dev/null".into()),
            ..Options::default()
        };
        Self::start(workspace, &options, Choice::Free, false, || Ok(()))
    }

    /// Starts an empty database of this PostgreSQL package and the Supabase APIs, without functions and simulators.
    pub fn start_supabase(
        workspace: &Workspace,
        package: PostgresPackage,
        root: &Path,
        ready_file: &Path,
    ) -> Result<Self> {
        let data = DataFolder::open(root)?;
        ready::forget(ready_file)?;
        let mut starter = Starter::new(workspace, &data, ports::assign(Choice::Free)?);
        let (ready, _) = starter.start_supabase(package, true)?;
        starter.finish(ready, BTreeMap::new(), Some(ready_file), data)
    }

    /// # Errors
    /// If a part has ended, or on Ctrl-C.
    pub fn check(&mut self) -> Result<()> {
        self.supervisor.check()
    }

    /// Stops everything and returns the names of parts with a process left; normally none.
    pub fn stop(mut self) -> Vec<&'static str> {
        self._ready_file = None;
        self.supervisor.stop()
    }
}

/// A stack under construction.
struct Starter<'a> {
    workspace: &'a Workspace,
    data: PathBuf,
    ports: Ports,
    supervisor: Supervisor,
    pids: BTreeMap<&'static str, u32>,
}

impl<'a> Starter<'a> {
    fn new(workspace: &'a Workspace, data: &DataFolder, ports: Ports) -> Self {
        let (supervisor, pids) = (Supervisor::new(data.logs()), BTreeMap::new());
        Self {
            workspace,
            data: data.root.clone(),
            ports,
            supervisor,
            pids,
        }
    }

    /// Writes the ready file after all parts are ready.
    fn finish(
        self,
        ready: Ready,
        variables: BTreeMap<String, Variables>,
        ready_file: Option<&Path>,
        data: DataFolder,
    ) -> Result<Stack> {
        let ready = Ready {
            pids: self.pids,
            ..ready
        };
        let ready_file = ready_file
            .map(|path| ReadyFile::write(path, &ready))
            .transpose()?;
        Ok(Stack {
            ready,
            variables,
            _ready_file: ready_file,
            supervisor: self.supervisor,
            _data: data,
        })
    }

    fn start(
        &mut self,
        name: &'static str,
        stop: Signal,
        echo: bool,
        command: &mut Command,
    ) -> Result<u32> {
        let options = PartOptions {
            name,
            stop,
            echo,
            ends_last: name == "postgres",
        };
        let pid = self.supervisor.start(options, command)?;
        self.pids.insert(name, pid);
        Ok(pid)
    }

    /// Starts the simulators without waiting, in parallel with PostgreSQL.
    fn start_simulators(&mut self, settings: &Settings) -> Result<()> {
        if settings.simulators(&self.ports).next().is_none() {
            return Ok(());
        }
        let mut command = Command::new(self.workspace.npm_bin("node"));
        command.arg(self.workspace.root.join("tests/simulators/main.ts"));
        command.envs(Settings::for_simulators(&self.ports));
        self.start("simulators", Signal::SIGTERM, false, &mut command)
            .map(drop)
    }

    /// Returns a token for each role of the functions as well.
    fn start_supabase(
        &mut self,
        package: PostgresPackage,
        fresh: bool,
    ) -> Result<(Ready, Variables)> {
        let state = self.data.join("supabase");
        if fresh {
            // New keys invalidate every token.
            files::remove_folder(&state)?;
        }
        let postgres = Postgres::prepare(package, &self.data, self.ports.postgres, fresh)?;
        let pid = self.start("postgres", Signal::SIGINT, false, &mut postgres.command())?;
        self.supervisor
            .wait_until_ready(|| postgres.is_ready(pid))?;

        let (port, url) = (self.ports.supabase, postgres.url());
        let mut command =
            supabase::command(self.workspace, &state, &url, port, &local(self.ports.web));
        self.start("supabase", Signal::SIGTERM, false, &mut command)?;
        self.supervisor
            .wait_until_ready(|| status(port, "/health") == Some(200))?;
        let (keys, tokens) = supabase::read_keys(self.workspace, &state)?;
        let ready = Ready {
            supabase_url: local(port),
            publishable_key: keys.publishable_key,
            secret_key: keys.secret_key,
            database_url: Some(url),
            mail_url: Some(local(port) + "/mail"),
            ..Ready::default()
        };
        Ok((ready, tokens))
    }

    fn start_functions(
        &mut self,
        options: &Options,
        given: &Variables,
        echo: bool,
    ) -> Result<BTreeMap<String, Variables>> {
        let (workspace, port, profile) = (self.workspace, self.ports.web, options.profile());
        let mut command = match options.runtime {
            Runtime::Workerd => workerd::command(workspace, profile, &self.data, port, given)?,
            Runtime::Deno => deno::command(workspace, profile, &self.data, port, given)?,
        };
        self.start("functions", Signal::SIGTERM, echo, &mut command)?;

        let path = |function: &Function| format!("/functions/v1/{}", function.name);
        let paths: Vec<_> = workspace.edge_functions().map(path).collect();
        let mut simulators = Vec::new();
        if self.pids.contains_key("simulators") {
            simulators.extend([self.ports.spotify, self.ports.llm, self.ports.stripe]);
        }
        self.supervisor.wait_until_ready(|| {
            // A function refuses a GET, which shows that it runs; 500 means that it did not start.
            paths
                .iter()
                .all(|path| status(port, path).is_some_and(|status| status != 500))
                && simulators
                    .iter()
                    .all(|port| status(*port, "/__control/log") == Some(200))
        })?;
        let functions = self.workspace.functions.iter();
        Ok(functions
            .map(|function| (function.name.clone(), function.values(given)))
            .collect())
    }
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The status of a GET to a local port.
fn status(port: u16, path: &str) -> Option<i32> {
    let request = minreq::get(local(port) + path)
        .with_timeout(ANSWER_TIMEOUT_S)
        .with_follow_redirects(false);
    request.send().ok().map(|response| response.status_code)
}
