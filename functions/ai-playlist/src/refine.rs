//! Determines which tracks of a refined playlist stay, at which places, and which may not come back.

use shared::api::Track;
use shared::llm::playlist::PlaylistPrompt;
use shared::matching::Selection;
use shared::track::Suggestion;

use crate::recover::KeptTrack;
use crate::request::{MAX_WISH_BYTES, PlaylistRequest};

/// The tracks of the refined playlist; empty without one.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Base {
    /// The tracks that stay, each with its place in the new list as its index.
    pub kept: Vec<Track>,
    /// The tracks that may not come back.
    barred: Vec<Track>,
}

impl Base {
    /// Separates the playlist's tracks into kept and other ones, and completes the request: the number of tracks, and
    /// the songs in the prompt for the model.
    pub fn of(request: &mut PlaylistRequest, tracks: Vec<KeptTrack>) -> Self {
        let Some(refined) = &request.refined else {
            return Self::default();
        };
        let is_kept = |track: &KeptTrack| {
            refined
                .keep
                .iter()
                .any(|uri| uri.as_str() == track.details.track_uri)
        };
        let (kept, others): (Vec<_>, Vec<_>) = tracks
            .into_iter()
            .enumerate()
            .partition(|(_, track)| is_kept(track));
        // A kept track may have been removed on another device.
        request.target_count = request.target_count + kept.len() - refined.keep.len();
        describe(&mut request.wish, spelled(&kept), spelled(&others));
        let is_barred = request.instruction().is_none();
        let mut kept: Vec<_> = kept
            .into_iter()
            .map(|(place, track)| track.at(place))
            .collect();
        let count = kept.len();
        for (nth, track) in kept.iter_mut().enumerate() {
            track.index = track.index.min(request.target_count + nth - count);
        }
        let barred = others
            .into_iter()
            .filter(|_| is_barred)
            .map(|(place, track)| track.at(place))
            .collect();
        Self { kept, barred }
    }

    /// Returns the place of the new track number `nth`, from 0.
    pub fn place(&self, nth: usize) -> usize {
        self.kept.iter().fold(nth, |place, track| {
            if track.index <= place {
                place + 1
            } else {
                place
            }
        })
    }

    /// Returns the whole list: the kept tracks at their places, and the new ones between them. If new ones are missing,
    /// the kept ones move up.
    pub fn with(&self, new: Vec<Track>) -> Vec<Track> {
        let is_kept = |track: &Track| {
            self.kept
                .iter()
                .any(|kept| kept.details.track_uri == track.details.track_uri)
        };
        let mut new = new.into_iter().filter(|track| !is_kept(track)).peekable();
        let mut kept = self.kept.iter().cloned().peekable();
        let mut list = Vec::new();
        loop {
            let place = list.len();
            let is_its_place = |track: &Track| track.index <= place || new.peek().is_none();
            let is_kept_next = kept.peek().is_some_and(is_its_place);
            let Some(track) = (if is_kept_next {
                kept.next()
            } else {
                new.next()
            }) else {
                return list;
            };
            list.push(Track {
                index: place,
                ..track
            });
        }
    }

    /// Adds the playlist's tracks to the selection, which then judges new tracks against them.
    pub fn enter(&self, selection: &mut Selection) {
        for Track { details, .. } in &self.kept {
            selection.keep(&details.track_uri, &details.title, &details.artist);
        }
        for Track { details, .. } in &self.barred {
            selection.bar(&details.track_uri, &details.title, &details.artist);
        }
    }
}

/// Returns the songs in the model's own spelling. Songs that the model did not suggest are omitted, because Spotify's
/// spelling may not be sent to it.
fn spelled(tracks: &[(usize, KeptTrack)]) -> Vec<Suggestion> {
    tracks
        .iter()
        .filter_map(|(_, track)| track.suggestion.clone())
        .collect()
}

/// Adds the songs to the prompt, as many as the limit on a wish allows.
fn describe(wish: &mut PlaylistPrompt, kept: Vec<Suggestion>, previous: Vec<Suggestion>) {
    let mut left = MAX_WISH_BYTES.saturating_sub(wish.text_bytes());
    let mut fits = |song: &Suggestion| {
        let bytes = song.artist.len() + song.title.len();
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    if let Some(refine) = &mut wish.refine {
        refine.kept = kept.into_iter().filter(&mut fits).collect();
        refine.previous = previous.into_iter().filter(fits).collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::parse;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn uri(nth: usize) -> String {
        format!("spotify:track:{nth:022}")
    }

    fn list(count: usize) -> Vec<KeptTrack> {
        let track = |nth| {
            json!({"track_uri": uri(nth), "title": format!("T{nth}"), "artist": "A",
            "suggestion": {"artist": "a", "title": format!("t{nth}")}})
        };
        (0..count)
            .map(|nth| serde_json::from_value(track(nth)).unwrap())
            .collect()
    }

    fn request(keep: &[usize], target: usize, instruction: Option<&str>) -> PlaylistRequest {
        let keep: Vec<_> = keep.iter().map(|nth| uri(*nth)).collect();
        let refine = json!({"playlist_id": uuid::Uuid::from_u128(1), "keep": keep, "instruction": instruction});
        parse(
            json!({"prompt": "x", "target_count": target, "refine": refine})
                .to_string()
                .as_bytes(),
        )
        .unwrap()
    }

    fn new_ones(count: usize) -> Vec<Track> {
        list(100 + count)
            .into_iter()
            .skip(100)
            .map(|track| track.at(0))
            .collect()
    }

    /// Returns the numbers of the tracks of the new list; new ones are from 100 on.
    fn composed(keep: &[usize], target: usize, new: usize) -> Vec<usize> {
        let base = Base::of(&mut request(keep, target, None), list(8));
        let tracks = base.with(new_ones(new));
        assert!(
            tracks
                .iter()
                .enumerate()
                .all(|(at, track)| track.index == at)
        );
        let number = |track: &Track| {
            track
                .details
                .track_uri
                .trim_start_matches("spotify:track:")
                .parse()
                .unwrap()
        };
        tracks.iter().map(number).collect()
    }

    #[test]
    fn kept_songs_move_up_only_if_songs_are_missing() {
        assert_eq!(composed(&[1, 3], 5, 3), [100, 1, 101, 3, 102]);
        assert_eq!(
            composed(&[0, 7], 8, 6),
            [0, 100, 101, 102, 103, 104, 105, 7]
        );
        assert_eq!(composed(&[6, 7], 4, 2), [100, 101, 6, 7]);
        assert_eq!(composed(&[1, 3], 5, 1), [100, 1, 3]);
        assert_eq!(composed(&[], 3, 2), [100, 101]);
    }

    #[test]
    fn removed_kept_song_leaves_no_gap() {
        let mut request = request(&[1, 50], 5, None);
        let base = Base::of(&mut request, list(8));
        assert_eq!((base.kept.len(), request.target_count), (1, 4));
        assert_eq!(base.with(new_ones(3)).len(), 4);
    }

    #[test]
    fn new_tracks_fill_the_gaps_in_order_of_discovery() {
        let base = Base::of(&mut request(&[0, 1, 4], 8, None), list(8));
        assert_eq!([0, 1, 2, 3, 4].map(|nth| base.place(nth)), [2, 3, 5, 6, 7]);
        assert_eq!(Base::default().place(3), 3);
    }

    #[test]
    fn sends_the_models_own_spelling_and_no_data_of_spotify() {
        let mut tracks = list(3);
        tracks[1].suggestion = None;
        let mut request = request(&[0], 3, Some("calmer"));
        Base::of(&mut request, tracks);
        let refine = request.wish.refine.clone().unwrap();
        let titles = |songs: &[Suggestion]| {
            songs
                .iter()
                .map(|song| song.title.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (titles(&refine.kept), titles(&refine.previous)),
            (vec!["t0".into()], vec!["t2".into()])
        );
        let prompt = request.wish.to_request().messages[0].content.clone();
        assert!(
            !prompt.contains("T0") && !prompt.contains("spotify"),
            "{prompt}"
        );
    }

    #[test]
    fn bars_the_other_songs_without_an_instruction() {
        for (instruction, barred) in [(None, 2), (Some("calmer"), 0)] {
            let base = Base::of(&mut request(&[0], 3, instruction), list(3));
            assert_eq!(base.barred.len(), barred, "{instruction:?}");
        }
    }
}
