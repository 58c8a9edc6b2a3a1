//! Decides whether a candidate is the suggested song, and in which version.

use std::cmp::Reverse;

use super::{
    Constraints, MissReason, Version,
    artist::{Credits, Names, best_similarity},
    constraints::{EraFit, is_compilation},
    fold::Name,
    lexicon::lexicon,
    likeness::{Likeness, WEAK, likeness},
    reading::{Reading, from_the_work},
    script,
    similarity::{Spelling, title_similarity},
    title::Title,
    version::Versions,
    versions_of::versions_of,
};
use crate::track::{CatalogueTrack, Suggestion};

pub(super) const TITLE_WEIGHT: f64 = 0.55;
pub(super) const ARTIST_WEIGHT: f64 = 0.40;
const YEAR_WEIGHT: f64 = 0.05;
const MIN_SCORE: f64 = 0.80;
const MIN_TITLE: f64 = 0.70;
const MIN_ARTIST: f64 = 0.75;
/// Titles at least this similar have the same words.
const SAME_TITLE: f64 = 0.94;
/// The minimum for a suggestion that is read differently than written.
const EXACT_TITLE: f64 = 0.97;
const SAME_ARTIST: f64 = 0.98;

/// The cost of lacking the version that the suggestion names; higher than that of any accepted version.
const LACKS_NAMED: f64 = 0.14;
/// The cost of being none of the versions that the user asked for.
const LACKS_ASKED: f64 = 0.08;
/// The highest cost of being another person's remix than the suggested one.
const OTHER_REMIX: f64 = 0.08;
/// The cost of replacing the plain recording, if that is allowed.
const SUBSTITUTE: f64 = 0.12;
/// The cost of an addition that the studio recording rarely has.
const UNUSUAL: f64 = 0.03;

/// Judges candidates one after another, without a new allocation for each.
pub(super) struct Judge<'c> {
    constraints: &'c Constraints,
    year: Option<i32>,
    asked: Versions,
    title: Title,
    album: Title,
    artists: Names,
}

/// A candidate that is the suggested song, with the properties by which it is chosen.
pub(super) struct Judged<'a, T> {
    /// The candidate.
    pub track: &'a T,
    /// The score, from 0 to 1.
    pub score: f64,
    /// The score without the year, which a collection may match better than the original does.
    quality: f64,
    /// Whether it is a version that the user may not get.
    pub is_refused: bool,
    /// The reason to reject it although its version is acceptable.
    pub obstacle: Option<MissReason>,
    /// Whether its name matches except for a slip or a part.
    pub is_weak: bool,
    /// How similar the names are.
    pub likeness: f64,
    /// Equal for candidates of the same name.
    pub name: u64,
    /// Whether the titles have the same words.
    pub is_same_title: bool,
    /// Equal for appearances of the same mix without any other difference.
    pub mix: Option<u64>,
    era_fit: EraFit,
    /// Whether it lacks words that the suggestion adds to the song's name: "(End Title)".
    lacks_addition: bool,
    is_compilation: bool,
    has_others: bool,
}

impl<'c> Judge<'c> {
    pub(super) fn new(suggestion: &Suggestion, constraints: &'c Constraints) -> Self {
        Self {
            constraints,
            year: suggestion.year,
            asked: constraints.wanted.versions(),
            title: Title::default(),
            album: Title::default(),
            artists: Names::default(),
        }
    }

    /// Judges a candidate; returns `None` if it is another song.
    pub(super) fn judge<'a, T: AsRef<CatalogueTrack>>(
        &mut self,
        reading: &Reading,
        candidate: &'a T,
    ) -> Option<Judged<'a, T>> {
        let track = candidate.as_ref();
        self.title.read(&track.title);
        let spelling = Spelling::Strict;
        let alike = likeness(&reading.title, &self.title, spelling);
        let alike = if alike.score < MIN_TITLE {
            self.transliterated(reading, track)?
        } else {
            alike
        };
        if alike.score
            < if reading.is_exact {
                EXACT_TITLE
            } else {
                MIN_TITLE
            }
        {
            return None;
        }
        self.artists.read(&track.artists);
        let is_same_title = alike.score >= SAME_TITLE;
        let mut artist_score = match &reading.work {
            Some(work) => from_the_work(work.name(), track)?,
            None => self.artist_score(reading, track, is_same_title),
        };
        let mut named = reading.title.versions.union(alike.left);
        if reading.title.full().same_ids(self.title.version_words()) {
            named = named.union(self.title.versions);
        }
        let versions = versions_of(
            track,
            &self.title,
            &mut self.album,
            &self.artists,
            &reading.title,
            reading.credits.whole(),
        )
        .union(alike.right);
        let permitted = self.asked.union(implied(self.asked));
        if artist_score < MIN_ARTIST && versions.to_be_asked_for().without(permitted).is_empty() {
            let imitated = self.title.imitated();
            let is_imitated = !imitated.is_empty()
                && reading
                    .credits
                    .iter()
                    .any(|name| name.same_letters(imitated));
            artist_score = if is_imitated { 1.0 } else { artist_score };
        }
        let is_weak = alike.score <= WEAK;
        if artist_score
            < if is_weak || reading.is_exact && reading.work.is_none() {
                SAME_ARTIST
            } else {
                MIN_ARTIST
            }
        {
            return None;
        }
        let named = named.without(named.to_be_asked_for());
        let cost = self.cost(&reading.title, versions, named);
        let base = TITLE_WEIGHT * alike.score + ARTIST_WEIGHT * artist_score;
        let year = YEAR_WEIGHT * year_similarity(self.year, track.release_year);
        if base + year < MIN_SCORE {
            return None;
        }
        let quality = base - cost;
        let score = (quality + year).clamp(0.0, 1.0);
        let era_fit = self.constraints.era_fit(track, self.year);
        let obstacle = if era_fit == EraFit::Outside
            || self.constraints.excludes_any(&track.artists, &self.title)
        {
            Some(MissReason::Excluded)
        } else if !self.constraints.allow_explicit && is_explicit(track) {
            Some(MissReason::Explicit)
        } else {
            None
        };
        let is_mix = is_same_title
            && artist_score >= SAME_ARTIST
            && is_mix(versions)
            && !says_remix(&self.title);
        Some(Judged {
            track: candidate,
            score,
            quality,
            is_refused: score < MIN_SCORE,
            obstacle,
            is_weak,
            likeness: alike.score,
            name: key(self.title.full()),
            is_same_title,
            mix: is_mix.then(|| key(self.title.version_words())),
            era_fit,
            lacks_addition: lacks_addition(&reading.title, &self.title),
            is_compilation: is_compilation(track),
            has_others: self.artists.iter().count() > 1 && reading.credits.iter().count() < 2,
        })
    }

    /// Compares in Latin letters if only one side is Cyrillic or Greek.
    fn transliterated(&mut self, reading: &Reading, track: &CatalogueTrack) -> Option<Likeness> {
        if reading.title.is_transliterable() == self.title.is_transliterable() {
            return None;
        }
        let (wanted, found) = if reading.title.is_transliterable() {
            (
                Title::parse(&script::to_latin(&reading.raw.1)),
                Title::parse(&script::with_plain_letters(&track.title)),
            )
        } else {
            (
                Title::parse(&script::with_plain_letters(&reading.raw.1)),
                Title::parse(&script::to_latin(&track.title)),
            )
        };
        Some(likeness(&wanted, &found, Spelling::Loose))
    }

    fn artist_score(
        &mut self,
        reading: &Reading,
        track: &CatalogueTrack,
        is_same_title: bool,
    ) -> f64 {
        if reading.credits.is_transliterable() == self.artists.is_transliterable() {
            return best_similarity(
                &reading.credits,
                &self.artists,
                self.title.featured(),
                is_same_title,
            );
        }
        let as_is = best_similarity(
            &reading.credits,
            &self.artists,
            self.title.featured(),
            is_same_title,
        );
        let mut artists = Names::default();
        let latin = if reading.credits.is_transliterable() {
            track
                .artists
                .iter()
                .for_each(|name| artists.push(&script::with_plain_letters(name)));
            Credits::of(&script::to_latin(&reading.raw.0))
        } else {
            track
                .artists
                .iter()
                .for_each(|name| artists.push(&script::to_latin(name)));
            Credits::of(&script::with_plain_letters(&reading.raw.0))
        };
        as_is.max(best_similarity(
            &latin,
            &artists,
            self.title.featured(),
            is_same_title,
        ))
    }

    /// Returns the cost of the candidate's versions, given the versions that the suggestion names, the user asks
    /// for, and the request allows.
    fn cost(&self, wanted: &Title, versions: Versions, named: Versions) -> f64 {
        let welcome = self.asked.union(named).union(implied(self.asked));
        let unwelcome = versions.without(welcome);
        let cost = |version: Version| {
            if self.constraints.allow_versions && version.is_substitute() {
                SUBSTITUTE
            } else {
                version.penalty()
            }
        };
        let unasked: f64 = unwelcome.iter().map(cost).sum();
        let lacks = if !named
            .without(Versions::of(&[Version::RadioEdit]))
            .without(versions)
            .is_empty()
        {
            LACKS_NAMED
        } else if !self.asked.is_empty() && !versions.intersects(self.asked) {
            LACKS_ASKED
        } else {
            0.0
        };
        let both_remixes = named.contains(Version::Remix) && versions.contains(Version::Remix);
        let other_remix = if both_remixes {
            let alike = title_similarity(
                wanted.version_words(),
                self.title.version_words(),
                Spelling::Strict,
            );
            OTHER_REMIX * (1.0 - alike)
        } else {
            0.0
        };
        unasked
            + lacks
            + other_remix
            + if self.title.is_unusual && !wanted.is_unusual {
                UNUSUAL
            } else {
                0.0
            }
    }
}

impl<T: AsRef<CatalogueTrack>> Judged<'_, T> {
    /// Returns the key of the order of preference. Qualities that differ by less than two hundredths count as equal.
    pub(super) fn rank(&self) -> impl Ord + use<T> {
        let track = self.track.as_ref();
        // The value is between -40 and 50.
        let quality = (self.quality * 50.0).round() as i32;
        (
            Reverse(quality),
            self.era_fit,
            self.lacks_addition,
            self.is_compilation,
            track.release_year.unwrap_or(i32::MAX),
            self.has_others,
            !is_explicit(track),
        )
    }
}

/// Returns whether the suggestion has words beside the song's name that the candidate does not have.
fn lacks_addition(wanted: &Title, found: &Title) -> bool {
    let (wanted_words, found_words) = (wanted.said_words(), found.said_words());
    wanted_words.len() > wanted.full().words.len()
        && wanted_words
            .iter()
            .any(|word| found_words.iter().all(|own| own.id != word.id))
}

/// Returns whether the versions are one named mix or another language, of any length, and nothing else.
fn is_mix(versions: Versions) -> bool {
    const LENGTHS: Versions = Versions::of(&[Version::RadioEdit, Version::Extended]);
    matches!(
        versions.without(LENGTHS).iter().next(),
        Some(Version::Remix | Version::Language)
    ) && versions.without(LENGTHS).iter().count() == 1
}

/// Returns whether the addition contains "remix" or similar, not only "mix".
fn says_remix(title: &Title) -> bool {
    Versions::named_by(lexicon().senses(title.version_words().words)).contains(Version::Remix)
}

fn key(name: Name<'_>) -> u64 {
    name.words.iter().fold(0, |key, word| {
        (key ^ u64::from(word.id)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns the versions that satisfy the request: karaoke tracks and tributes are also covers, and a session is a live
/// recording.
pub(super) fn implied(asked: Versions) -> Versions {
    let mut implied = Versions::default();
    if asked.contains(Version::Karaoke) {
        implied = Versions::of(&[Version::Cover, Version::Tribute, Version::Instrumental]);
    } else if asked.intersects(Versions::of(&[Version::Tribute, Version::Cover])) {
        implied = Versions::of(&[Version::Cover, Version::Tribute]);
    }
    if asked.contains(Version::Live) {
        implied.union(Versions::of(&[Version::Session]))
    } else {
        implied
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

/// Returns whether a track is explicit. Some catalogue entries state it in the title only.
fn is_explicit(track: &CatalogueTrack) -> bool {
    let title = track.title.trim_end();
    let says = |end: &str| {
        title
            .len()
            .checked_sub(end.len())
            .and_then(|at| title.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    track.explicit || says("explicit)") || says("explicit]")
}
