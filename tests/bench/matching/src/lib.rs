//! Judges the real cases of `shared/tests/real_cases.tsv` as often as one likes.

use std::hint::black_box;

use shared::matching::{Constraints, WantedVersions, best_match};
use shared::track::{CatalogueTrack, Suggestion, TrackUri};

const CASES: &str = include_str!("../../../../shared/tests/real_cases.tsv");
/// As many as Spotify gives at once.
const CANDIDATES: usize = 10;

struct Case {
    suggestion: Suggestion,
    candidates: Vec<CatalogueTrack>,
}

/// How many suggestions there are.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn suggestions() -> u32 {
    count(cases().len())
}

/// How many candidates they have in all.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn candidates() -> u32 {
    cases().iter().map(|case| count(case.candidates.len())).sum()
}

/// Judges all of them so many times; answers how often a candidate was accepted.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn judge(times: u32) -> u32 {
    let cases = cases();
    let constraints = Constraints::new(true, None, &[], WantedVersions::default());
    let mut accepted = 0;
    for _ in 0..times {
        for Case { suggestion, candidates } in black_box(&cases) {
            accepted += u32::from(best_match(suggestion, candidates, &constraints).is_ok());
        }
    }
    accepted
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(case).filter(|case| case.candidates.len() == CANDIDATES).collect()
}

/// The columns are described in the file.
fn case(line: &str) -> Option<Case> {
    let mut columns = line.split('\t').skip(1);
    let (artist, title) = (columns.next()?.to_owned(), columns.next()?.to_owned());
    let year = columns.next()?.parse().ok();
    let candidates = columns.zip(0..).filter_map(candidate).collect();
    Some(Case { suggestion: Suggestion { artist, title, year }, candidates })
}

fn candidate((text, index): (&str, u32)) -> Option<CatalogueTrack> {
    let mut fields = text.split('|').skip(1);
    let title = fields.next()?.to_owned();
    let artists = fields.next()?.split(';').map(str::to_owned).collect();
    let album = fields.next()?.to_owned();
    let release_year = fields.next()?.parse().ok();
    let flags = fields.next().unwrap_or_default();
    Some(CatalogueTrack {
        uri: TrackUri::parse(&format!("spotify:track:{index:022}")).ok()?,
        title,
        artists,
        album,
        release_year,
        duration_ms: 200_000,
        explicit: flags.contains('E'),
        is_playable: true,
        isrc: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_read_with_ten_candidates_and_most_are_found() {
        assert!(suggestions() >= 100, "{}", suggestions());
        assert_eq!(candidates(), 10 * suggestions());
        let (once, twice) = (judge(1), judge(2));
        assert!(once > suggestions() / 2, "{once}");
        assert_eq!(twice, 2 * once);
    }
}
