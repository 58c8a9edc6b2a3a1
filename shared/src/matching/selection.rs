//! The playlist that is being built.

use std::collections::BTreeSet;

use super::{MissReason, fold::Folded, prompt::Prompt, title::Title};
use crate::track::{CatalogueTrack, Suggestion};

/// The most tracks of one artist, unless the user named the artist.
const MAX_PER_ARTIST: usize = 2;

/// A playlist that is being built: no song twice, no artist too often.
#[derive(Debug, Clone)]
pub struct Selection {
    target: usize,
    prompt: Prompt,
    entries: Vec<Entry>,
    /// Songs that must not come back.
    barred: Vec<Entry>,
    /// Artist and title of every suggestion, normalised.
    suggested: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone)]
struct Entry {
    uri: String,
    isrc: Option<String>,
    /// The names that the primary artist may have, normalised: several if a name and a list of names look the same.
    primary: Vec<String>,
    /// Credited artists, normalised, the primary one first.
    artists: Vec<String>,
    title: Title,
}

impl Selection {
    /// Creates an empty playlist of at most `target` tracks for the user's own words.
    #[must_use]
    pub fn new(target: usize, prompt: &str) -> Self {
        Self {
            target,
            prompt: Prompt::new(prompt),
            entries: Vec::new(),
            barred: Vec::new(),
            suggested: BTreeSet::new(),
        }
    }

    /// Adds a track that stays in the playlist, by its URI, title and artists (one text). It counts like any other.
    pub fn keep(&mut self, uri: &str, title: &str, artists: &str) {
        let entry = self.known(uri, title, artists);
        self.entries.push(entry);
    }

    /// Excludes a song as if the playlist contained it, without counting it.
    pub fn bar(&mut self, uri: &str, title: &str, artists: &str) {
        let entry = self.known(uri, title, artists);
        self.barred.push(entry);
    }

    fn known(&mut self, uri: &str, title: &str, artists: &str) -> Entry {
        let entry = Entry::known(uri, title, artists);
        let name = suggested_title(&entry.title);
        self.suggested.extend(
            entry
                .primary
                .iter()
                .map(|artist| (artist.clone(), name.clone())),
        );
        entry
    }

    /// Adds the track and returns its index, from 0.
    ///
    /// # Errors
    /// - [`MissReason::Duplicate`]: the playlist contains the URI, the recording (ISRC), or a song of this name by
    ///   one of the same artists. A remaster, a live or any other version is the same song.
    /// - [`MissReason::Excluded`]: the artist has two tracks and the user did not name the artist (the closest
    ///   reason of the closed list), or the playlist is full.
    pub fn offer(&mut self, track: &CatalogueTrack) -> Result<usize, MissReason> {
        let entry = Entry::new(track);
        if self
            .entries
            .iter()
            .chain(&self.barred)
            .any(|other| other.is_same_song(&entry))
        {
            return Err(MissReason::Duplicate);
        }
        let is_of_artist = |other: &&Entry| {
            entry
                .artists
                .first()
                .is_some_and(|name| other.primary.contains(name))
        };
        let of_artist = self.entries.iter().filter(is_of_artist).count();
        let named = || {
            track
                .artists
                .first()
                .is_some_and(|artist| self.prompt.names(artist))
        };
        if self.is_full() || (of_artist >= MAX_PER_ARTIST && !named()) {
            return Err(MissReason::Excluded);
        }
        self.entries.push(entry);
        Ok(self.entries.len() - 1)
    }

    /// Stores the suggestion and returns whether the same song had been suggested before.
    pub fn already_seen(&mut self, suggestion: &Suggestion) -> bool {
        let title = suggested_title(&Title::parse(&suggestion.title));
        !self.suggested.insert((compact(&suggestion.artist), title))
    }

    /// Returns whether the target is reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.entries.len() >= self.target
    }

    /// Returns the number of tracks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the playlist has no tracks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Entry {
    fn new(track: &CatalogueTrack) -> Self {
        let artists: Vec<_> = track.artists.iter().map(|artist| compact(artist)).collect();
        Self {
            uri: track.uri.as_str().to_owned(),
            isrc: track
                .isrc
                .as_deref()
                .map(isrc)
                .filter(|code| !code.is_empty()),
            primary: artists.first().cloned().into_iter().collect(),
            artists,
            title: Title::parse(&track.title),
        }
    }

    /// Reads a track whose artists are one text. A comma separates two names or is part of one, as in "Tyler, The
    /// Creator", so both readings count.
    fn known(uri: &str, title: &str, artists: &str) -> Self {
        let names: Vec<&str> = artists.split(", ").collect();
        let runs_from = |from: usize| {
            let rest = names.get(from..).unwrap_or_default();
            (1..=rest.len())
                .map(move |count| compact(&rest.get(..count).unwrap_or_default().join(", ")))
        };
        Self {
            uri: uri.to_owned(),
            isrc: None,
            primary: runs_from(0).collect(),
            artists: (0..names.len()).flat_map(runs_from).collect(),
            title: Title::parse(title),
        }
    }

    fn is_same_song(&self, other: &Self) -> bool {
        let same_recording = self.isrc.is_some() && self.isrc == other.isrc;
        let shares_artist = self
            .artists
            .iter()
            .any(|artist| other.artists.contains(artist));
        self.uri == other.uri || same_recording || (shares_artist && self.has_name_of(other))
    }

    /// Returns whether both are one song by name. A subtitle may be missing on one side, but two movements of one work
    /// are two songs.
    fn has_name_of(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.title, &other.title);
        let one_without = mine.subtitle().is_empty() || theirs.subtitle().is_empty();
        mine.parts == theirs.parts
            && (mine.full().same_letters(theirs.full())
                || (one_without && mine.main().same_letters(theirs.main())))
    }
}

fn suggested_title(title: &Title) -> String {
    format!("{} {}", title.full().compact(), title.parts)
}

/// Returns an artist's name without spaces, so that "R.E.M." equals "REM".
fn compact(name: &str) -> String {
    Folded::of(name).name().bare().compact()
}

/// Returns an ISRC without hyphens, which some catalogues write.
fn isrc(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::TrackUri;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn track(id: u32, artist: &str, title: &str) -> CatalogueTrack {
        CatalogueTrack {
            uri: TrackUri::parse(&format!("spotify:track:{id:022}")).unwrap(),
            title: title.to_owned(),
            artists: vec![artist.to_owned()],
            album: String::new(),
            release_year: None,
            duration_ms: 200_000,
            explicit: false,
            is_playable: true,
            isrc: None,
            image_url: None,
        }
    }

    #[test]
    fn returns_consecutive_indices_up_to_the_target() {
        let mut selection = Selection::new(2, "anything");
        assert!(selection.is_empty());
        assert_eq!(selection.offer(&track(1, "Kult", "Arahja")), Ok(0));
        assert_eq!(selection.offer(&track(2, "Dżem", "Whisky")), Ok(1));
        assert!(selection.is_full());
        assert_eq!(
            selection.offer(&track(3, "Maanam", "Kocham cię")),
            Err(MissReason::Excluded)
        );
        assert_eq!(selection.len(), 2);
    }

    #[test]
    fn refuses_the_same_uri_recording_or_song() {
        let mut selection = Selection::new(10, "anything");
        let coded = |id, isrc: &str, title: &str| CatalogueTrack {
            isrc: Some(isrc.to_owned()),
            ..track(id, "Queen", title)
        };
        selection
            .offer(&coded(1, "GBUM71029604", "Bohemian Rhapsody"))
            .unwrap();
        for repeat in [
            track(1, "Someone", "Else"),
            coded(2, "gb-um7-10-29604", "Another name"),
            track(3, "QUEEN", "Bohemian Rhapsody - Remastered 2011"),
            track(4, "Queen", "Bohemian Rhapsody - Live Aid"),
            track(5, "Queen", "Bohemian Rhapsody (feat. Someone)"),
        ] {
            assert_eq!(
                selection.offer(&repeat),
                Err(MissReason::Duplicate),
                "{}",
                repeat.title
            );
        }
        assert!(
            selection
                .offer(&track(6, "Panic! At The Disco", "Bohemian Rhapsody"))
                .is_ok()
        );
        assert!(selection.offer(&coded(7, "", "Innuendo")).is_ok());
    }

    #[test]
    fn kept_song_counts_and_excludes_its_versions() {
        let mut selection = Selection::new(4, "anything");
        selection.keep(track(1, "", "").uri.as_str(), "Whisky", "Dżem");
        selection.keep(
            track(2, "", "").uri.as_str(),
            "Czerwony jak cegła",
            "Dżem, Someone Else",
        );
        selection.keep(
            track(3, "", "").uri.as_str(),
            "See You Again",
            "Tyler, The Creator, Kali Uchis",
        );
        for repeat in [
            track(1, "Another", "Name"),
            track(4, "DŻEM", "Whisky - Live"),
            track(5, "Kali Uchis", "See You Again"),
            track(6, "Tyler, The Creator", "See You Again"),
        ] {
            assert_eq!(
                selection.offer(&repeat),
                Err(MissReason::Duplicate),
                "{}",
                repeat.title
            );
        }
        assert_eq!(
            selection.offer(&track(7, "Dżem", "Sen o Victorii")),
            Err(MissReason::Excluded)
        );
        let suggestion = Suggestion {
            artist: "dżem".into(),
            title: "Whisky".into(),
            year: None,
        };
        assert!(selection.already_seen(&suggestion));
        assert_eq!((selection.len(), selection.is_full()), (3, false));
        assert_eq!(selection.offer(&track(8, "Kult", "Arahja")), Ok(3));
        assert!(selection.is_full());
    }

    #[test]
    fn barred_song_is_refused_and_does_not_count() {
        let mut selection = Selection::new(2, "anything");
        selection.bar(track(1, "", "").uri.as_str(), "Whisky", "Dżem");
        assert_eq!(
            selection.offer(&track(2, "Dżem", "Whisky (Remastered)")),
            Err(MissReason::Duplicate)
        );
        assert!(selection.is_empty());
        for (id, title) in [(3, "Sen o Victorii"), (4, "Czerwony jak cegła")] {
            assert!(
                selection.offer(&track(id, "Dżem", title)).is_ok(),
                "{title}"
            );
        }
    }

    #[test]
    fn accepts_several_parts_of_one_work() {
        let mut selection = Selection::new(10, "Pink Floyd");
        assert!(
            selection
                .offer(&track(1, "Pink Floyd", "Another Brick in the Wall, Pt. 1"))
                .is_ok()
        );
        assert!(
            selection
                .offer(&track(2, "Pink Floyd", "Another Brick in the Wall, Pt. 2"))
                .is_ok()
        );
    }

    #[test]
    fn limits_artists_to_two_tracks_unless_named() {
        let third = |prompt: &str| {
            let mut selection = Selection::new(10, prompt);
            selection.offer(&track(1, "Dżem", "Whisky")).unwrap();
            selection
                .offer(&track(2, "Dżem", "Czerwony jak cegła"))
                .unwrap();
            selection.offer(&track(3, "DŻEM", "Sen o Victorii"))
        };
        assert_eq!(third("polski blues"), Err(MissReason::Excluded));
        assert_eq!(third("najlepsze utwory Dżemu"), Ok(2));
    }

    #[test]
    fn recognises_a_repeated_suggestion_in_another_spelling() {
        let mut selection = Selection::new(10, "anything");
        let suggestion = |artist: &str, title: &str| Suggestion {
            artist: artist.into(),
            title: title.into(),
            year: None,
        };
        assert!(!selection.already_seen(&suggestion("AC/DC", "T.N.T.")));
        assert!(selection.already_seen(&suggestion("ACDC", "T.N.T. (Remastered)")));
        assert!(!selection.already_seen(&suggestion("AC/DC", "Thunderstruck")));
    }
}
