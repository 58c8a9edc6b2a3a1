//! How long everything took, what was refused, what failed, and how large the runtime has grown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::listener::{Listener, Outcome, Sample};

/// What the runtime may grow to before its garbage collectors hold it there, nine isolates in one process. Seen on one
/// stack: 191 MiB after 20 seconds, 337 after the first minute, 462 after the third, 570 after 25,000 requests, and 564
/// after 20,000 more.
const SETTLED_KIB: f64 = 640.0 * 1024.0;

/// The runtime's resident memory over time, where the system tells.
pub struct Memory {
    pid: u32,
    /// By the second.
    pub kib: BTreeMap<u64, u64>,
}

impl Memory {
    pub fn of(pid: u32) -> Self {
        Self { pid, kib: BTreeMap::new() }
    }

    pub fn note(&mut self, second: u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        self.kib.extend(kib.map(|kib: u64| (second, kib)));
    }

    fn mib(&self, second: u64) -> String {
        self.kib.get(&second).map_or_else(|| "?".to_owned(), |kib| format!("{}", kib / 1024))
    }

    /// The most within ten seconds: it breathes with what the garbage collector has not come to yet.
    fn most(&self, until: u64) -> Option<u64> {
        self.kib.range(until.saturating_sub(9)..=until).map(|(_, kib)| *kib).max()
    }

    pub fn assert_flat(&self, after: u64, most_growth: f64) {
        let end = self.kib.keys().next_back();
        // Elsewhere nothing tells how large a process is.
        if end.is_none() && !std::path::Path::new("/proc/self/status").exists() {
            return;
        }
        let end = end.expect("the runtime is gone");
        let (before, now) = (self.most(after).unwrap() as f64, self.most(*end).unwrap() as f64);
        let is_flat = now <= before * most_growth || now <= SETTLED_KIB;
        assert!(is_flat, "it grew from {before} to {now} KiB");
    }
}

pub struct Report {
    rows: Vec<(String, Vec<Duration>)>,
    refused: BTreeMap<String, usize>,
    failed: BTreeMap<String, usize>,
    requests: usize,
    seconds: f64,
    memory: String,
    rss_kib: BTreeMap<u64, u64>,
}

impl Report {
    pub fn of(listeners: &[Listener<'_>], took: Duration, memory: &Memory) -> Self {
        let samples = || listeners.iter().flat_map(|listener| &listener.samples);
        let mut by_kind: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        let (mut refused, mut failed) = (BTreeMap::new(), BTreeMap::new());
        for Sample { what, took, outcome } in samples() {
            by_kind.entry(what).or_default().push(*took);
            match outcome {
                Outcome::Done => {}
                Outcome::Refused(code) => *refused.entry(code.clone()).or_default() += 1,
                Outcome::Failed(how) => *failed.entry(format!("{what}: {how}")).or_default() += 1,
            }
        }
        let mut rows: Vec<_> = by_kind.into_iter().map(|(what, took)| (what.to_owned(), took)).collect();
        for (_, took) in &mut rows {
            took.sort_unstable();
        }
        let [a, b, c] = [20, 40, 60].map(|second| memory.mib(second));
        Self {
            rows,
            refused,
            failed,
            requests: samples().filter(|sample| sample.what != "generate, first track").count(),
            seconds: took.as_secs_f64(),
            memory: format!("{a}, {b}, {c} MiB after 20, 40, 60 s"),
            rss_kib: memory.kib.clone(),
        }
    }

    pub fn table(&self) -> String {
        let mut text = format!(
            "{} requests in {:.0} s, {:.0} a second; {} failed; the runtime: {}\n\n| | times | p50, ms | p99, ms |\n|---|---|---|---|\n",
            self.requests,
            self.seconds,
            self.requests as f64 / self.seconds,
            self.failed.values().sum::<usize>(),
            self.memory
        );
        for (what, took) in &self.rows {
            let (p50, p99) = (quantile_ms(took, 0.5), quantile_ms(took, 0.99));
            text.push_str(&format!("| {what} | {} | {p50:.0} | {p99:.0} |\n", took.len()));
        }
        text.push_str(&format!("\nrefused, as documented: {:?}\n", self.refused));
        text
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(what, took)| {
            let row = json!({"times": took.len(), "p50_ms": quantile_ms(took, 0.5), "p99_ms": quantile_ms(took, 0.99)});
            (what.clone(), row)
        });
        json!({
            "requests": self.requests, "rss_kib": self.rss_kib, "seconds": self.seconds, "memory": self.memory, "refused": self.refused,
            "failed": self.failed, "kinds": rows.collect::<serde_json::Map<_, _>>(),
        })
    }

    /// Beside the stack's data: load.md and load.json.
    pub fn write(&self) {
        let folder = std::env::var("SOUND_WHISKERS_DATA_DIR").expect("SOUND_WHISKERS_DATA_DIR is not set");
        let folder = PathBuf::from(folder);
        std::fs::write(folder.join("load.md"), self.table()).unwrap();
        std::fs::write(folder.join("load.json"), self.json().to_string()).unwrap();
    }

    pub fn assert_no_errors(&self) {
        assert!(self.failed.is_empty(), "{:#?}", self.failed);
    }
}

fn quantile_ms(sorted: &[Duration], q: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (q * (sorted.len() - 1) as f64).round() as usize;
    sorted[at].as_secs_f64() * 1e3
}
