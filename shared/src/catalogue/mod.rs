//! The catalogue memory: what Spotify's catalogue was found to have for a song, kept in the database for some days.
//!
//! It saves searches and decides nothing: what is remembered is judged for each user like a response of Spotify, and a
//! memory that fails or is wrong costs searches only. Its content comes only from Spotify's responses, under the song
//! that was searched for, and does not depend on any user's conditions.

mod entry;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Finding};

use futures_util::future::{Either, select};
use futures_util::pin_mut;
use serde_json::{Value, json};

use crate::config::{ConfigError, Problems, optional};
use crate::matching::MATCHER_VERSION;
use crate::runtime::clock::Clock;
use crate::supabase::{Service, SupabaseError};

/// The most songs that `recall_songs` takes.
pub const MAX_RECALLED: usize = 50;
/// As many songs as one request writes; `remember_songs` takes twice as many.
const MAX_REMEMBERED: usize = 100;
/// The database stores 32 KB, and writes spaces between the parts.
const MAX_ENTRY_BYTES: usize = 24 * 1024;
/// After this time the memory counts as unavailable.
const READ_MS: u64 = 1_000;
const MAX_DAYS: u32 = 30;
const HOURS_A_DAY: u32 = 24;

/// For how long songs are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryConfig {
    /// The days for a song that the catalogue has; 0 switches the memory off.
    pub found_days: u32,
    /// The days for a song that it does not have.
    pub missing_days: u32,
}

impl MemoryConfig {
    /// Reads `CATALOGUE_MEMORY_DAYS` (default 7) and `CATALOGUE_MEMORY_MISSING_DAYS` (default 1).
    ///
    /// # Errors
    /// [`ConfigError`] for anything but a number from 0 to 30.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let days = |name, default| match optional(&env, name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|days| *days <= MAX_DAYS)
                .ok_or_else(|| ConfigError::invalid(name, "must be a number of days from 0 to 30")),
        };
        let mut problems = Problems::default();
        let found_days = problems.take(days("CATALOGUE_MEMORY_DAYS", 7));
        let missing_days = problems.take(days("CATALOGUE_MEMORY_MISSING_DAYS", 1));
        problems.finish(|| {
            Some(Self {
                found_days: found_days?,
                missing_days: missing_days?,
            })
        })
    }

    /// Whether anything is remembered.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.found_days > 0
    }

    fn hours(self, entry: &Entry) -> u32 {
        HOURS_A_DAY
            * if entry.is_found() {
                self.found_days
            } else {
                self.missing_days
            }
    }
}

/// The memory of one market's catalogue.
pub struct Memory<'a> {
    service: Service<'a>,
    clock: &'a dyn Clock,
    market: Option<&'a str>,
}

impl<'a> Memory<'a> {
    /// Reads and writes with the function's own credential; `market` is a country or none.
    pub fn new(service: Service<'a>, clock: &'a dyn Clock, market: Option<&'a str>) -> Self {
        Self {
            service,
            clock,
            market,
        }
    }

    /// Returns what is remembered of each song, at most [`MAX_RECALLED`], in their order. An entry that cannot be used
    /// counts as none. Returns `None` if the memory fails, is slow, or returns another number of entries.
    pub async fn recall(&self, songs: &[String]) -> Option<Vec<Option<Entry>>> {
        let args = json!({"p_songs": songs, "p_market": self.market, "p_matcher": MATCHER_VERSION});
        let (reading, patience) = (
            self.service.rpc("recall_songs", &args),
            self.clock.sleep_ms(READ_MS),
        );
        pin_mut!(reading);
        let entries: Vec<Value> = match select(reading, patience).await {
            Either::Left((entries, _)) => entries.ok()?,
            Either::Right(_) => return None,
        };
        (entries.len() == songs.len()).then(|| entries.into_iter().map(Entry::parse).collect())
    }

    /// Remembers what was found, each for the time that the configuration says.
    ///
    /// # Errors
    /// [`SupabaseError`]; what follows the failure is not remembered.
    pub async fn remember(
        &self,
        config: MemoryConfig,
        findings: Vec<Finding>,
    ) -> Result<(), SupabaseError> {
        let remembered = |finding: Finding| {
            let (song, entry) = finding.into_entry();
            let hours = config.hours(&entry);
            let fits = serde_json::to_vec(&entry).is_ok_and(|bytes| bytes.len() <= MAX_ENTRY_BYTES);
            (hours > 0 && fits).then(|| json!({"song": song, "candidates": entry, "hours": hours}))
        };
        let entries: Vec<Value> = findings.into_iter().filter_map(remembered).collect();
        for entries in entries.chunks(MAX_REMEMBERED) {
            let args = json!({"p_market": self.market, "p_matcher": MATCHER_VERSION, "p_entries": entries});
            self.service.rpc::<_, ()>("remember_songs", &args).await?;
        }
        Ok(())
    }
}
