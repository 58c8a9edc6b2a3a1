//! The choice among what a search found.

use std::cmp::Reverse;

use super::{
    Constraints, MissReason, Version,
    artist::{best_similarity, credits, versions_of_performers},
    constraints::{EraFit, is_compilation},
    markers::in_album,
    normalise::words,
    similarity::title_similarity,
    title::{Title, unmistakable_in},
    version::Versions,
};
use crate::track::{CatalogueTrack, Suggestion};

pub(super) const TITLE_WEIGHT: f64 = 0.55;
pub(super) const ARTIST_WEIGHT: f64 = 0.40;
const YEAR_WEIGHT: f64 = 0.05;
const MIN_SCORE: f64 = 0.80;
const MIN_TITLE: f64 = 0.70;
const MIN_ARTIST: f64 = 0.75;

/// What it costs to lack the version that the suggestion names, more than any accepted one costs.
const LACKS_NAMED: f64 = 0.14;
/// What it costs to be none of the versions that the listener asked for.
const LACKS_ASKED: f64 = 0.08;
/// What it costs at most to be somebody else's remix than the suggestion's.
const OTHER_REMIX: f64 = 0.08;

/// A chosen candidate and how well it fits, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored<'a> {
    pub track: &'a CatalogueTrack,
    pub score: f64,
}

/// Picks the candidate that is the suggested song, in a version that the listener may get.
///
/// The order of the candidates makes no difference. Of equals the one inside the era wins, then an
/// album over a collection, the earliest release, the uncensored one, and at last the smaller URI.
///
/// # Errors
/// - [`MissReason::NotFound`]: no candidate can be played, or there is none.
/// - [`MissReason::Explicit`]: only explicit recordings of the song, and none are allowed.
/// - [`MissReason::Excluded`]: an excluded artist takes part, or the song is not of the era.
/// - [`MissReason::LowScore`]: none is this song, or only versions that nobody asked for.
pub fn best_match<'a>(
    suggestion: &Suggestion,
    candidates: &'a [CatalogueTrack],
    constraints: &Constraints,
) -> Result<Scored<'a>, MissReason> {
    let wanted = Title::parse(&suggestion.title);
    if !candidates.is_empty() && constraints.excludes_any(std::slice::from_ref(&suggestion.artist), &wanted) {
        return Err(MissReason::Excluded);
    }
    let artist = credits(&suggestion.artist);
    let playable: Vec<_> = candidates.iter().filter(|candidate| candidate.is_playable).collect();
    if playable.is_empty() {
        return Err(MissReason::NotFound);
    }
    let mut songs: Vec<Judged<'_>> = playable
        .into_iter()
        .filter_map(|candidate| Judged::new(suggestion, &artist, &wanted, candidate, constraints))
        .collect();
    songs.sort_by_cached_key(Judged::rank);
    match songs.iter().find(|song| song.obstacle.is_none()) {
        Some(chosen) => Ok(Scored { track: chosen.track, score: chosen.score }),
        None => Err(songs.first().and_then(|song| song.obstacle).unwrap_or(MissReason::LowScore)),
    }
}

/// A candidate that is the suggested song, and everything that decides about it.
struct Judged<'a> {
    track: &'a CatalogueTrack,
    score: f64,
    /// The score without the year, which a collection may fit better than the original does.
    quality: f64,
    /// Why the listener may not get it all the same.
    obstacle: Option<MissReason>,
    era_fit: EraFit,
}

impl<'a> Judged<'a> {
    /// Judges a candidate; `None` if it is another song.
    fn new(
        suggestion: &Suggestion,
        artist: &[String],
        wanted: &Title,
        track: &'a CatalogueTrack,
        constraints: &Constraints,
    ) -> Option<Self> {
        let (mut wanted, mut title) = (wanted.clone(), Title::parse(&track.title));
        title.split_off_version(&wanted.main);
        wanted.split_off_version(&title.main);
        let title_score = wanted.similarity(&title);
        if title_score < MIN_TITLE {
            return None;
        }
        let versions = versions_of(track, &title, &wanted);
        let asked = constraints.wanted.versions();
        let permitted = asked.union(implied(asked));
        let mut artists = track.artists.clone();
        if versions.iter().all(|version| !version.must_be_asked_for() || permitted.contains(version)) {
            artists.extend(title.imitated.iter().cloned());
        }
        let artist_score = best_similarity(artist, &artists, &title.featured);
        let penalty = version_penalty(&wanted, &title, versions, asked);
        let quality = TITLE_WEIGHT * title_score + ARTIST_WEIGHT * artist_score - penalty;
        let year_score = year_similarity(suggestion.year, track.release_year);
        let score = (quality + YEAR_WEIGHT * year_score).clamp(0.0, 1.0);
        if score < MIN_SCORE || artist_score < MIN_ARTIST {
            return None;
        }
        let era_fit = constraints.era_fit(track, suggestion.year);
        let obstacle = if era_fit == EraFit::Outside || constraints.excludes_any(&track.artists, &title) {
            Some(MissReason::Excluded)
        } else if !constraints.allow_explicit && is_explicit(track) {
            Some(MissReason::Explicit)
        } else {
            None
        };
        Some(Self { track, score, quality, obstacle, era_fit })
    }

    /// The order of preference. Qualities nearer than two hundredths count as equal.
    fn rank(&self) -> impl Ord + use<> {
        // From -40 to 50: always within an i32.
        #[allow(clippy::cast_possible_truncation)]
        let quality = (self.quality * 50.0).round() as i32;
        let track = self.track;
        (
            Reverse(quality),
            self.era_fit,
            is_compilation(track),
            track.release_year.unwrap_or(i32::MAX),
            !is_explicit(track),
            track.uri.clone(),
        )
    }
}

/// Everything that title, album and performers say about the version.
pub(super) fn versions_of(track: &CatalogueTrack, title: &Title, wanted: &Title) -> Versions {
    let album = Title::parse(&track.album);
    let from_album = album.versions.union(in_album(&words(&album.full)));
    // A single bears its song's name: "Live Forever" is no concert.
    let from_album =
        if album.main == title.main && album.versions.is_empty() { Versions::default() } else { from_album };
    title
        .versions
        .union(unmistakable_in(title, wanted))
        .union(from_album)
        .union(versions_of_performers(&track.artists))
}

/// What the candidate's versions cost, given those that the suggestion names and the listener asks for.
fn version_penalty(wanted: &Title, title: &Title, versions: Versions, asked: Versions) -> f64 {
    let named: Versions = wanted.versions.iter().filter(|version| !version.must_be_asked_for()).collect();
    let welcome = asked.union(named).union(implied(asked));
    let unasked: f64 =
        versions.iter().filter(|version| !welcome.contains(*version)).map(Version::penalty).sum();
    let lacks_named = named.iter().any(|version| !versions.contains(version));
    let lacks_asked = !asked.is_empty() && !versions.intersects(asked);
    let other_remix = if named.contains(Version::Remix) && versions.contains(Version::Remix) {
        OTHER_REMIX * (1.0 - title_similarity(&wanted.version_text, &title.version_text))
    } else {
        0.0
    };
    let cost = |lacks: bool, cost: f64| if lacks { cost } else { 0.0 };
    unasked + cost(lacks_named, LACKS_NAMED).max(cost(lacks_asked, LACKS_ASKED)) + other_remix
}

/// Karaoke tracks and tributes are covers too, and say so.
fn implied(asked: Versions) -> Versions {
    if asked.contains(Version::Karaoke) {
        [Version::Cover, Version::Tribute, Version::Instrumental].into_iter().collect()
    } else if asked.contains(Version::Tribute) || asked.contains(Version::Cover) {
        [Version::Cover, Version::Tribute].into_iter().collect()
    } else {
        Versions::default()
    }
}

fn year_similarity(suggested: Option<i32>, released: Option<i32>) -> f64 {
    match (suggested, released) {
        (Some(suggested), Some(released)) => match suggested.abs_diff(released) {
            0..=1 => 1.0,
            2..=3 => 0.7,
            4..=10 => 0.3,
            _ => 0.0,
        },
        _ => 0.5,
    }
}

/// Some catalogue entries say it in the title alone.
fn is_explicit(track: &CatalogueTrack) -> bool {
    let says_explicit = |title: &str| {
        words(title).last().is_some_and(|word| word == "explicit") && title.trim_end().ends_with([')', ']'])
    };
    track.explicit || says_explicit(&track.title)
}
