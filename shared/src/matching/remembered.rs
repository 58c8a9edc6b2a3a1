//! Determines what the catalogue memory stores of a search, for any user who looks for the same song later.

use super::{
    Constraints, WantedVersions,
    fold::cut,
    judge::Judge,
    reading::{Reading, Way},
};
use crate::track::{CatalogueTrack, Suggestion};

/// The version of the queries and of [`candidates_of`]. Raise it whenever one of them changes: what was remembered
/// before is then not used. A test over the labelled cases notices a change.
pub const MATCHER_VERSION: u32 = 2;

/// Returns a key that is equal for suggestions that are searched and judged alike: artist and title without differences
/// of case and apostrophes, which neither Spotify's search nor the matching distinguishes.
#[must_use]
pub fn song_key(suggestion: &Suggestion) -> String {
    format!(
        "{}\n{}",
        spelled(&suggestion.artist),
        spelled(&suggestion.title)
    )
}

/// Normalises the spelling. It replaces each character by one character, because texts are cut by their number of
/// characters.
fn spelled(text: &str) -> String {
    let lower = |c: char| {
        let mut letters = c.to_lowercase();
        letters
            .next()
            .filter(|_| letters.next().is_none())
            .unwrap_or(c)
    };
    let apostrophe = |c: char| {
        if matches!(c, '’' | '‘' | 'ʼ' | '＇') {
            '\''
        } else {
            c
        }
    };
    cut(text).chars().map(|c| apostrophe(lower(c))).collect()
}

/// Keeps the candidates that are the suggested song for any user: for any wanted versions, years and artists, and for
/// any year that the model gives. [`best_match`](super::best_match) over them returns the same as over all that was
/// found.
#[must_use]
pub fn candidates_of<T: AsRef<CatalogueTrack>>(suggestion: &Suggestion, found: Vec<T>) -> Vec<T> {
    let all_wanted = Constraints::new(true, None, &[], WantedVersions::ALL);
    // A suggestion with a year can be read in every way.
    let dated = |year| Suggestion {
        year: Some(year),
        ..suggestion.clone()
    };
    let any_year = dated(0);
    let readings: Vec<_> = Way::ALL
        .iter()
        .filter_map(|way| Reading::new(*way, &any_year))
        .collect();
    let is_the_song = |candidate: &T| {
        let track = candidate.as_ref();
        let best_year = dated(track.release_year.unwrap_or_default());
        let mut judge = Judge::new(&best_year, &all_wanted);
        readings
            .iter()
            .any(|reading| judge.judge(reading, track).is_some())
    };
    found
        .into_iter()
        .filter(|candidate| candidate.as_ref().is_playable && is_the_song(candidate))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn key(artist: &str, title: &str) -> String {
        song_key(&Suggestion {
            artist: artist.into(),
            title: title.into(),
            year: None,
        })
    }

    #[test]
    fn equivalent_spellings_share_a_key() {
        assert_eq!(key("DŻEM", "Don’t"), key("Dżem", "don't"));
        for (artist, title) in [
            ("Dzem", "Don't"),
            ("Dżem", "Don't (Live)"),
            ("Dżem", "Dont"),
            ("Dżem\nDon't", ""),
            ("Dżem", ""),
        ] {
            assert_ne!(
                key(artist, title),
                key("Dżem", "Don't"),
                "{artist} - {title}"
            );
        }
        assert_eq!(key("İ", "ẞ"), "İ\nß", "a character stays one");
    }
}
