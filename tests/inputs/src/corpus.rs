//! Realistic inputs from `corpus/` with a few random changes. They reach deeper than inputs generated from scratch.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::TRAPS;

/// The maximum size of an input after repetitions, in bytes.
const MAX_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone)]
enum Change {
    Flip(u8),
    Insert(&'static str),
    Remove(Index),
    Repeat(Index, usize),
    /// Replaces the rest of this input with the rest of another.
    Splice(Vec<u8>, Index),
    End,
}

/// Returns an input from a folder of the corpus, with up to eight changes.
///
/// # Panics
/// If the folder is empty or cannot be read.
pub fn mutated(folder: &str) -> impl Strategy<Value = Vec<u8>> + Clone + use<> {
    let files = corpus(folder);
    let change = prop_oneof![
        4 => (0..8_u8).prop_map(|bit| Change::Flip(1 << bit)),
        4 => select(TRAPS).prop_map(Change::Insert),
        3 => any::<Index>().prop_map(Change::Remove),
        3 => (any::<Index>(), 1..40_usize).prop_map(|(end, times)| Change::Repeat(end, times)),
        2 => (select(files.clone()), any::<Index>()).prop_map(|(other, from)| Change::Splice(other, from)),
        1 => Just(Change::End),
    ];
    (select(files), vec((any::<Index>(), change), 0..8)).prop_map(|(mut bytes, changes)| {
        for (at, change) in changes {
            let at = at.index(bytes.len() + 1);
            apply(&mut bytes, at, change);
        }
        bytes
    })
}

/// The same as text; invalid UTF-8 is replaced.
pub fn mutated_text(folder: &str) -> impl Strategy<Value = String> + Clone + use<> {
    mutated(folder).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[allow(clippy::unwrap_used, reason = "only tests use it")]
fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    // Sorted, because a seed must give the same inputs on every file system.
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn apply(bytes: &mut Vec<u8>, at: usize, change: Change) {
    let tail = bytes.len() - at;
    let part = |end: Index| at..at + end.index(tail + 1);
    match change {
        Change::Flip(bit) => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bit;
            }
        }
        Change::Insert(trap) => drop(bytes.splice(at..at, trap.bytes())),
        Change::Remove(end) => {
            let part = part(end);
            bytes.drain(part);
        }
        Change::Repeat(end, times) => {
            let part = bytes.get(part(end)).unwrap_or_default().to_vec();
            let times = times.min((MAX_BYTES / part.len().max(1)).saturating_sub(1));
            bytes.splice(at..at, part.repeat(times));
            bytes.truncate(MAX_BYTES);
        }
        Change::Splice(other, from) => {
            let from = from.index(other.len() + 1);
            bytes.truncate(at);
            bytes.extend(other.into_iter().skip(from));
        }
        Change::End => bytes.truncate(at),
    }
}
