//! The command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::artefacts::Profile;
use crate::bench::PARTS;
use crate::function_token::TokenOptions;
use crate::test::{STAGES, Tier};

/// Where it is set, `dev` runs what is deployed.
pub const DEPLOYABLE_VARIABLE: &str = "SOUND_WHISKERS_DEPLOYABLE";

pub const HELP: &str = "\
Usage: cargo xtask <command>

  bench    measurements, as ratios; tables below target/bench
  build    the deployable artefacts for Cloudflare and Deno, with their sizes
  check    the everyday check: format, lints, types and the tests that need no stack
  deploy   the database and the functions, to a platform
  dev      the whole product on this machine, until Ctrl-C
  test     what a change must pass, with one line per stage
  function-token  the token by which a deployed function is its role in the database
  reconcile-billing  every profile's plan compared with Stripe
  check-llm  what the configured language model supports, and what is wrong with its configuration

dev:
  --ready-file PATH         written as JSON when everything answers, removed at the end
  --runtime workerd|deno    what runs the functions (workerd)
  --deployable              run what is deployed, which takes longer to build
  --ports-from N            ports N, N+1, …; else 8787 for the page and free ones for the rest
  --data DIR                where the database and the logs are kept (below target/)
  --fresh                   begin with an empty database
  --no-build                run what was built the last time, as it is
  --env-file FILE           credentials of real services, which replace the simulators (.dev.vars)

test:
  --full                    everything there is, as CI runs it
  --only STAGE[,STAGE…]     these stages alone, of: format, lint-native, build, lint-wasm, docs,
                            native-tests, fuzz, wasm-pack, wasm-tests, types, stand-ins, page, openapi, pgtap, database,
                            mutations, conformance, end-to-end, histories, load, faults, crashes, models, supabase-js, stripe-sdk,
                            openapi-live, schemathesis, deploy, browser, end-to-end-deno, faults-deno,
                            browser-deno, openapi-live-deno, schemathesis-deno, pgtap-15, database-15,
                            cron-15, conformance-15, database-lint

deploy cloudflare|supabase:
  --env staging|production  which of the two (staging)
  --env-file FILE           what it is configured with (.env.staging, .env.production)
  --dry-run                 everything that can be tried without an account; nothing is changed

bench:
  --only PART[,PART…]       these parts alone, of: stripe-webhook, ai-playlist, start-up, functions,
                            matching, database
  --scale small|full        how much is in the database: a minute's worth, or a million playlists (small)
  --record                  the results, with the machine's data, into docs/bench

function-token:
  --role ROLE               fn_ai, fn_spotify, fn_billing or fn_account
  --key FILE                a private signing key of the project (ES256, as a JWK)
  --days N                  how long it is valid (365)

reconcile-billing:
  --apply                   corrects what differs; without it nothing is changed
  --env-file FILE           the project's URL and keys and Stripe's key (.dev.vars, or the environment)
  --ready-file PATH         instead: the stack that wrote it, with its simulator

check-llm:
  --env-file FILE           the model's URL, key and name (.dev.vars, or the environment)

Everything that is missing is installed once, into the user's cache.
";

const DEFAULT_TOKEN_DAYS: u64 = 365;
const MAX_TOKEN_DAYS: u64 = 3650;

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Bench(BenchOptions),
    Build,
    Deploy(DeployOptions),
    Dev(DevOptions),
    Test(TestOptions),
    FunctionToken(TokenOptions),
    ReconcileBilling(ReconcileOptions),
    /// With the env file.
    CheckLlm(Option<PathBuf>),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReconcileOptions {
    pub apply: bool,
    pub env_file: Option<PathBuf>,
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct DevOptions {
    pub ready_file: Option<PathBuf>,
    pub profile: Profile,
    pub runtime: Runtime,
    pub ports_from: Option<u16>,
    pub data: Option<PathBuf>,
    pub fresh: bool,
    pub no_build: bool,
    pub env_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    #[default]
    Workerd,
    Deno,
}

#[derive(Debug, PartialEq, Eq)]
pub struct DeployOptions {
    pub target: DeployTarget,
    pub environment: Environment,
    pub env_file: Option<PathBuf>,
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployTarget {
    Cloudflare,
    Supabase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    #[default]
    Staging,
    Production,
}

impl Runtime {
    pub fn name(self) -> &'static str {
        match self {
            Self::Workerd => "workerd",
            Self::Deno => "deno",
        }
    }
}

impl Environment {
    /// As the wrangler.toml files call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct BenchOptions {
    /// The names of the parts to run; empty for all of them.
    pub only: Vec<String>,
    pub scale: Scale,
    pub record: bool,
}

/// How much is in the database that is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    #[default]
    Small,
    Full,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// The names of the stages to run; empty for all of the tier.
    pub only: Vec<String>,
    pub tier: Tier,
}

pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command> {
    let mut arguments = Arguments { rest: arguments.collect::<Vec<_>>().into_iter() };
    let Some(name) = arguments.rest.next() else { return Ok(Command::Help) };
    if arguments.rest.as_slice().iter().any(|argument| argument == "--help" || argument == "-h") {
        return Ok(Command::Help);
    }
    match name.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "bench" => parse_bench(arguments).map(Command::Bench),
        "build" => arguments.none_left("build").map(|()| Command::Build),
        "check" => arguments
            .none_left("check")
            .map(|()| Command::Test(TestOptions { tier: Tier::Check, ..TestOptions::default() })),
        "deploy" => parse_deploy(arguments).map(Command::Deploy),
        "dev" => parse_dev(arguments).map(Command::Dev),
        "test" => parse_test(arguments).map(Command::Test),
        "function-token" => parse_function_token(arguments).map(Command::FunctionToken),
        "reconcile-billing" => parse_reconcile(arguments).map(Command::ReconcileBilling),
        "check-llm" => parse_check_llm(arguments).map(Command::CheckLlm),
        other => bail!("there is no command `{other}`; `cargo xtask --help` lists them"),
    }
}

struct Arguments {
    rest: std::vec::IntoIter<String>,
}

impl Arguments {
    /// The next option and, where it was written `--option=value`, its value.
    fn next_option(&mut self) -> Option<(String, Option<String>)> {
        let argument = self.rest.next()?;
        Some(match argument.split_once('=') {
            Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        })
    }

    fn value(&mut self, option: &str, inline: Option<String>) -> Result<String> {
        inline.or_else(|| self.rest.next()).with_context(|| format!("{option} needs a value"))
    }

    fn path(&mut self, option: &str, inline: Option<String>) -> Result<PathBuf> {
        let value = self.value(option, inline)?;
        std::path::absolute(&value).with_context(|| format!("{option} {value}"))
    }

    /// Names between commas, each of them known.
    fn names(
        &mut self,
        option: &str,
        inline: Option<String>,
        kind: &str,
        known: &[&str],
    ) -> Result<Vec<String>> {
        let value = self.value(option, inline)?;
        let chosen = value.split(',').map(str::trim);
        let name = |name: &str| match known.contains(&name) {
            true => Ok(name.to_owned()),
            false => bail!("there is no {kind} `{name}`; there are: {}", known.join(", ")),
        };
        chosen.map(name).collect()
    }

    fn none_left(&mut self, command: &str) -> Result<()> {
        match self.rest.next() {
            Some(argument) => unknown(command, &argument),
            None => Ok(()),
        }
    }
}

fn parse_dev(mut arguments: Arguments) -> Result<DevOptions> {
    let mut options = DevOptions::default();
    if std::env::var_os(DEPLOYABLE_VARIABLE).is_some() {
        options.profile = Profile::Deployable;
    }
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--ready-file" => options.ready_file = Some(arguments.path(&option, inline)?),
            "--data" => options.data = Some(arguments.path(&option, inline)?),
            "--env-file" => options.env_file = Some(arguments.path(&option, inline)?),
            "--runtime" => options.runtime = parse_runtime(&arguments.value(&option, inline)?)?,
            "--ports-from" => {
                let value = arguments.value(&option, inline)?;
                let port = value.parse().ok().filter(|port| *port > 0);
                options.ports_from =
                    Some(port.with_context(|| format!("--ports-from {value}: expected a port, 1 to 65535"))?);
            }
            "--deployable" if inline.is_none() => options.profile = Profile::Deployable,
            "--fresh" if inline.is_none() => options.fresh = true,
            "--no-build" if inline.is_none() => options.no_build = true,
            _ => return unknown("dev", &option),
        }
    }
    Ok(options)
}

fn parse_deploy(mut arguments: Arguments) -> Result<DeployOptions> {
    let target = match arguments.rest.next().as_deref() {
        Some("cloudflare") => DeployTarget::Cloudflare,
        Some("supabase") => DeployTarget::Supabase,
        Some(other) => bail!("deploy {other}: expected cloudflare or supabase"),
        None => bail!("deploy: expected cloudflare or supabase"),
    };
    let mut options =
        DeployOptions { target, environment: Environment::default(), env_file: None, dry_run: false };
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--env" => {
                options.environment = match arguments.value(&option, inline)?.as_str() {
                    "staging" => Environment::Staging,
                    "production" => Environment::Production,
                    other => bail!("--env {other}: expected staging or production"),
                };
            }
            "--env-file" => options.env_file = Some(arguments.path(&option, inline)?),
            "--dry-run" if inline.is_none() => options.dry_run = true,
            _ => return unknown("deploy", &option),
        }
    }
    Ok(options)
}

fn parse_runtime(value: &str) -> Result<Runtime> {
    match value {
        "workerd" => Ok(Runtime::Workerd),
        "deno" => Ok(Runtime::Deno),
        other => bail!("--runtime {other}: expected workerd or deno"),
    }
}

fn parse_test(mut arguments: Arguments) -> Result<TestOptions> {
    let mut options = TestOptions::default();
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--full" => options.tier = Tier::Full,
            "--only" => {
                let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
                options.only.extend(arguments.names(&option, inline, "stage", &names)?);
            }
            _ => return unknown("test", &option),
        }
    }
    Ok(options)
}

fn parse_bench(mut arguments: Arguments) -> Result<BenchOptions> {
    let mut options = BenchOptions::default();
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--only" => options.only.extend(arguments.names(&option, inline, "part", &PARTS)?),
            "--scale" => {
                options.scale = match arguments.value(&option, inline)?.as_str() {
                    "small" => Scale::Small,
                    "full" => Scale::Full,
                    other => bail!("--scale {other}: expected small or full"),
                }
            }
            "--record" if inline.is_none() => options.record = true,
            _ => return unknown("bench", &option),
        }
    }
    Ok(options)
}

fn parse_function_token(mut arguments: Arguments) -> Result<TokenOptions> {
    let (mut role, mut key, mut days) = (None, None, DEFAULT_TOKEN_DAYS);
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--role" => role = Some(arguments.value(&option, inline)?),
            "--key" => key = Some(arguments.path(&option, inline)?),
            "--days" => {
                let value = arguments.value(&option, inline)?;
                let parsed = value.parse().ok().filter(|days| (1..=MAX_TOKEN_DAYS).contains(days));
                days = parsed.with_context(|| format!("--days {value}: expected 1 to {MAX_TOKEN_DAYS}"))?;
            }
            _ => return unknown("function-token", &option),
        }
    }
    Ok(TokenOptions { role: role.context("--role is missing")?, key: key.context("--key is missing")?, days })
}

fn parse_reconcile(mut arguments: Arguments) -> Result<ReconcileOptions> {
    let mut options = ReconcileOptions::default();
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--apply" if inline.is_none() => options.apply = true,
            "--env-file" => options.env_file = Some(arguments.path(&option, inline)?),
            "--ready-file" => options.ready_file = Some(arguments.path(&option, inline)?),
            _ => return unknown("reconcile-billing", &option),
        }
    }
    if options.env_file.is_some() && options.ready_file.is_some() {
        bail!("--env-file or --ready-file, not both");
    }
    Ok(options)
}

fn parse_check_llm(mut arguments: Arguments) -> Result<Option<PathBuf>> {
    let mut env_file = None;
    while let Some((option, inline)) = arguments.next_option() {
        match option.as_str() {
            "--env-file" => env_file = Some(arguments.path(&option, inline)?),
            _ => return unknown("check-llm", &option),
        }
    }
    Ok(env_file)
}

fn unknown<T>(command: &str, argument: &str) -> Result<T> {
    bail!("`cargo xtask {command}` has no option `{argument}`; see `cargo xtask --help`")
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
