//! The progress of long steps.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a step prints a line if lines cannot be rewritten.
const REMINDER: Duration = Duration::from_secs(30);

/// Prints a line, ignoring a closed pipe.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A running step: on a terminal one line that counts seconds, elsewhere an occasional line.
pub struct Step {
    label: String,
    started: Instant,
    shown: Instant,
    in_place: bool,
}

impl Step {
    pub fn begin(label: &str) -> Self {
        // A step on another thread would overwrite the main thread's line.
        let in_place =
            std::io::stdout().is_terminal() && std::thread::current().name() == Some("main");
        if !in_place {
            say(format_args!("{label} …"));
        }
        let now = Instant::now();
        Self {
            label: label.to_owned(),
            started: now,
            shown: now,
            in_place,
        }
    }

    /// Updates the line; may be called at any rate.
    pub fn tick(&mut self) {
        let pause = if self.in_place {
            Duration::from_millis(500)
        } else {
            REMINDER
        };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        let seconds = self.started.elapsed().as_secs();
        if self.in_place {
            print!("\r\x1b[K{} … {seconds} s", self.label);
            let _ = std::io::stdout().flush();
        } else {
            say(format_args!("{} … {seconds} s", self.label));
        }
    }

    pub fn end(self, how: &str) {
        let clear = if self.in_place { "\r\x1b[K" } else { "" };
        say(format_args!(
            "{clear}{}: {how} ({})",
            self.label,
            duration(self.started.elapsed())
        ));
    }
}

/// A duration for people: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_millis(449)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 5 s");
    }
}
