//! Which songs the models suggest.

use std::collections::BTreeSet;

use super::{SONGS, SUGGESTED};

/// The number of entries in the lists from which the file is a sample.
const LISTED: usize = 11_598;

/// Draws songs by their weights, in the same order in every run.
pub struct Draw {
    sums: Vec<f64>,
    state: u64,
}

impl Draw {
    fn by_weight(weights: impl Iterator<Item = f64>) -> Self {
        let add = |sum: &mut f64, weight: f64| {
            *sum += weight;
            Some(*sum)
        };
        Self {
            sums: weights.scan(0.0, add).collect(),
            state: 20_261_126,
        }
    }

    /// Draws song number n n times as rarely as the first.
    pub fn zipf() -> Self {
        // Exact for such small numbers.
        #[allow(clippy::cast_precision_loss)]
        Self::by_weight((1..=SONGS).map(|rank| 1.0 / rank as f64))
    }

    /// Draws songs as often as real lists name them.
    pub fn listed() -> Self {
        let lines = include_str!("songs.txt")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let classes: Vec<(usize, usize)> = lines
            .map(|line| line.split_once(' ').unwrap())
            .map(|(times, songs)| (times.parse().unwrap(), songs.parse().unwrap()))
            .collect();
        let entries: usize = classes.iter().map(|(times, songs)| times * songs).sum();
        #[allow(clippy::cast_precision_loss)]
        let weights = classes
            .into_iter()
            .flat_map(|(times, songs)| std::iter::repeat_n(times as f64, songs * LISTED / entries));
        Self::by_weight(weights)
    }

    #[allow(clippy::cast_precision_loss)]
    fn next(&mut self) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        let at = share * self.sums.last().copied().unwrap();
        self.sums.partition_point(|sum| *sum <= at)
    }

    /// Returns the songs of the next generation, each once.
    pub fn songs(&mut self) -> Vec<usize> {
        let mut songs = Vec::new();
        let mut seen = BTreeSet::new();
        while songs.len() < SUGGESTED {
            let number = self.next();
            if seen.insert(number) {
                songs.push(number);
            }
        }
        // Ranks that are close have nothing else in common: the popular ones are not the invented ones.
        songs.iter().map(|rank| rank * 7_919 % SONGS).collect()
    }
}
