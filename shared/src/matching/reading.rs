//! The ways in which a suggestion can be read.

use super::{
    artist::Credits,
    fold::{Folded, Name, Word},
    lexicon::Senses,
    title::Title,
};
use crate::track::{CatalogueTrack, Suggestion};

/// The similarity of an artist if the suggestion names the work from which the song is: at the start of the album's
/// name, elsewhere in it, or in the title.
const FROM_THE_WORK: [f64; 3] = [0.95, 0.9, 0.85];

/// A suggestion in one reading: as written, or with its fields interpreted differently.
pub(super) struct Reading {
    /// The parsed title.
    pub title: Title,
    /// The parsed artists.
    pub credits: Credits,
    /// Artist and title as written.
    pub raw: (String, String),
    /// Whether it has to match exactly, because it is not the written reading.
    pub is_exact: bool,
    /// The film or musical that is named in place of the artist.
    pub work: Option<Folded>,
}

impl Reading {
    fn of(artist: &str, title: &str, is_exact: bool) -> Self {
        Self {
            title: Title::parse(title),
            credits: Credits::of(artist),
            raw: (artist.to_owned(), title.to_owned()),
            is_exact,
            work: None,
        }
    }

    /// Returns the suggestion in this reading, if it is possible.
    pub(super) fn new(way: Way, suggestion: &Suggestion) -> Option<Self> {
        let Suggestion { artist, title, .. } = suggestion;
        match way {
            Way::WithoutArtist => {
                without_artist(artist, title).map(|title| Self::of(artist, title, false))
            }
            Way::Written => Some(Self::of(artist, title, false)),
            Way::FromWork => work(artist).map(|work| Self {
                work: Some(work),
                ..Self::of(artist, title, true)
            }),
            // A suggestion without a year is too vague for this reading.
            Way::Exchanged => suggestion.year.map(|_| Self::of(title, artist, true)),
        }
    }
}

/// A way to read a suggestion.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// The title repeats the artist: "Queen - Innuendo".
    WithoutArtist,
    Written,
    /// A film or musical is in the artist's place.
    FromWork,
    /// Title and artist are exchanged.
    Exchanged,
}

impl Way {
    /// The most likely first.
    pub(super) const ALL: [Self; 4] = [
        Self::WithoutArtist,
        Self::Written,
        Self::FromWork,
        Self::Exchanged,
    ];
}

/// Returns the title in "Queen - Innuendo", if the artist is Queen.
fn without_artist<'t>(artist: &str, title: &'t str) -> Option<&'t str> {
    let artist = Folded::of(artist);
    [" - ", " – ", ": "]
        .iter()
        .filter_map(|dash| title.split_once(dash))
        .find_map(|(left, right)| {
            let is_artist = |text: &str| {
                Folded::of(text)
                    .name()
                    .bare()
                    .same_letters(artist.name().bare())
            };
            if is_artist(left) {
                Some(right)
            } else {
                is_artist(right).then_some(left)
            }
        })
}

/// Returns the film in "Shrek 2 Cast", "Pretty Woman Soundtrack", "Various Artists (Tangled)".
fn work(artist: &str) -> Option<Folded> {
    let various = ["various artists", "various", "vv aa", "rozni wykonawcy"];
    let outside = artist.split(['(', '[']).next().unwrap_or_default();
    let is_various = |text: &str| various.contains(&Folded::of(text).name().text().as_str());
    let inside = artist
        .split(['(', '['])
        .nth(1)
        .map(|rest| rest.trim_end_matches([')', ']']));
    if is_various(outside) {
        return inside.map(Folded::of);
    }
    let folded = Folded::of(artist);
    if !folded
        .words()
        .iter()
        .any(|word| word.senses.has(Senses::WORK))
    {
        return None;
    }
    let is_kept = |word: &&Word| {
        !word.senses.has(Senses::WORK)
            && (!word.senses.has(Senses::NEUTRAL) || word.is_number_like())
    };
    let kept: Vec<Word> = folded.words().iter().filter(is_kept).copied().collect();
    (!kept.is_empty()).then(|| Folded::of(&folded.with(&kept).bare().text()))
}

/// Returns the value of the work in place of the artist: highest if the album has its name, lowest if only the title
/// does.
pub(super) fn from_the_work(work: Name<'_>, track: &CatalogueTrack) -> Option<f64> {
    let work = work.bare();
    let place = |text: &str| {
        let folded = Folded::of(text);
        let own = folded.name().bare();
        let mut windows = own.words.windows(work.words.len().max(1));
        windows.position(|window| window.iter().zip(work.words).all(|(a, b)| a.id == b.id))
    };
    let [called, named, of_title] = FROM_THE_WORK;
    match place(&track.album) {
        Some(0) => Some(called),
        Some(_) => Some(named),
        None => place(&track.title).map(|_| of_title),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Constraints, WantedVersions, best_match};
    use super::*;
    use crate::track::TrackUri;

    #[test]
    fn reads_suggestions_in_every_way() {
        for (artist, title, year, is_found) in [
            ("Queen", "Queen - Innuendo", None, true),
            ("Innuendo", "Queen", Some(1991), true),
            ("Innuendo", "Queen", None, false),
            ("Highlander Soundtrack", "Innuendo", None, true),
            ("Various Artists (Highlander)", "Innuendo", None, true),
            ("Flash Gordon Cast", "Innuendo", None, false),
        ] {
            let track = CatalogueTrack {
                uri: TrackUri::parse("spotify:track:4uLU6hMCjMI75M1A2tKUQC").unwrap(),
                title: "Innuendo".to_owned(),
                artists: vec!["Queen".to_owned()],
                album: "Highlander (Music From The Film)".to_owned(),
                release_year: Some(1991),
                duration_ms: 200_000,
                explicit: false,
                is_playable: true,
                isrc: None,
                image_url: None,
            };
            let suggestion = Suggestion {
                artist: artist.to_owned(),
                title: title.to_owned(),
                year,
            };
            let allowed = Constraints::new(true, None, &[], WantedVersions::default());
            assert_eq!(
                best_match(&suggestion, &[track], &allowed).is_ok(),
                is_found,
                "{artist} - {title}"
            );
        }
    }
}
