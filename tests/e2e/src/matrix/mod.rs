//! Every outbound call of every function meets every fault, on either runtime.
//!
//! The cases are made from two lists: the operations of clients (`operations`), with the calls of each, and the faults
//! (`faults`). First each operation runs without a fault, and its calls are compared with the list: an unlisted call fails.
//! Then each case injects a fault into every request of a call. The response must be a documented one (`expected`) and in
//! time. Without the fault the client repeats the operation, which must then succeed (`checks`).
//!
//! Several workers run side by side, because many cases wait for a timeout. `FAULTS_ONLY` selects the cases whose name
//! contains a text.

mod calls;
mod case;
mod checks;
mod expected;
mod operations;
mod scenario;
mod worker;

use std::collections::{BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::join_all;

use self::case::{Case, record};
use self::operations::{COLD, OPERATIONS};
use self::worker::{Environment, Worker};
use crate::faults::Fault;
use crate::health::functions;
use crate::own_stack::free_ports;
use crate::runs::tell;

/// The numbers of workers that begin with the cases that wait longest, and with those that do not wait.
const PATIENT_WORKERS: usize = 16;
const BUSY_WORKERS: usize = 4;
const WORKERS: usize = PATIENT_WORKERS + BUSY_WORKERS;

#[tokio::test(flavor = "multi_thread")]
async fn on_workerd() {
    run("workerd").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_deno() {
    run("deno").await;
}

struct Ran {
    name: String,
    wrong: Vec<String>,
}

async fn run(runtime: &'static str) {
    let tested: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.function).collect();
    assert!(functions().iter().eq(tested), "the functions with operations differ from the functions");
    let started = Instant::now();
    let environment = Arc::new(Environment::new().await);
    let mut workers = start(&environment, runtime).await;
    let cold = workers.pop().unwrap();
    let mut cases = record_all(&workers).await;
    tell(
        "faults",
        &format!("{runtime}: {WORKERS} workers and {} cases after {:?}", cases.len(), started.elapsed()),
    );
    cases.retain(is_wanted);
    cases.sort_by_key(|case| std::cmp::Reverse(case.seconds()));
    let waiting = Arc::new(Mutex::new(VecDeque::from(cases)));
    let draining = workers.iter().enumerate();
    let draining =
        draining.map(|(number, worker)| drain(worker.clone(), waiting.clone(), number < PATIENT_WORKERS));
    let (ran, cold) = tokio::join!(join_all(draining), run_cold(cold));
    let ran: Vec<Ran> = ran.into_iter().flatten().chain(cold).collect();
    let billing = checks::billing(&environment).await;

    let failed: Vec<&Ran> = ran.iter().filter(|ran| !ran.wrong.is_empty()).collect();
    for Ran { name, wrong } in &failed {
        tell("faults", &format!("failed: {name} {runtime}: {}", wrong.join("; ")));
    }
    let (count, took) = (ran.len(), started.elapsed());
    tell("faults", &format!("{runtime}: cases run {count}, failed {} in {took:?}", failed.len()));
    assert!(!ran.is_empty(), "no case has such a name");
    assert!(failed.is_empty(), "{} cases failed", failed.len());
    assert_eq!(billing, Vec::<String>::new());
}

async fn start(environment: &Arc<Environment>, runtime: &'static str) -> Vec<Arc<Worker>> {
    let mut ports = free_ports();
    let mut workers = Vec::new();
    for number in 0..=WORKERS {
        workers.push(Worker::build(environment, format!("worker{number}"), runtime, &mut ports).await);
    }
    join_all(workers.iter_mut().map(Worker::start)).await;
    workers.into_iter().map(Arc::new).collect()
}

/// Runs every operation without a fault; the operations share the workers.
async fn record_all(workers: &[Arc<Worker>]) -> Vec<Case> {
    let recording = workers.iter().enumerate().map(async |(index, worker)| {
        let mut cases = Vec::new();
        for operation in OPERATIONS.iter().skip(index).step_by(workers.len()) {
            cases.extend(record(worker, operation).await);
        }
        cases
    });
    join_all(recording).await.into_iter().flatten().collect()
}

fn is_wanted(case: &Case) -> bool {
    std::env::var("FAULTS_ONLY").map_or(true, |text| case.name().contains(&text))
}

async fn drain(worker: Arc<Worker>, waiting: Arc<Mutex<VecDeque<Case>>>, is_patient: bool) -> Vec<Ran> {
    let mut ran = Vec::new();
    loop {
        let next = {
            let mut waiting = waiting.lock().unwrap();
            if is_patient { waiting.pop_front() } else { waiting.pop_back() }
        };
        let Some(case) = next else { return ran };
        ran.push(run_case(&worker, case).await);
    }
}

async fn run_case(worker: &Worker, case: Case) -> Ran {
    let name = case.name();
    let wrong = match AssertUnwindSafe(case.run(worker)).catch_unwind().await {
        Ok(wrong) => wrong,
        Err(panic) => {
            worker.restore().await;
            let text = panic.downcast::<String>().map_or_else(|_| "a panic".to_owned(), |text| *text);
            vec![format!("the test itself: {text}")]
        }
    };
    Ran { name, wrong }
}

/// The verification of the caller: each fault is injected into all functions, freshly started.
async fn run_cold(worker: Arc<Worker>) -> Vec<Ran> {
    let mut ran = Vec::new();
    for fault in Fault::ALL {
        let cases = COLD.iter().filter_map(|operation| Case::cold(operation, *fault)).filter(is_wanted);
        let cases: Vec<Case> = cases.collect();
        if !cases.is_empty() {
            worker.restart().await;
        }
        for case in cases {
            ran.push(run_case(&worker, case).await);
        }
    }
    ran
}
