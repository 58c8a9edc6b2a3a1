//! Two sizes of the same, side by side.

use std::fmt;

use rustix::time::{ClockId, clock_gettime};

/// Four times the input may take ten times as long, for memory has its price; what is quadratic takes sixteen times as long.
const MOST: f64 = 10.0;

/// What reads the larger input faster than this cannot be quadratic: so few steps would not be done by then.
const NEGLIGIBLE_SECONDS: f64 = 0.001;

/// How often a growth that looks bad is looked at again: the machine may have done something else meanwhile.
const ATTEMPTS: usize = 7;

/// How long an input takes, and four times as much.
pub struct Growth {
    small: f64,
    large: f64,
}

impl Growth {
    pub fn of(small: &[u8], large: &[u8], read: fn(&[u8])) -> Self {
        let mut growth = Self { small: seconds(small, read), large: seconds(large, read) };
        for _ in 1..ATTEMPTS {
            if growth.is_linear() {
                break;
            }
            growth.small = growth.small.min(seconds(small, read));
            growth.large = growth.large.min(seconds(large, read));
        }
        growth
    }

    pub fn is_linear(&self) -> bool {
        self.large < NEGLIGIBLE_SECONDS || self.large <= MOST * self.small
    }

    /// Of the larger input.
    pub fn seconds(&self) -> f64 {
        self.large
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.large / self.small;
        write!(f, "{:.2} ms, {times:.1} times as long as a quarter of it", self.large * 1e3)
    }
}

/// The time that this thread itself has worked, whatever else runs on the machine.
fn seconds(input: &[u8], read: fn(&[u8])) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let started = now();
    read(std::hint::black_box(input));
    now() - started
}
