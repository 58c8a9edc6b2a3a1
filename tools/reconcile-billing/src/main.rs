//! Compares every profile's plan with Stripe and, with `--apply`, corrects the differences.
//!
//! Stripe gives up on an event after three days, and no later event makes up for it. This program finds what such an
//! outage has left. It reads the variables of the function stripe-webhook, except for the signing secrets.
//!
//! Exit code: 0 if all agree (or do now), 1 if some do not, 2 if it could not be determined.

mod reconcile;

use std::process::ExitCode;

use anyhow::{Result, bail};
use native::{NativeClock, NativeHttp, NativeRandom};
use shared::config::Problems;
use shared::runtime::clock::Clock;
use shared::stripe::{Stripe, StripeConfig};
use shared::supabase::{Supabase, SupabaseConfig};

use crate::reconcile::{Mode, Reconcile};

const DIFFERENT: u8 = 1;
const FAILED: u8 = 2;
/// The deadline of the whole run. A page of a hundred subscriptions takes a second, so this is enough for some
/// millions.
const DEADLINE_MS: u64 = 12 * 60 * 60 * 1000;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(DIFFERENT),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run() -> Result<bool> {
    let mut mode = Mode::DryRun;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--apply" => mode = Mode::Apply,
            other => bail!("there is no option {other}; there is --apply"),
        }
    }
    let variable = |name: &str| std::env::var(name).ok();
    let mut problems = Problems::default();
    let stripe = problems.take(StripeConfig::from_env(variable));
    let supabase = problems.take(SupabaseConfig::from_env(variable));
    let (stripe, supabase) = problems.finish(|| Some((stripe?, supabase?)))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (http, clock) = (NativeHttp::new()?, NativeClock);
        let stripe = Stripe::new(&stripe, &http, &clock, clock.now_ms() + DEADLINE_MS);
        let service = Supabase::new(&supabase, &http).service();
        let report = Reconcile::new(&stripe, &service, &NativeRandom, mode)
            .run()
            .await?;
        print!("{report}");
        Ok(report.agrees())
    })
}
