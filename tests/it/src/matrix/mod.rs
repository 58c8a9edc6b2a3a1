//! Every outbound call of every function meets every fault, on either runtime.
//!
//! The cells are made from two lists: what clients ask (`operations`), with the calls that each makes, and what can
//! happen to a call (`faults`). First each operation is run with nothing wrong and everything it calls is compared with
//! the list: a call that nobody listed fails. Then in each cell its call meets its fault every time it is made; the
//! answer has to be one that is documented (`rules`), in time; and when all is well again, the client asks again and has
//! to get what it wanted, and everything has to be as it should (`aftermath`).
//!
//! Several lanes of functions run side by side, for many cells wait for a timeout. `FAULTS_ONLY` runs the cells whose
//! name holds a text.

mod acts;
mod aftermath;
mod calls;
mod cell;
mod lane;
mod operations;
mod rules;

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;

use self::cell::{Cell, Recorded, record};
use self::lane::{Lane, World};
use self::operations::{COLD, OPERATIONS};
use crate::faults::Fault;
use crate::runs::tell;

/// So many lanes begin with the cells that wait the longest, and so many with those that do not wait.
const PATIENT_LANES: usize = 16;
const BUSY_LANES: usize = 4;
const LANES: usize = PATIENT_LANES + BUSY_LANES;

#[tokio::test(flavor = "multi_thread")]
async fn on_workerd() {
    run("workerd").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_deno() {
    run("deno").await;
}

/// What came of a cell.
struct Ran {
    name: String,
    took: Duration,
    wrong: Vec<String>,
}

async fn run(runtime: &'static str) {
    assert_every_function_is_here();
    let begun = Instant::now();
    let world = Arc::new(World::new().await);
    let mut lanes = start(&world, runtime).await;
    let cold = Arc::new(lanes.pop().unwrap());
    let lanes: Vec<Arc<Lane>> = lanes.into_iter().map(Arc::new).collect();
    let recorded = Arc::new(record_all(&lanes).await);
    tell(
        "faults",
        &format!("{runtime}: {LANES} lanes and the calls of all operations after {:?}", begun.elapsed()),
    );

    let waiting = Arc::new(Mutex::new(cells(&recorded)));
    let lanes = lanes.iter().enumerate();
    let lanes = lanes.map(|(number, lane)| drain(lane.clone(), waiting.clone(), number < PATIENT_LANES));
    let (ran, cold) = tokio::join!(join_all(lanes), run_cold(cold));
    let ran: Vec<Ran> = ran.into_iter().flatten().chain(cold).collect();
    let apart = aftermath::billing(&world).await;

    let mut slowest: Vec<&Ran> = ran.iter().collect();
    slowest.sort_by_key(|ran| std::cmp::Reverse(ran.took));
    for Ran { name, took, .. } in slowest.iter().take(3) {
        tell("faults", &format!("slow: {name}: {took:?}"));
    }
    let failed: Vec<&Ran> = ran.iter().filter(|ran| !ran.wrong.is_empty()).collect();
    for Ran { name, wrong, .. } in &failed {
        tell("faults", &format!("failed: {name} {runtime}: {}", wrong.join("; ")));
    }
    tell(
        "faults",
        &format!("{runtime}: cells run {}, failed {} in {:?}", ran.len(), failed.len(), begun.elapsed()),
    );
    assert!(!ran.is_empty(), "no cell is called so");
    assert!(failed.is_empty(), "{} cells failed", failed.len());
    assert_eq!(apart, Vec::<String>::new());
}

/// All lanes, the last of which is the one whose functions begin anew.
async fn start(world: &Arc<World>, runtime: &'static str) -> Vec<Lane> {
    let mut ports = crate::own_stack::free_ports();
    let mut lanes = Vec::new();
    for number in 0..=LANES {
        lanes.push(Lane::build(world, &format!("lane{number}"), runtime, &mut ports).await);
    }
    join_all(lanes.iter_mut().map(Lane::start)).await;
    lanes
}

/// Runs every operation with nothing wrong; the operations share the lanes.
async fn record_all(lanes: &[Arc<Lane>]) -> Vec<Recorded> {
    let recording = lanes.iter().enumerate().map(async |(index, lane)| {
        let mut recorded = Vec::new();
        for operation in OPERATIONS.iter().skip(index).step_by(lanes.len()) {
            recorded.push(record(lane, operation).await);
        }
        recorded
    });
    join_all(recording).await.into_iter().flatten().collect()
}

/// The cells, the slow ones first.
fn cells(recorded: &[Recorded]) -> VecDeque<Cell> {
    let mut cells: Vec<Cell> = recorded.iter().flat_map(Recorded::cells).filter(is_wanted).collect();
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.seconds()));
    cells.into()
}

fn is_wanted(cell: &Cell) -> bool {
    std::env::var("FAULTS_ONLY").map_or(true, |text| cell.name().contains(&text))
}

async fn drain(lane: Arc<Lane>, waiting: Arc<Mutex<VecDeque<Cell>>>, is_patient: bool) -> Vec<Ran> {
    let mut ran = Vec::new();
    loop {
        let next = {
            let mut waiting = waiting.lock().unwrap();
            if is_patient { waiting.pop_front() } else { waiting.pop_back() }
        };
        let Some(cell) = next else { return ran };
        ran.push(run_cell(&lane, cell).await);
    }
}

async fn run_cell(lane: &Arc<Lane>, cell: Cell) -> Ran {
    let (begun, name) = (Instant::now(), cell.name());
    let wrong = match AssertUnwindSafe(cell.run(lane)).catch_unwind().await {
        Ok(wrong) => wrong,
        Err(panic) => {
            lane.lift().await;
            let text = panic.downcast::<String>().map_or_else(|_| "a panic".to_owned(), |text| *text);
            vec![format!("the harness: {text}")]
        }
    };
    Ran { name, took: begun.elapsed(), wrong }
}

/// The cells of the verification: each fault meets all functions, which have just been started.
async fn run_cold(lane: Arc<Lane>) -> Vec<Ran> {
    let mut ran = Vec::new();
    for fault in Fault::ALL {
        let cells: Vec<Cell> =
            COLD.iter().filter_map(|operation| Cell::cold(operation, fault)).filter(is_wanted).collect();
        if cells.is_empty() {
            continue;
        }
        lane.restart().await;
        for cell in cells {
            ran.push(run_cell(&lane, cell).await);
        }
    }
    ran
}

fn assert_every_function_is_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let entries =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // It calls nobody but the functions.
    let there: BTreeSet<String> = entries.filter(|name| name != "gateway").collect();
    let here = OPERATIONS.iter().map(|operation| operation.function.to_owned()).collect();
    assert_eq!(there, here, "a function without its operations, or the other way round");
}
