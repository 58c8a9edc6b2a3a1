//! The scheduled jobs of the database: without them old sessions stay, and after three months no new one can be stored.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::configuration::Configuration;
use super::{Outcome, Step, supabase};
use project::workspace::Workspace;

/// The step that asks the database for its jobs and for next month's partition.
pub fn step(workspace: &Workspace, configuration: &Configuration) -> Result<Step> {
    let arguments = ["db", "query", "--read-only", "--output-format", "json"];
    let mut command = supabase::on_database(workspace, configuration, &arguments)?;
    command
        .arg("--file")
        .arg(workspace.root.join("tools/deploy/assets/schedule.sql"));
    let remedy = "Without SUPABASE_DB_URL the access token needs the permission database_read for this (docs/deploy.md). Until it \
                  has it, look in the SQL editor: `select jobname from cron.job` has to list delete_old_ai_sessions, \
                  maintain_ai_sessions_partitions, forget_expired and trim_catalogue_memory.";
    Ok(Step {
        judge: Some(judge),
        ..Step::new("scheduled jobs", command, remedy)
    })
}

/// The row that tools/deploy/assets/schedule.sql returns.
#[derive(Deserialize)]
struct Schedule {
    has_pg_cron: bool,
    missing_jobs: String,
    next_month: String,
    has_next_partition: bool,
}

/// Reads what the CLI prints.
pub fn judge(printed: &str) -> Result<Outcome> {
    let rows: Vec<Schedule> =
        serde_json::from_str(printed).context("the output has another form")?;
    let schedule = rows.into_iter().next().context("the output is empty")?;
    Ok(schedule.judge())
}

impl Schedule {
    fn judge(self) -> Outcome {
        let Self {
            has_pg_cron,
            missing_jobs,
            next_month,
            has_next_partition,
        } = self;
        if !has_next_partition {
            return Outcome::Failed {
                problem: format!(
                    "ai_sessions has no partition for {next_month}: no playlist could be generated in that month"
                ),
                remedy: "Run `select private.ensure_ai_sessions_partitions();` in the SQL editor, find out why the daily job \
                         did not (`select * from cron.job_run_details order by start_time desc limit 5`), and deploy again."
                    .into(),
            };
        }
        if missing_jobs.is_empty() {
            return Outcome::Fine;
        }
        if has_pg_cron {
            return Outcome::Failed {
                problem: format!("the database does not run: {missing_jobs}"),
                remedy: "Turn pg_cron on (Database → Extensions), run the last statement of \
                         supabase/migrations/20261126001400_scheduled_jobs.sql in the SQL editor, which may be repeated, and \
                         deploy again."
                    .into(),
            };
        }
        Outcome::Warning(format!(
            "the database has no pg_cron and does not run: {missing_jobs}. Run them by other means: \
             supabase/README.md, \"Where pg_cron is missing\". Otherwise no playlist can be generated after three months."
        ))
    }
}
