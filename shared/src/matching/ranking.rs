//! Ranks the results of a search for a user who chooses one.

use super::{
    WantedVersions,
    artist::{Credits, Names, best_similarity},
    judge::{ARTIST_WEIGHT, TITLE_WEIGHT},
    likeness::{Likeness, likeness},
    score::Scored,
    similarity::Spelling,
    title::Title,
    version::{Version, Versions},
    versions_of::versions_of,
};
use crate::track::{CatalogueTrack, Suggestion};

/// The highest cost of a version that was not asked for: it comes after the song, but before other songs.
const MAX_VERSION_COST: f64 = 0.25;

/// Scores candidates by how well they match the input, best first. Equal scores are ordered by playability, then by
/// the catalogue's order.
///
/// No candidate is refused, because the user sees what they choose. But each recording is listed once, as its best
/// appearance: the same URI, the same ISRC, or the same version of the song by the same artists with the same
/// lyrics. Either part of `sought` may be empty.
#[must_use]
pub fn rank<'a, T: AsRef<CatalogueTrack>>(
    sought: &Suggestion,
    candidates: &'a [T],
) -> Vec<Scored<'a, T>> {
    let judge = Judge::new(sought);
    let mut recordings: Vec<Recording<'a, T>> = candidates
        .iter()
        .map(|track| judge.recording(track))
        .collect();
    let is_gone = |recording: &Recording<'_, T>| !recording.scored.track.as_ref().is_playable;
    recordings.sort_by(|a, b| {
        b.scored
            .score
            .total_cmp(&a.scored.score)
            .then(is_gone(a).cmp(&is_gone(b)))
    });
    let mut kept: Vec<Recording<'a, T>> = Vec::new();
    for recording in recordings {
        if !kept.iter().any(|other| other.is_same(&recording)) {
            kept.push(recording);
        }
    }
    kept.into_iter().map(|recording| recording.scored).collect()
}

/// The parsed input.
struct Judge {
    title: Option<Title>,
    artist: Option<Credits>,
    asked: Versions,
}

impl Judge {
    fn new(sought: &Suggestion) -> Self {
        let is_given = |text: &str| !text.trim().is_empty();
        let title = Some(sought.title.as_str())
            .filter(|text| is_given(text))
            .map(Title::parse);
        let named = title
            .as_ref()
            .map(|title| title.versions)
            .unwrap_or_default();
        let said =
            WantedVersions::from_prompt(&format!("{} {}", sought.artist, sought.title)).versions();
        Self {
            title,
            artist: Some(sought.artist.as_str())
                .filter(|text| is_given(text))
                .map(Credits::of),
            asked: named.union(said),
        }
    }

    fn recording<'a, T: AsRef<CatalogueTrack>>(&self, candidate: &'a T) -> Recording<'a, T> {
        let track = candidate.as_ref();
        let title = Title::parse(&track.title);
        let mut artists = Names::default();
        artists.read(&track.artists);
        let alike = self
            .title
            .as_ref()
            .map(|wanted| likeness(wanted, &title, Spelling::Strict));
        let artist_score = self
            .artist
            .as_ref()
            .map(|artist| best_similarity(artist, &artists, title.featured(), false));
        let score = match (alike.map(|alike| alike.score), artist_score) {
            (Some(title), Some(artist)) => {
                (TITLE_WEIGHT * title + ARTIST_WEIGHT * artist) / (TITLE_WEIGHT + ARTIST_WEIGHT)
            }
            (one, other) => one.or(other).unwrap_or_default(),
        };
        let Likeness { left, right, .. } = alike.unwrap_or_default();
        let wanted = self.title.as_ref().unwrap_or(&title);
        let versions = versions_of(
            track,
            &title,
            &mut Title::default(),
            &artists,
            wanted,
            artists.all(),
        )
        .union(right);
        let unasked = versions.without(self.asked).without(left);
        let cost = unasked
            .iter()
            .map(Version::penalty)
            .sum::<f64>()
            .min(MAX_VERSION_COST);
        Recording {
            scored: Scored {
                track: candidate,
                score: (score - cost).clamp(0.0, 1.0),
            },
            artists: artists.iter().map(|name| name.compact()).collect(),
            name: format!("{} {}", title.full().compact(), title.parts),
            versions,
            version_text: title.version_words().text(),
        }
    }
}

/// A candidate with the properties that distinguish recordings.
struct Recording<'a, T> {
    scored: Scored<'a, T>,
    artists: Vec<String>,
    name: String,
    versions: Versions,
    version_text: String,
}

impl<T: AsRef<CatalogueTrack>> Recording<'_, T> {
    fn is_same(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.scored.track.as_ref(), other.scored.track.as_ref());
        mine.uri == theirs.uri
            || (mine.isrc.is_some() && mine.isrc == theirs.isrc)
            || (mine.explicit == theirs.explicit
                && mine.is_playable == theirs.is_playable
                && self.name == other.name
                && self.artists == other.artists
                && self.versions == other.versions
                && self.version_text == other.version_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::TrackUri;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn track(id: u32, artist: &str, title: &str) -> CatalogueTrack {
        let uri = TrackUri::parse(&format!("spotify:track:{id:022}")).unwrap();
        CatalogueTrack::new(uri, artist, title)
    }

    fn ranked(artist: &str, title: &str, candidates: &[CatalogueTrack]) -> Vec<String> {
        let sought = Suggestion {
            artist: artist.into(),
            title: title.into(),
            year: None,
        };
        rank(&sought, candidates)
            .iter()
            .map(|found| found.track.title.clone())
            .collect()
    }

    #[test]
    fn ranks_the_song_then_its_versions_then_other_songs() {
        let candidates = [
            track(1, "Someone", "Another Song"),
            track(2, "Dżem", "Whisky (Live)"),
            track(3, "Karaoke Stars", "Whisky (Karaoke Version)"),
            track(4, "Dżem", "Whisky"),
        ];
        let order = ranked("Dzem", "whisky", &candidates);
        assert_eq!(
            order,
            [
                "Whisky",
                "Whisky (Live)",
                "Whisky (Karaoke Version)",
                "Another Song"
            ]
        );
        assert_eq!(
            ranked("Dżem", "whisky live", &candidates)[0],
            "Whisky (Live)"
        );
    }

    #[test]
    fn ranks_by_artist_or_title_alone() {
        let candidates = [track(1, "Maanam", "Kocham cię"), track(2, "Kult", "Arahja")];
        assert_eq!(ranked("", "arahja", &candidates)[0], "Arahja");
        assert_eq!(ranked("kult", "", &candidates)[0], "Arahja");
    }

    #[test]
    fn lists_each_recording_once() {
        let coded = |id, isrc: &str| CatalogueTrack {
            isrc: Some(isrc.into()),
            ..track(id, "Queen", "Innuendo")
        };
        let explicit = CatalogueTrack {
            explicit: true,
            ..track(6, "Queen", "Innuendo")
        };
        let gone = CatalogueTrack {
            is_playable: false,
            ..track(7, "Queen", "Innuendo")
        };
        let candidates = [
            coded(1, "GBUM71029604"),
            coded(2, "GBUM71029604"),
            track(3, "Queen", "Innuendo - Remastered 2011"),
            track(4, "Queen", "Innuendo (Live)"),
            track(5, "Queen", "Innuendo"),
            explicit,
            gone,
        ];
        let sought = Suggestion {
            artist: "Queen".into(),
            title: "Innuendo".into(),
            year: None,
        };
        let uris: Vec<_> = rank(&sought, &candidates)
            .iter()
            .map(|found| {
                found
                    .track
                    .uri
                    .as_str()
                    .trim_start_matches("spotify:track:0")
                    .trim_start_matches('0')
                    .to_owned()
            })
            .collect();
        assert_eq!(uris, ["1", "6", "7", "4"]);
    }

    #[test]
    fn scores_are_between_zero_and_one() {
        let candidates = [
            track(1, "A", "B (Live Karaoke Remix)"),
            track(2, "Queen", "Innuendo"),
        ];
        for (artist, title) in [("Queen", "Innuendo"), ("", ""), ("Żółć", "♥"), ("a", "")] {
            let sought = Suggestion {
                artist: artist.into(),
                title: title.into(),
                year: None,
            };
            assert!(
                rank(&sought, &candidates)
                    .iter()
                    .all(|found| (0.0..=1.0).contains(&found.score))
            );
        }
    }
}
