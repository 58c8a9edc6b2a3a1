//! No input takes more than linear time: how much longer four times the input takes, by the thread's own clock.
//!
//! Every reader of what comes from outside is given what has brought down such readers before: one thing over and over,
//! nested, quoted, never closed. Sizes are those at which the most is read, or where a square of it could not be missed.

#![cfg(test)]

mod measure;
mod readers;
mod shapes;

use measure::Growth;
use readers::{READERS, Reader};

/// The shapes of a reader that take more than linear time.
fn too_slow(reader: &Reader) -> Vec<String> {
    let mut found = Vec::new();
    let mut slowest = (0.0, String::new());
    for frame in reader.frames {
        for piece in shapes::PIECES {
            let of_size = |bytes| shapes::repeated(frame, piece, bytes);
            let growth = Growth::of(&of_size(reader.bytes / 4), &of_size(reader.bytes), reader.read);
            let what = format!("{frame:?} around {piece:?}: {growth}");
            if growth.seconds() > slowest.0 {
                slowest = (growth.seconds(), what.clone());
            }
            if !growth.is_linear() {
                found.push(what);
            }
        }
    }
    println!("{:<18} {:>7} bytes, slowest {}", reader.name, reader.bytes, slowest.1);
    found
}

#[test]
fn four_times_the_input_takes_about_four_times_as_long() {
    let found: Vec<_> = READERS
        .iter()
        .flat_map(|reader| too_slow(reader).into_iter().map(move |what| format!("{}: {what}", reader.name)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_compares_everything_with_everything_is_noticed() {
    fn quadratic(bytes: &[u8]) {
        let pairs = bytes.iter().flat_map(|a| bytes.iter().map(move |b| u64::from(a ^ b)));
        std::hint::black_box(pairs.sum::<u64>());
    }
    let growth = Growth::of(&[1; 1_000], &[1; 4_000], quadratic);
    assert!(!growth.is_linear(), "{growth}");
}
