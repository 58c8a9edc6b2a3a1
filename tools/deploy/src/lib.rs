//! Deploys the database and the functions: checks, migrates, deploys, verifies the health.

mod cloudflare;
mod configuration;
mod options;
mod schedule;
mod supabase;
mod token;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use self::configuration::Configuration;
pub use self::options::{Environment, Options, Target, TokenOptions};
pub use self::token::print as print_token;
use project::files;
use project::process::{self, Interrupted};
use project::progress::say;
use project::workspace::Workspace;

/// One step of a deployment.
struct Step {
    /// The name of the step, such as "account".
    name: String,
    /// The command of the step.
    command: Command,
    /// The command for a dry run without an account; `None` if that is impossible.
    rehearsal: Option<Command>,
    /// The remedy if the step fails.
    remedy: String,
    /// Judges what the command prints on the standard output.
    judge: Option<fn(&str) -> Result<Outcome>>,
}

/// The outcome of a step.
enum Outcome {
    Fine,
    /// The deployment continues, and ends with this warning.
    Warning(String),
    /// The step has failed.
    Failed {
        problem: String,
        remedy: String,
    },
}

/// Deploys, or rehearses everything that needs no account.
pub fn run(
    workspace: &Workspace,
    options: &Options,
    build: impl FnOnce() -> Result<()>,
) -> Result<ExitCode> {
    let environment = options.environment.name();
    let default = workspace.root.join(format!(".env.{environment}"));
    let default = default.exists().then_some(default);
    let file = options.env_file.as_ref().or(default.as_ref());
    let configuration = Configuration::read(file.map(PathBuf::as_path))?;
    let mut problems = configuration.problems(&workspace.functions, options);
    if file.is_none() {
        let missing = format!(".env.{environment} does not exist: copy .dev.vars.example to it");
        problems.insert(0, missing);
    }
    problems.extend(configuration.refusals(workspace)?);
    for problem in &problems {
        say(format_args!("not ready: {problem}"));
    }
    if !problems.is_empty() && !options.dry_run {
        bail!("nothing was changed; docs/deploy.md explains where each value comes from");
    }
    build()?;

    let secrets = SecretsFolder::create(workspace, environment)?;
    let mut steps = migrations(workspace, &configuration)?;
    steps.push(schedule::step(workspace, &configuration)?);
    steps.extend(match options.target {
        Target::Cloudflare => cloudflare::steps(workspace, &configuration, environment, &secrets)?,
        Target::Supabase => supabase::steps(workspace, &configuration, &secrets)?,
    });
    steps.push(health(workspace, &configuration, options.target)?);
    if options.dry_run {
        rehearse(steps, problems.len())
    } else {
        carry_out(steps)
    }
}

fn carry_out(steps: Vec<Step>) -> Result<ExitCode> {
    let total = steps.len();
    let mut warnings = Vec::new();
    for (index, mut step) in steps.into_iter().enumerate() {
        say(format_args!("\n== {}/{total} {}", index + 1, step.name));
        match step.carry_out() {
            Ok(Outcome::Fine) => {}
            Ok(Outcome::Warning(warning)) => {
                say(format_args!("warning: {warning}"));
                warnings.push(warning);
            }
            Ok(Outcome::Failed { problem, remedy }) => {
                say(format_args!(
                    "\n{} failed: {problem}\nwhat to do: {remedy}",
                    step.name
                ));
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error),
        }
    }
    say("\ndeployed, and everything responds");
    for warning in warnings {
        say(format_args!("warning: {warning}"));
    }
    Ok(ExitCode::SUCCESS)
}

impl Step {
    fn new(name: &str, command: Command, remedy: &str) -> Self {
        Self {
            name: name.to_owned(),
            command,
            rehearsal: None,
            remedy: remedy.to_owned(),
            judge: None,
        }
    }

    /// # Errors
    /// Only on Ctrl-C. A check that cannot run is a warning, because its subject may be correct.
    fn carry_out(&mut self) -> Result<Outcome> {
        let outcome = match self.judge {
            None => process::run(&mut self.command).map(|()| Outcome::Fine),
            Some(judge) => {
                process::stdout_of(&mut self.command).and_then(|printed| judge(&printed))
            }
        };
        match outcome {
            Err(error) if error.is::<Interrupted>() => Err(error),
            Err(error) if self.judge.is_some() => Ok(Outcome::Warning(format!(
                "{} could not be checked: {error:#}. {}",
                self.name, self.remedy
            ))),
            Err(error) => Ok(Outcome::Failed {
                problem: format!("{error:#}"),
                remedy: std::mem::take(&mut self.remedy),
            }),
            outcome => outcome,
        }
    }
}

/// Runs all steps even if one fails, to report all problems at once.
fn rehearse(steps: Vec<Step>, problems: usize) -> Result<ExitCode> {
    let (total, mut failed) = (steps.len(), problems);
    for (index, step) in steps.into_iter().enumerate() {
        say(format_args!(
            "\n== {}/{total} {} (dry run)",
            index + 1,
            step.name
        ));
        let Some(mut rehearsal) = step.rehearsal else {
            say(format_args!("would run: {}", shown(&step.command)));
            continue;
        };
        match process::run(&mut rehearsal) {
            Ok(()) => {}
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                failed += 1;
                say(format_args!("{error:#}"));
            }
        }
    }
    if failed > 0 {
        say(format_args!(
            "\nnot ready: {failed} of the above would keep it from being deployed"
        ));
        return Ok(ExitCode::FAILURE);
    }
    say("\nready: nothing was changed");
    Ok(ExitCode::SUCCESS)
}

/// The command as a user would type it. Secrets are in files and in the environment.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Migrations come first: they only add to the schema, so the functions that are deployed still work with it.
fn migrations(workspace: &Workspace, configuration: &Configuration) -> Result<Vec<Step>> {
    let push = |arguments: &[&str]| -> Result<Command> {
        let mut command =
            supabase::on_database(workspace, configuration, &["db", "push", "--skip-vault"])?;
        command.args(arguments);
        Ok(command)
    };
    // Only the database knows which are missing.
    let reachable = configuration.reaches_database();
    let missing = Step::new(
        "which migrations are missing",
        push(&["--dry-run"])?,
        "Nothing was changed; the message above is the Supabase CLI's. A refused password or token: are \
         SUPABASE_ACCESS_TOKEN and SUPABASE_DB_PASSWORD those of this project? No connection: is the project paused? \
         A network without IPv6: put the session pooler's URL (Connect, in the dashboard) into SUPABASE_DB_URL.",
    );
    let rehearsal = reachable.then(|| push(&["--dry-run"])).transpose()?;
    let migrations = Step::new(
        "migrations",
        push(&[])?,
        "The message above is the Supabase CLI's. The migration that failed was rolled back, those before it stay, \
         and the deployed functions still work with them. Correct the cause and deploy again; an applied migration is never \
         edited, another one follows it.",
    );
    Ok(vec![
        Step {
            rehearsal,
            ..missing
        },
        migrations,
    ])
}

/// Checks the health of the deployed functions.
fn health(workspace: &Workspace, configuration: &Configuration, target: Target) -> Result<Step> {
    let mut command = Command::new(workspace.npm_bin("node"));
    command.arg(workspace.root.join("tools/deploy/assets/health.ts"));
    command.env("HEALTH_TOKEN", configuration.value("HEALTH_TOKEN"));
    match target {
        Target::Cloudflare => command.arg(format!("{}/health", configuration.origin())),
        Target::Supabase => command.args(workspace.edge_functions().map(|function| {
            format!(
                "{}/functions/v1/{}/health",
                configuration.value("SUPABASE_URL"),
                function.name
            )
        })),
    };
    let remedy = match target {
        Target::Cloudflare => {
            "docs/operations.md explains everything under `missing`, which is shown if HEALTH_TOKEN is set. `npx wrangler rollback --name <worker>` restores a worker's \
             previous version; a worker that was never deployed before has none."
        }
        Target::Supabase => {
            "docs/operations.md explains everything under `missing`, which is shown if HEALTH_TOKEN is set. To go back, check out the previous release and deploy it: \
             Supabase keeps no versions."
        }
    };
    Ok(Step::new("health", command, remedy))
}

/// A folder for values that tools read from files; it is removed at the end in any case.
struct SecretsFolder(std::path::PathBuf);

impl SecretsFolder {
    fn create(workspace: &Workspace, environment: &str) -> Result<Self> {
        let folder = workspace.target.join("deploy").join(environment);
        files::remove_folder(&folder)?;
        files::create_folder(&folder)?;
        Ok(Self(folder))
    }

    fn write(&self, name: &str, text: &str) -> Result<std::path::PathBuf> {
        let path = self.0.join(name);
        files::write_private(&path, text).context("the variables to hand over")?;
        Ok(path)
    }
}

impl Drop for SecretsFolder {
    fn drop(&mut self) {
        let _ = files::remove_folder(&self.0); // A folder that remains is readable by its owner only.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_databases_password_in_its_environment_alone() {
        let folder = std::env::temp_dir().join(format!("deploy-{}", std::process::id()));
        files::write_private(
            &folder,
            "SUPABASE_DB_URL=postgresql://postgres:hunter2@db.example/postgres",
        )
        .unwrap();
        let configuration = Configuration::read(Some(&folder)).unwrap();
        std::fs::remove_file(&folder).unwrap();
        let workspace = Workspace::open().unwrap();
        let mut steps = migrations(&workspace, &configuration).unwrap();
        steps.push(schedule::step(&workspace, &configuration).unwrap());
        for Step { command, .. } in steps {
            assert!(shown(&command).contains("--remote=postgresql://postgres@db.example/postgres"));
            assert!(!shown(&command).contains("hunter2"), "{}", shown(&command));
            let password = command.get_envs().find(|(name, _)| *name == "PGPASSWORD");
            assert_eq!(password.unwrap().1.unwrap(), "hunter2");
        }
    }

    fn step(script: &str, judge: Option<fn(&str) -> Result<Outcome>>) -> Step {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Step {
            judge,
            ..Step::new("a step", command, "Correct it.")
        }
    }

    #[test]
    fn a_command_that_fails_is_a_failed_step_with_its_remedy() {
        let Outcome::Failed { problem, remedy } = step("exit 3", None).carry_out().unwrap() else {
            panic!()
        };
        assert!(problem.contains("exit status: 3"), "{problem}");
        assert_eq!(remedy, "Correct it.");
        assert!(matches!(
            step("exit 0", None).carry_out().unwrap(),
            Outcome::Fine
        ));
    }

    #[test]
    fn a_question_that_gets_no_usable_answer_is_a_warning_with_its_remedy() {
        for script in [
            "exit 3",
            "echo []",
            "echo '{}'",
            "echo '[{\"has_pg_cron\":true}]'",
        ] {
            let outcome = step(script, Some(schedule::judge)).carry_out().unwrap();
            let Outcome::Warning(warning) = outcome else {
                panic!("{script}")
            };
            assert!(
                warning.starts_with("a step could not be checked: "),
                "{warning}"
            );
            assert!(warning.ends_with("Correct it."), "{warning}");
        }
    }
}
