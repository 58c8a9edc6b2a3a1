//! Asks the configured language model for a few songs in the same way as the functions, and reports the result.
//!
//! Exit code: 0 if a user would get songs, 1 if not, 2 if the configuration is incomplete.

mod check;
mod diagnosis;
mod observed;
mod report;

use std::process::ExitCode;

use anyhow::Result;
use native::{NativeClock, NativeHttp};
use shared::llm::LlmConfig;

use crate::check::Check;
use crate::report::Report;

const NO_SONGS: u8 = 1;
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            print!("{report}");
            if report.is_good() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(NO_SONGS)
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run() -> Result<Report> {
    let config = LlmConfig::from_env(|name| std::env::var(name).ok())?;
    let http = NativeHttp::new()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let check = runtime.block_on(Check::run(&config, &http, NativeClock));
    Ok(Report::of(&config, &http, check))
}
