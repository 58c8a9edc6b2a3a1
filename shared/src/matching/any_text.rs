//! Property tests with any text. Those that also run in wasm are in [`super::properties`].

use inputs::mutated_text;
use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;

use super::artist::Credits;
use super::bare_title::bare_title;
use super::fold::MAX_CHARS;
use super::likeness::likeness;
use super::normalise::words;
use super::similarity::Spelling;
use super::title::Title;
use super::*;
use crate::track::{CatalogueTrack, Era, Suggestion, TrackUri};

/// Generates any text, or a part of a title or an artist's name.
fn name() -> impl Strategy<Value = String> + Clone {
    prop_oneof![2 => inputs::text(), 1 => mutated_text("matching")]
}

fn track() -> impl Strategy<Value = CatalogueTrack> {
    let texts = (name(), vec(name(), 0..3), name(), prop::option::of(name()));
    (
        texts,
        "[0-9A-Za-z]{22}",
        prop::option::of(0..3000),
        any::<[bool; 2]>(),
    )
        .prop_map(
            |((title, artists, album, isrc), id, release_year, [explicit, is_playable])| {
                CatalogueTrack {
                    uri: TrackUri::parse(&format!("spotify:track:{id}")).unwrap(),
                    title,
                    artists,
                    album,
                    release_year,
                    duration_ms: 0,
                    explicit,
                    is_playable,
                    isrc,
                    image_url: None,
                }
            },
        )
}

/// Generates a song and candidates that often share its texts.
fn sought() -> impl Strategy<Value = (Suggestion, Vec<CatalogueTrack>)> {
    let candidates = vec(track(), 0..5);
    (
        name(),
        name(),
        candidates,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(artist, title, candidates, at, is_there)| {
            let mut sought = Suggestion {
                artist,
                title,
                year: None,
            };
            if is_there && !candidates.is_empty() {
                let track: &CatalogueTrack = at.get(&candidates);
                sought.title = track.title.clone();
                sought.artist = track.artists.first().cloned().unwrap_or_default();
            }
            (sought, candidates)
        })
}

proptest! {
    #[test]
    fn best_match_is_playable_and_order_decides_only_between_equals(
        (sought, candidates) in sought(),
        turn in any::<prop::sample::Index>(),
        may_be_explicit in any::<bool>(),
        prompt in name(),
    ) {
        let constraints = Constraints::new(may_be_explicit, None, &[], WantedVersions::from_prompt(&prompt));
        let mut turned = candidates.clone();
        turned.rotate_left(turn.index(candidates.len() + 1).min(candidates.len()));
        let best = best_match(&sought, &candidates, &constraints);
        let score = |best: Result<Scored<'_>, MissReason>| best.map(|best| best.score);
        prop_assert_eq!(score(best), score(best_match(&sought, &turned, &constraints)));
        if let Ok(best) = best {
            prop_assert!((0.0..=1.0).contains(&best.score) && best.track.is_playable);
            prop_assert!(may_be_explicit || !best.track.explicit);
        }
    }

    #[test]
    fn remembered_candidates_give_the_same_match(
        (sought, found) in sought(),
        year in prop::option::of(1900..2030),
        (excluded, prompt) in (name(), name()),
        from in prop::option::of(0..3000),
        [may_be_explicit, may_be_version, shouts] in any::<[bool; 3]>(),
    ) {
        // The candidates remembered for one user's suggestion serve another user's, in another spelling and with
        // another year.
        let kept = candidates_of(&sought, found.clone());
        let respell = |text: &str| if shouts { text.to_uppercase() } else { text.replace('\'', "’") };
        let other = Suggestion { artist: respell(&sought.artist), title: respell(&sought.title), year };
        prop_assume!(song_key(&other) == song_key(&sought));
        let same = |text: String| text.to_lowercase();
        prop_assert_eq!(same(field_query(&other)), same(field_query(&sought)));
        prop_assert_eq!(same(free_query(&other)), same(free_query(&sought)));
        let era = from.map(|from| Era { from: Some(from), to: None });
        let constraints =
            Constraints::new(may_be_explicit, era, &[excluded], WantedVersions::from_prompt(&prompt))
                .with_versions(may_be_version);
        let fresh = best_match(&other, &found, &constraints);
        if kept.is_empty() {
            prop_assert!(fresh.is_err());
        } else {
            prop_assert_eq!(best_match(&other, &kept, &constraints), fresh);
        }
    }

    #[test]
    fn ranking_is_sorted_by_score((sought, candidates) in sought()) {
        let ranked = rank(&sought, &candidates);
        prop_assert_eq!(ranked.is_empty(), candidates.is_empty());
        prop_assert!(ranked.iter().all(|it| (0.0..=1.0).contains(&it.score)), "{:?}", ranked);
        prop_assert!(ranked.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert!(
            ranked.iter().all(|it| candidates.iter().filter(|track| *track == it.track).count() == 1),
        );
    }

    #[test]
    fn likeness_is_reflexive_and_symmetric(a in name(), b in name()) {
        let (a, b) = (Title::parse(&a), Title::parse(&b));
        let similarity = |a: &Title, b: &Title| likeness(a, b, Spelling::Strict).score;
        prop_assert!((similarity(&a, &a) - 1.0).abs() < 1e-9, "{:?}", a);
        prop_assert!((similarity(&a, &b) - similarity(&b, &a)).abs() < 1e-9, "{:?} {:?}", a, b);
        prop_assert!((0.0..=1.0).contains(&similarity(&a, &b)));
    }

    #[test]
    fn ignores_text_after_the_limit(
        piece in name(),
        tail in prop_oneof![name(), Just(" (Live) (feat. Kult)".to_owned())],
    ) {
        prop_assume!(!piece.is_empty());
        let start: String = piece.chars().cycle().take(2 * MAX_CHARS).collect();
        let whole = format!("{start}{tail}");
        prop_assert_eq!(normalise(&whole), normalise(&start));
        prop_assert_eq!(words(&whole), words(&start));
        let parts = |text: &str| {
            let title = Title::parse(text);
            let names = [title.main(), title.full(), title.subtitle()].map(|name| name.text());
            (names, title.versions, title.parts)
        };
        let credits = |text: &str| Credits::of(text).iter().map(|name| name.text()).collect::<Vec<_>>();
        prop_assert_eq!(parts(&whole), parts(&start));
        prop_assert_eq!(bare_title(&whole), bare_title(&start));
        prop_assert_eq!(credits(&whole), credits(&start));
        for part in parts(&whole).0.iter().chain(&credits(&whole)) {
            prop_assert!(part.chars().count() <= MAX_CHARS);
        }
    }

    #[test]
    fn selection_keeps_its_target_and_has_no_duplicates(
        tracks in vec(track(), 0..5),
        target in 0..4_usize,
        prompt in name(),
    ) {
        let mut selection = Selection::new(target, &prompt);
        for track in &tracks {
            let before = selection.len();
            match selection.offer(track) {
                Ok(index) => prop_assert_eq!((index, selection.len()), (before, before + 1)),
                Err(_) => prop_assert_eq!(selection.len(), before),
            }
            prop_assert!(selection.offer(track).is_err());
        }
        prop_assert!(selection.len() <= target);
    }
}
