//! Chooses among the results of a search.

use super::{
    Constraints, MissReason,
    judge::{Judge, Judged},
    reading::{Reading, Way},
};
use crate::track::{CatalogueTrack, Suggestion};

/// A chosen candidate and its score from 0 to 1.
#[derive(Debug, PartialEq)]
pub struct Scored<'a, T = CatalogueTrack> {
    /// The candidate.
    pub track: &'a T,
    /// The score, from 0 to 1.
    pub score: f64,
}

// Derived, these would ask for a candidate that can be copied.
impl<T> Clone for Scored<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Scored<'_, T> {}

/// Returns the candidate that is the suggested song in an acceptable version.
///
/// Among equals, one from within the era wins, then an album over a collection, the earliest release, the uncensored
/// one, and finally the first one in the catalogue's order.
///
/// # Errors
/// - [`MissReason::NotFound`]: there is no candidate, or none is playable.
/// - [`MissReason::Explicit`]: all recordings of the song are explicit, and the user wants none.
/// - [`MissReason::Excluded`]: an excluded artist takes part, or the song is outside the era.
/// - [`MissReason::LowScore`]: no candidate is this song, or only in versions that were not asked for.
pub fn best_match<'a, T: AsRef<CatalogueTrack>>(
    suggestion: &Suggestion,
    candidates: &'a [T],
    constraints: &Constraints,
) -> Result<Scored<'a, T>, MissReason> {
    if !candidates.is_empty() && constraints.excludes(suggestion) {
        return Err(MissReason::Excluded);
    }
    if !candidates.iter().any(is_playable) {
        return Err(MissReason::NotFound);
    }
    let mut judge = Judge::new(suggestion, constraints);
    for reading in Way::ALL
        .iter()
        .filter_map(|way| Reading::new(*way, suggestion))
    {
        match choose(&mut judge, &reading, candidates) {
            Err(MissReason::LowScore) => {}
            decided => return decided,
        }
    }
    Err(MissReason::LowScore)
}

fn is_playable(candidate: &impl AsRef<CatalogueTrack>) -> bool {
    candidate.as_ref().is_playable
}

fn choose<'a, T: AsRef<CatalogueTrack>>(
    judge: &mut Judge<'_>,
    reading: &Reading,
    candidates: &'a [T],
) -> Result<Scored<'a, T>, MissReason> {
    let songs: Vec<Judged<'a, T>> = candidates
        .iter()
        .filter(|candidate| is_playable(*candidate))
        .filter_map(|candidate| judge.judge(reading, candidate))
        .collect();
    let is_unique = |song: &Judged<'_, T>| {
        !song.is_weak
            || songs
                .iter()
                .all(|other| other.name == song.name || other.likeness < song.likeness)
    };
    let delivered = best(&songs, |song| {
        !song.is_refused && song.obstacle.is_none() && is_unique(song)
    })
    .or_else(|| known_by_its_mix(&songs));
    match delivered {
        Some(song) => Ok(Scored {
            track: song.track,
            score: song.score,
        }),
        None => {
            let obstructed = best(&songs, |song| !song.is_refused && song.obstacle.is_some());
            Err(obstructed
                .and_then(|song| song.obstacle)
                .unwrap_or(MissReason::LowScore))
        }
    }
}

/// Returns the best of those that fit; among equals, the first one in the catalogue's order.
fn best<'s, 'a, T: AsRef<CatalogueTrack>>(
    songs: &'s [Judged<'a, T>],
    fits: impl Fn(&Judged<'a, T>) -> bool,
) -> Option<&'s Judged<'a, T>> {
    songs
        .iter()
        .filter(|song| fits(song))
        .min_by_key(|song| song.rank())
}

/// Returns the hit that is known by its mix ("King Of My Castle - Roy Malone's King Mix"): the mix is the only
/// recording of the song by the artist in the catalogue, and is on several albums.
fn known_by_its_mix<'s, 'a, T: AsRef<CatalogueTrack>>(
    songs: &'s [Judged<'a, T>],
) -> Option<&'s Judged<'a, T>> {
    let first = best(songs, |song| song.mix.is_some())?;
    let is_only = songs
        .iter()
        .all(|song| song.mix == first.mix || !song.is_same_title);
    let appearances = songs
        .iter()
        .filter(|song| song.track.as_ref().album != first.track.as_ref().album)
        .count()
        + 1;
    (is_only && appearances > 1 && first.obstacle.is_none()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::TrackUri;

    #[test]
    fn prefers_the_named_addition_among_equals() {
        let track = |id: u32, title: &str, release_year| {
            let uri = TrackUri::parse(&format!("spotify:track:{id:022}")).unwrap();
            CatalogueTrack {
                album: "Aladdin (Original Motion Picture Soundtrack)".to_owned(),
                release_year,
                ..CatalogueTrack::new(uri, "ZAYN", title)
            }
        };
        let candidates = [
            track(1, "A Whole New World", Some(1992)),
            track(2, "A Whole New World (End Title)", None),
        ];
        for (title, chosen) in [
            ("A Whole New World (End Title)", 1),
            ("A Whole New World", 0),
        ] {
            let suggestion = Suggestion {
                artist: "ZAYN".into(),
                title: title.into(),
                year: None,
            };
            let found = best_match(&suggestion, &candidates, &Constraints::default()).unwrap();
            assert_eq!(found.track, &candidates[chosen], "{title}");
        }
    }
}
