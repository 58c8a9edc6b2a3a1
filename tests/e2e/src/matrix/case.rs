//! One operation, one call, one fault.

use serde_json::Value;

use super::calls::{self, Call};
use super::checks;
use super::expected;
use super::operations::{COLD, Impact, OPERATIONS, Operation, Scenario};
use super::scenario::{Outcome, Subject};
use super::worker::{SeenCall, Worker};
use crate::faults::{Fault, LONG_SECONDS};

/// How often a client repeats the operation once all upstreams work; every claim has expired in between.
const REPETITIONS: usize = 3;

/// If one of these fails, the lock on replacing a token is held until it expires, and a repeat waits.
const HOLDING: [Call; 3] = [calls::SWAP_TOKENS, calls::RELEASE_TOKENS, calls::EXPIRE_LINK];

pub struct Case {
    operation: &'static Operation,
    call: Call,
    impact: Impact,
    fault: Fault,
    before: usize,
}

/// Runs an operation without a fault, compares its calls with the list, and returns the cases of its calls.
pub async fn record(worker: &Worker, operation: &'static Operation) -> Vec<Case> {
    let mut subject = Subject::prepare(worker, operation.scenario).await;
    Subject::script(worker, operation.scenario);
    worker.calls();
    let outcome = subject.attempt(worker, operation).await.unwrap();
    worker.restore().await;
    let name = operation.name();
    let is_healthy = operation.scenario == Scenario::Health && outcome.status == 200;
    assert!((outcome.status, outcome.code.as_str()) == operation.ends || is_healthy, "{name}: {outcome:?}");
    let seen = worker.calls();
    let unlisted = unlisted(operation.function, &seen);
    assert!(unlisted.is_empty(), "{name} makes calls that are not listed: {unlisted:?}");
    let mut cases = Vec::new();
    for &(call, impact) in operation.tested {
        let before = before(&seen, call).unwrap_or_else(|| panic!("{name} does not call {call}: {seen:?}"));
        let faults = Fault::ALL.iter().filter(|fault| expected::can_happen(**fault, call));
        cases.extend(faults.map(|&fault| Case { operation, call, impact, fault, before }));
    }
    cases
}

/// The requests to the same upstream before a call, without those for the keys, which are fetched once.
fn before(calls: &[SeenCall], call: Call) -> Option<usize> {
    let mut theirs = calls.iter().filter(|(upstream, _, path)| {
        *upstream == call.upstream && (path != calls::JWKS.path || call == calls::JWKS)
    });
    theirs.position(|(upstream, method, path)| call.fits(*upstream, method, path))
}

fn unlisted(function: &str, seen: &[SeenCall]) -> Vec<String> {
    let operations = OPERATIONS.iter().chain(COLD).filter(|operation| operation.function == function);
    let listed: Vec<Call> = operations
        .flat_map(|it| it.tested.iter().map(|(call, _)| *call).chain(it.others.iter().copied()))
        .collect();
    let is_listed = |(upstream, method, path): &&SeenCall| {
        // The test itself asks for the page of the consent through the same proxy.
        path == "/authorize" || listed.iter().any(|call| call.fits(*upstream, method, path))
    };
    seen.iter().filter(|it| !is_listed(it)).map(|(_, method, path)| format!("{method} {path}")).collect()
}

impl Case {
    pub fn cold(operation: &'static Operation, fault: Fault) -> Option<Self> {
        let (call, impact) = operation.tested[0];
        expected::can_happen(fault, call).then_some(Self { operation, call, impact, fault, before: 0 })
    }

    pub fn name(&self) -> String {
        format!("{} / {} / {:?}", self.operation.name(), self.call, self.fault)
    }

    pub fn seconds(&self) -> u64 {
        if self.fault.is_slow() { self.operation.seconds } else { 0 }
    }

    pub async fn run(&self, worker: &Worker) -> Vec<String> {
        let Self { operation, call, .. } = self;
        let mut subject = Subject::prepare(worker, operation.scenario).await;
        Subject::script(worker, operation.scenario);
        worker.calls();
        worker.inject(*call, self.fault, self.before).await;
        let outcome = subject.attempt(worker, operation).await;
        let injected = worker.restore().await;
        // The function may still be working.
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(hung) => return vec![hung],
        };
        let mut wrong = self.judge(&outcome);
        if injected == 0 {
            wrong.push("the call was not made".to_owned());
        }
        let unlisted = unlisted(operation.function, &worker.calls());
        if !unlisted.is_empty() {
            wrong.push(format!("calls that are not listed: {unlisted:?}"));
        }
        if !self.is_done(&outcome) {
            wrong.extend(self.repeat(worker, &mut subject, outcome).await);
        }
        // The tracks that the stream sent are charged, although its end could not be sent.
        let is_open = operation.scenario == Scenario::Stream && *call == calls::SETTLE;
        wrong.extend(checks::state(worker, operation, &subject, is_open).await);
        let log = worker.log();
        wrong.extend(checks::log(worker, &log));
        if !wrong.is_empty() {
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let causes: Vec<_> = lines.filter_map(|line| line["cause"].as_str().map(str::to_owned)).collect();
            wrong.push(format!("the log names the causes {causes:?}"));
        }
        wrong
    }

    fn judge(&self, outcome: &Outcome) -> Vec<String> {
        let Outcome { status, code, retry_after, body, is_stream } = outcome;
        let allowed = expected::endings(self.operation, self.call, self.impact, self.fault);
        let mut wrong = Vec::new();
        if !allowed.iter().any(|ending| (*is_stream || *status == ending.0) && code == ending.1) {
            wrong.push(format!("expected {allowed:?}, got {status} {code}: {body}"));
        }
        let says_when = *is_stream || *retry_after == Some(LONG_SECONDS);
        if code.ends_with("_rate_limited") && self.fault == Fault::LongRateLimit && !says_when {
            wrong.push(format!("Retry-After is {retry_after:?}"));
        }
        wrong
    }

    fn is_done(&self, outcome: &Outcome) -> bool {
        use Scenario::{DeleteUnconfirmed, ExportNothing, PortalWithoutCustomer};
        let always_fails =
            matches!(self.operation.scenario, ExportNothing | PortalWithoutCustomer | DeleteUnconfirmed);
        let is_usual = (outcome.status, outcome.code.as_str()) == self.operation.ends;
        outcome.is_success() || outcome.code == "ok" || always_fails && is_usual
    }

    /// The client repeats the operation, now without faults, until it succeeds.
    async fn repeat(&self, worker: &Worker, subject: &mut Subject, failed: Outcome) -> Option<String> {
        let mut last = failed;
        for repetition in 0..REPETITIONS {
            if repetition > 0 || HOLDING.contains(&self.call) {
                subject.expire_holds(worker).await;
            }
            subject.before_repeat(worker, self.operation.scenario, &last).await;
            match subject.attempt(worker, self.operation).await {
                Ok(outcome) if self.is_done(&outcome) => return None,
                Ok(outcome) => last = outcome,
                Err(hung) => return Some(format!("once everything worked: {hung}")),
            }
        }
        Some(format!("once everything worked: {} {}", last.status, last.code))
    }
}
