//! Composes the finished playlist.

use shared::api::{GeneratedPlaylist, Quota, StopReason, Track};
use shared::llm::playlist::Language;
use shared::matching::Version;

use crate::completion::About;
use crate::quota::Session;
use crate::request::PlaylistRequest;
use crate::resolve::Found;

/// The number of tracks below which there is a warning, if at least as many were asked for.
const FEW_TRACKS: usize = 12;
const MAX_FALLBACK_NAME_CHARS: usize = 60;

/// Returns the response's track at `index` for a found track; `why` is the model's reason.
pub fn found_track(index: usize, found: &Found, why: Option<String>) -> Track {
    let Found {
        track,
        score,
        version,
    } = found;
    Track {
        index,
        details: track.details(),
        score: (score * 100.0).round() / 100.0,
        version: version.map(Version::as_str),
        why,
    }
}

/// Returns the playlist of a generation, not saved yet and without the quota.
pub fn compose(
    session: Session,
    request: &PlaylistRequest,
    about: About,
    tracks: Vec<Track>,
    stop_reason: StopReason,
) -> GeneratedPlaylist {
    let (count, target) = (tracks.len(), request.target_count);
    let name = Some(about.name).filter(|name| !name.is_empty());
    GeneratedPlaylist {
        session_id: session.id,
        name: name.unwrap_or_else(|| fallback_name(&request.wish.prompt)),
        description: about.description,
        summary: about.summary,
        language: language(about.language, request).as_str(),
        tracks,
        count,
        target,
        warning: warning(count, target),
        stop_reason,
        playlist_id: None,
        version: None,
        not_saved: None,
        quota: Quota::default(),
    }
}

/// Returns the language that the model named, or else the one of the user's words.
pub fn language(named: Option<Language>, request: &PlaylistRequest) -> Language {
    named.unwrap_or_else(|| Language::detect(&request.wish.prompt))
}

/// Returns the warning for `count` tracks out of `target`.
fn warning(count: usize, target: usize) -> Option<&'static str> {
    (count < target.min(FEW_TRACKS)).then_some("fewer_than_12")
}

/// Returns a name for a playlist that the model did not name.
fn fallback_name(prompt: &str) -> String {
    prompt.chars().take(MAX_FALLBACK_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn warns_of_few_tracks_only_if_more_were_requested() {
        assert_eq!(warning(11, 20), Some("fewer_than_12"));
        assert_eq!(warning(12, 20), None);
        assert_eq!(warning(5, 5), None);
        assert_eq!(warning(4, 5), Some("fewer_than_12"));
    }
}
