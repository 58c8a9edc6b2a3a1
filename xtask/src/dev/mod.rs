//! The whole product on one machine.

mod data;
mod deno;
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
use rustix::process::Signal;

use self::data::DataFolder;
use self::postgres::Postgres;
use self::ready::ReadyFile;
use self::settings::FunctionVariables;
use self::supabase::Keys;
use self::supervisor::{PartOptions, Supervisor};
use crate::args::{DevOptions, Runtime};
use crate::artefacts::{self, Profile};
use crate::http;
use crate::ports::{self, Choice, Ports};
use crate::process::{Interrupted, POLL};
use crate::progress::{duration, say};
use crate::setup::{self, PostgresPackage};
use crate::workspace::{GATEWAY, Workspace};

pub use self::deno::write_import_map;
pub use self::ready::Ready;
pub use self::settings::{SIMULATED_STRIPE_KEY, Settings, Variables, token_name};

/// Runs a stack until Ctrl-C, which is success, or until a part of it ends, which is not.
pub fn run(workspace: &Workspace, options: &DevOptions) -> Result<ExitCode> {
    let begun = Instant::now();
    let choice = options.ports_from.map_or(Choice::Usual, Choice::From);
    let outcome = Stack::start(workspace, options, choice, true).and_then(|mut stack| {
        let took = duration(begun.elapsed());
        say(format_args!("\nready in {took}; Ctrl-C ends it\n{}\n", stack.ready.summary()));
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
    /// What each function is served with; nothing where there are no functions.
    pub variables: BTreeMap<String, Variables>,
    // Fields are dropped in this order: nobody finds a ready file of a stack that is gone.
    _ready_file: Option<ReadyFile>,
    supervisor: Supervisor,
    _data: DataFolder,
}

impl Stack {
    /// Builds what is needed, starts all parts and waits until each answers.
    pub fn start(workspace: &Workspace, options: &DevOptions, choice: Choice, echo: bool) -> Result<Self> {
        let settings = Settings::read(options.env_file.as_deref(), &workspace.root.join(".dev.vars"))?;
        let root = options.data.clone().unwrap_or_else(|| workspace.target.join("dev"));
        let data = DataFolder::open(&root)?;
        // One that a killed stack left behind would tell of services that are gone.
        options.ready_file.as_deref().map(ready::forget).transpose()?;
        // First of all, so that a port in use is not found out after minutes of building.
        let ports = ports::assign(choice)?;
        if !options.no_build {
            artefacts::build(workspace, options.profile(), options.runtime)?;
        }

        let mut starter = Starter::new(workspace, &data, ports);
        starter.start_simulators(&settings)?;
        let services = match settings.supabase() {
            Some((supabase_url, keys)) => {
                Services { supabase_url, keys, tokens: None, database_url: None, mail_url: None }
            }
            None => starter.start_supabase(setup::for_postgres(workspace)?, options.fresh)?,
        };
        let variables = starter.start_functions(options, &settings, &services, echo)?;

        let Starter { supervisor, pids, .. } = starter;
        let ready = describe(&ports, &settings, services, pids);
        let ready_file =
            options.ready_file.as_deref().map(|path| ReadyFile::write(path, &ready)).transpose()?;
        Ok(Self { ready, variables, _ready_file: ready_file, supervisor, _data: data })
    }

    /// Starts the product on free ports with an empty database and no real service.
    pub fn start_simulated(
        workspace: &Workspace,
        profile: Profile,
        runtime: Runtime,
        data: &Path,
        ready_file: PathBuf,
    ) -> Result<Self> {
        let options = DevOptions {
            ready_file: Some(ready_file),
            deployable: profile == Profile::Deployable,
            runtime,
            data: Some(data.to_owned()),
            fresh: true,
            env_file: Some("/dev/null".into()),
            ..DevOptions::default()
        };
        Self::start(workspace, &options, Choice::Free, false)
    }

    /// Starts a PostgreSQL of this package, empty, and the Supabase APIs over it: no functions, no simulators.
    pub fn start_supabase(
        workspace: &Workspace,
        package: PostgresPackage,
        root: &Path,
        ready_file: &Path,
    ) -> Result<Self> {
        let data = DataFolder::open(root)?;
        ready::forget(ready_file)?;
        let mut starter = Starter::new(workspace, &data, ports::assign(Choice::Free)?);
        let services = starter.start_supabase(package, true)?;
        let Starter { supervisor, pids, .. } = starter;
        let ready = services.ready(pids);
        let ready_file = ReadyFile::write(ready_file, &ready)?;
        Ok(Self { ready, variables: BTreeMap::new(), _ready_file: Some(ready_file), supervisor, _data: data })
    }

    /// # Errors
    /// If a part has ended, or on Ctrl-C.
    pub fn check(&mut self) -> Result<()> {
        self.supervisor.check()
    }

    /// Stops everything and answers the names of the parts of which a process is left, which is none.
    pub fn stop(mut self) -> Vec<&'static str> {
        self._ready_file = None;
        self.supervisor.stop()
    }
}

/// Where data and Auth are.
struct Services {
    supabase_url: String,
    keys: Keys,
    /// For each role of the functions; none where the secret key has to serve.
    tokens: Option<Variables>,
    database_url: Option<String>,
    mail_url: Option<String>,
}

impl Services {
    fn ready(self, pids: BTreeMap<&'static str, u32>) -> Ready {
        Ready {
            web_url: None,
            functions_url: None,
            supabase_url: self.supabase_url,
            publishable_key: self.keys.publishable_key,
            secret_key: self.keys.secret_key,
            database_url: self.database_url,
            mail_url: self.mail_url,
            stripe_webhook_secret: None,
            simulators: BTreeMap::new(),
            pids,
        }
    }
}

/// A stack under construction.
struct Starter<'a> {
    workspace: &'a Workspace,
    data: &'a DataFolder,
    ports: Ports,
    supervisor: Supervisor,
    pids: BTreeMap<&'static str, u32>,
}

impl<'a> Starter<'a> {
    fn new(workspace: &'a Workspace, data: &'a DataFolder, ports: Ports) -> Self {
        Self { workspace, data, ports, supervisor: Supervisor::new(data.logs()), pids: BTreeMap::new() }
    }

    fn start(&mut self, name: &'static str, stop: Signal, echo: bool, command: &mut Command) -> Result<u32> {
        let options = PartOptions { name, stop, echo, ends_last: name == "postgres" };
        let pid = self.supervisor.start(options, command)?;
        self.pids.insert(name, pid);
        Ok(pid)
    }

    /// Starts them without waiting: they come up beside PostgreSQL.
    fn start_simulators(&mut self, settings: &Settings) -> Result<()> {
        if settings.all_real() {
            return Ok(());
        }
        let mut command = Command::new(self.workspace.npm_bin("node"));
        command.arg(self.workspace.root.join("tests/simulators/main.ts"));
        command.envs(Settings::for_simulators(&self.ports));
        self.start("simulators", Signal::TERM, false, &mut command).map(drop)
    }

    fn start_supabase(&mut self, package: PostgresPackage, fresh: bool) -> Result<Services> {
        if fresh {
            self.data.forget_keys()?;
        }
        let postgres = Postgres::prepare(package, self.data, self.ports.postgres, fresh)?;
        let pid = self.start("postgres", Signal::INT, false, &mut postgres.command())?;
        self.supervisor.wait_until_ready(|| postgres.is_ready(pid))?;

        let (state, port) = (self.data.supabase(), self.ports.supabase);
        let mut command =
            supabase::command(self.workspace, &state, &postgres.url(), port, &local(self.ports.web));
        self.start("supabase", Signal::TERM, false, &mut command)?;
        self.supervisor
            .wait_until_ready(|| http::status(port, "/health").is_ok_and(|status| status == 200))?;
        let (keys, tokens) = supabase::read_keys(&state)?;
        Ok(Services {
            supabase_url: local(port),
            keys,
            tokens: Some(tokens),
            database_url: Some(postgres.url()),
            mail_url: Some(local(port) + "/mail"),
        })
    }

    fn start_functions(
        &mut self,
        options: &DevOptions,
        settings: &Settings,
        services: &Services,
        echo: bool,
    ) -> Result<BTreeMap<String, Variables>> {
        let variables = FunctionVariables {
            common: settings.for_functions(&self.ports, &services.supabase_url, &services.keys),
            tokens: services.tokens.clone(),
        };
        let port = self.ports.web;
        let (workspace, folder) = (self.workspace, &self.data.root);
        let mut command = match options.runtime {
            Runtime::Workerd => workerd::command(workspace, options.profile(), folder, port, &variables)?,
            Runtime::Deno => deno::command(workspace, options.profile(), folder, port, &variables)?,
        };
        self.start("functions", Signal::TERM, echo, &mut command)?;

        let functions = self.workspace.functions.iter().filter(|function| function.name != GATEWAY);
        let paths: Vec<_> = functions.map(|function| format!("/functions/v1/{}", function.name)).collect();
        let mut simulators = Vec::new();
        if self.pids.contains_key("simulators") {
            simulators.extend([self.ports.spotify, self.ports.llm, self.ports.stripe]);
        }
        self.supervisor.wait_until_ready(|| {
            // A function refuses a GET, which is an answer; 500 says that it did not even start.
            paths.iter().all(|path| http::status(port, path).is_ok_and(|status| status != 500))
                && simulators
                    .iter()
                    .all(|port| http::status(*port, "/__control/log").is_ok_and(|it| it == 200))
        })?;
        let functions = self.workspace.functions.iter();
        Ok(functions.map(|function| (function.name.clone(), variables.of(function))).collect())
    }
}

fn describe(
    ports: &Ports,
    settings: &Settings,
    services: Services,
    pids: BTreeMap<&'static str, u32>,
) -> Ready {
    let web_url = local(ports.web);
    let simulated = [
        ("spotify", settings.real_spotify, ports.spotify),
        ("llm", settings.real_llm, ports.llm),
        ("stripe", settings.real_stripe, ports.stripe),
    ];
    Ready {
        functions_url: Some(format!("{web_url}/functions/v1")),
        web_url: Some(web_url),
        stripe_webhook_secret: Some(settings.webhook_secret()),
        simulators: simulated
            .into_iter()
            .filter(|(_, is_real, _)| !is_real)
            .map(|(name, _, port)| (name, local(port)))
            .collect(),
        ..services.ready(pids)
    }
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
