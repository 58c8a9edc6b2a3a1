//! One operation, one call, one fault.

use serde_json::Value;

use super::acts::{Outcome, Subject};
use super::aftermath;
use super::calls::{self, Call};
use super::lane::Lane;
use super::operations::{Act, COLD, OPERATIONS, Operation, Weight};
use super::rules;
use crate::faults::{Fault, LONG_SECONDS};

/// How often a client asks again when all is well, holds having ended in between.
const REPETITIONS: usize = 3;

/// Where these fail, the right to replace a token is held for a while, and who asks is kept waiting.
const HOLDING: [Call; 3] = [calls::SWAP_TOKENS, calls::RELEASE_TOKENS, calls::EXPIRE_LINK];

/// An operation with the requests that come before each of its calls, on the way to the same upstream.
pub struct Recorded {
    operation: &'static Operation,
    before: Vec<usize>,
}

impl Recorded {
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        let operation = self.operation;
        operation.struck.iter().zip(&self.before).flat_map(move |((call, weight), before)| {
            let faults = Fault::ALL.into_iter().filter(|fault| rules::can_strike(*fault, *call));
            faults.map(|fault| Cell { operation, call: *call, weight: *weight, fault, before: *before })
        })
    }
}

/// Runs an operation with nothing wrong but what belongs to it, and compares what it calls with the list.
pub async fn record(lane: &Lane, operation: &'static Operation) -> Recorded {
    let mut subject = Subject::prepare(lane, operation.act).await;
    Subject::worsen(lane, operation.act);
    lane.calls();
    let outcome = subject.attempt(lane, operation).await.unwrap();
    lane.lift().await;
    let name = operation.name();
    let ends = (outcome.status, outcome.code.as_str());
    let is_health = operation.act == Act::Health && outcome.status == 200;
    assert!(ends == operation.ends || is_health, "{name}: {outcome:?}");
    let seen = lane.calls();
    let unlisted = unlisted(operation.function, &seen);
    assert!(unlisted.is_empty(), "{name} makes calls that nobody has listed: {unlisted:?}");
    let before = operation.struck.iter().map(|(call, _)| {
        Lane::before(&seen, *call).unwrap_or_else(|| panic!("{name} does not call {call}: {seen:?}"))
    });
    Recorded { operation, before: before.collect() }
}

/// The calls of a function that stand in none of its operations.
fn unlisted(function: &str, seen: &[(calls::Upstream, String, String)]) -> Vec<String> {
    let listed: Vec<Call> = OPERATIONS
        .iter()
        .chain(COLD)
        .filter(|operation| operation.function == function)
        .flat_map(|it| it.struck.iter().map(|(call, _)| *call).chain(it.besides.iter().copied()))
        .collect();
    let is_listed = |(upstream, method, path): &&(calls::Upstream, String, String)| {
        // The page of the consent, which the harness asks through the same door.
        path == "/authorize" || listed.iter().any(|call| call.fits(*upstream, method, path))
    };
    seen.iter().filter(|it| !is_listed(it)).map(|(_, method, path)| format!("{method} {path}")).collect()
}

pub struct Cell {
    operation: &'static Operation,
    call: Call,
    weight: Weight,
    fault: Fault,
    before: usize,
}

impl Cell {
    /// One of a function that has just been started.
    pub fn cold(operation: &'static Operation, fault: Fault) -> Option<Self> {
        let (call, weight) = operation.struck[0];
        rules::can_strike(fault, call).then_some(Self { operation, call, weight, fault, before: 0 })
    }

    pub fn name(&self) -> String {
        format!("{} / {} / {:?}", self.operation.name(), self.call, self.fault)
    }

    /// How long it may take, to begin with those that take long.
    pub fn seconds(&self) -> u64 {
        if self.fault.is_slow() { self.operation.seconds } else { 0 }
    }

    /// Answers what is wrong.
    pub async fn run(&self, lane: &Lane) -> Vec<String> {
        let Self { operation, call, fault, .. } = self;
        let mut subject = Subject::prepare(lane, operation.act).await;
        Subject::worsen(lane, operation.act);
        lane.calls();
        lane.strike(*call, *fault, self.before).await;
        let outcome = subject.attempt(lane, operation).await;
        let struck = lane.lift().await;
        let mut wrong = match &outcome {
            Ok(outcome) => self.judge(outcome),
            Err(hung) => vec![hung.clone()],
        };
        if struck == 0 {
            wrong.push("the call was not made".to_owned());
        }
        let unlisted = unlisted(operation.function, &lane.calls());
        if !unlisted.is_empty() {
            wrong.push(format!("calls that nobody has listed: {unlisted:?}"));
        }
        // What a stream had sent is charged, although its end could not be told.
        let is_open = operation.act == Act::Stream && *call == calls::SETTLE;
        match outcome {
            Ok(outcome) if self.is_done(&outcome) => {}
            Ok(outcome) => wrong.extend(self.repeat(lane, &mut subject, outcome).await),
            // Whatever it still does is not waited for.
            Err(_) => return wrong,
        }
        wrong.extend(aftermath::complaints(lane, operation, &subject, is_open).await);
        let log = lane.log();
        wrong.extend(aftermath::told(lane, &log));
        if !wrong.is_empty() {
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let causes: Vec<_> = lines.filter_map(|line| line["cause"].as_str().map(str::to_owned)).collect();
            wrong.push(format!("the log tells the causes {causes:?}"));
        }
        wrong
    }

    fn judge(&self, outcome: &Outcome) -> Vec<String> {
        let allowed = rules::allowed(self.operation, self.call, self.weight, self.fault);
        let fits = |(status, code): &rules::Ending| {
            (outcome.is_stream || outcome.status == *status) && outcome.code == *code
        };
        let mut wrong = Vec::new();
        if !allowed.iter().any(fits) {
            wrong.push(format!(
                "expected {allowed:?}, got {} {}: {}",
                outcome.status, outcome.code, outcome.body
            ));
        }
        let says_when = outcome.is_stream || outcome.retry_after == Some(LONG_SECONDS);
        if outcome.code.ends_with("_rate_limited") && self.fault == Fault::LongRateLimit && !says_when {
            wrong.push(format!("Retry-After is {:?}", outcome.retry_after));
        }
        wrong
    }

    /// Whether the client has what it wanted.
    fn is_done(&self, outcome: &Outcome) -> bool {
        let always_ends_so =
            matches!(self.operation.act, Act::ExportNothing | Act::PortalOfNobody | Act::DeleteUnconfirmed);
        let as_ever = (outcome.status, outcome.code.as_str()) == self.operation.ends;
        outcome.is_success() || outcome.code == "ok" || always_ends_so && as_ever
    }

    /// All is well again: the client asks again until it has what it wanted.
    async fn repeat(&self, lane: &Lane, subject: &mut Subject, failed: Outcome) -> Option<String> {
        let mut last = failed;
        for repetition in 0..REPETITIONS {
            if repetition > 0 || HOLDING.contains(&self.call) {
                subject.wait_for_holds(lane).await;
            }
            subject.come_again(lane, self.operation.act, &last).await;
            match subject.attempt(lane, self.operation).await {
                Ok(outcome) if self.is_done(&outcome) => return None,
                Ok(outcome) => last = outcome,
                Err(hung) => return Some(format!("when all was well again: {hung}")),
            }
        }
        Some(format!("when all was well again: {} {}", last.status, last.code))
    }
}
