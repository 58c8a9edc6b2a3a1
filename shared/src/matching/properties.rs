//! Property tests with random text, which also run in wasm.

use super::{
    Constraints, MissReason, Selection, WantedVersions, best_match, field_query,
    fold::{Folded, Name},
    free_query, normalise,
    similarity::{Spelling, artist_similarity, title_similarity},
    title::Title,
};
use crate::track::{CatalogueTrack, Era, Suggestion, TrackUri};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A seeded generator, so that every run uses the same texts.
struct Random(fastrand::Rng);

impl Random {
    fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0.u64(..limit)
    }

    fn character(&mut self) -> char {
        const TRAPS: &[char] = &[
            ' ',
            '(',
            ')',
            '[',
            ']',
            '-',
            '–',
            '〜',
            '/',
            '"',
            '\'',
            '’',
            '&',
            '+',
            '$',
            '!',
            '.',
            ',',
            'ł',
            'Ł',
            'İ',
            'ı',
            'ẞ',
            'ς',
            'ﬁ',
            '①',
            '²',
            'が',
            'ｶ',
            'ﾞ',
            '라',
            'й',
            'ё',
            '\u{301}',
            '\u{200d}',
            '🎵',
            '\u{0}',
            '\n',
            '\u{10ffff}',
            'ǆ',
            'क',
            'ी',
        ];
        match self.below(4) {
            0 => TRAPS[usize::try_from(self.below(TRAPS.len() as u64)).unwrap()],
            1 => char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap()).unwrap_or('x'),
            _ => char::from(b'a' + u8::try_from(self.below(26)).unwrap()),
        }
    }

    fn text(&mut self) -> String {
        const WORDS: &[&str] = &[
            "live",
            "(Live)",
            "- Remix",
            "feat.",
            "The",
            "cover",
            "[karaoke]",
            "Pt. 2",
            "no",
            "bez",
            "the the",
        ];
        let mut text = String::new();
        for _ in 0..self.below(8) {
            if self.below(3) == 0 {
                text.push_str(WORDS[usize::try_from(self.below(WORDS.len() as u64)).unwrap()]);
                text.push(' ');
            }
            let length = self.below(6);
            text.extend((0..length).map(|_| self.character()));
        }
        text
    }

    fn track(&mut self, id: u32) -> CatalogueTrack {
        CatalogueTrack {
            uri: TrackUri::parse(&format!("spotify:track:{id:022}")).unwrap(),
            title: self.text(),
            artists: (0..self.below(3)).map(|_| self.text()).collect(),
            album: self.text(),
            release_year: Some(i32::try_from(self.below(3000)).unwrap()),
            duration_ms: 0,
            explicit: self.below(2) == 0,
            is_playable: self.below(4) != 0,
            isrc: Some(self.text()),
            image_url: None,
        }
    }
}

#[test]
fn normalisation_is_idempotent() {
    // Beyond plane 2 no character folds to another one.
    for c in (0..0x3_0000).filter_map(char::from_u32) {
        for text in [c.to_string(), format!("a{c}b")] {
            let once = normalise(&text);
            assert_eq!(normalise(&once), once, "{text:?}");
        }
    }
    for long in [
        "㎯".repeat(300),
        "ﬃ".repeat(300),
        "ﷺ ".repeat(300),
        "ß".repeat(300),
        "가".repeat(300),
        "㎯ ".repeat(300),
        "n ".repeat(300),
        "the ".repeat(300),
        "word ".repeat(60),
    ] {
        let once = normalise(&long);
        assert_eq!(normalise(&once), once);
    }
    let mut random = Random::seeded(1);
    for _ in 0..5_000 {
        let text = random.text();
        let once = normalise(&text);
        assert_eq!(normalise(&once), once, "{text:?}");
    }
}

#[test]
fn any_text_is_accepted() {
    let mut random = Random::seeded(2);
    for _ in 0..2_000 {
        let (artist, title, prompt) = (random.text(), random.text(), random.text());
        let suggestion = Suggestion {
            artist,
            title,
            year: Some(i32::MIN),
        };
        let candidates: Vec<CatalogueTrack> = (0..4).map(|id| random.track(id)).collect();
        let era = Some(Era {
            from: Some(i32::MAX),
            to: Some(i32::MIN),
        });
        let constraints = Constraints::new(
            false,
            era,
            &[random.text()],
            WantedVersions::from_prompt(&prompt),
        );
        let _ = best_match(&suggestion, &candidates, &constraints);
        let mut selection = Selection::new(3, &prompt);
        for track in &candidates {
            let before = selection.len();
            assert_eq!(selection.offer(track).is_ok(), selection.len() > before);
            assert!(selection.offer(track).is_err());
        }
        assert!(selection.len() <= 3);
        assert!(selection.already_seen(&suggestion) || selection.already_seen(&suggestion));
        assert!(field_query(&suggestion).chars().count() <= 250);
        assert_eq!(field_query(&suggestion).matches(['"', ':']).count() % 3, 0);
        assert!(!free_query(&suggestion).contains(['"', ':']));
    }
}

#[test]
fn likeness_of_any_text_is_reflexive_and_symmetric() {
    let mut random = Random::seeded(3);
    for _ in 0..3_000 {
        let (a, b) = (Folded::of(&random.text()), Folded::of(&random.text()));
        let (a, b) = (a.name(), b.name());
        let by_title = |a: Name<'_>, b: Name<'_>| title_similarity(a, b, Spelling::Strict);
        for similarity in [
            &by_title as &dyn Fn(Name<'_>, Name<'_>) -> f64,
            &artist_similarity,
        ] {
            assert!(a.is_empty() || (similarity(a, a) - 1.0).abs() < 1e-9);
            assert!(
                (similarity(a, b) - similarity(b, a)).abs() < 1e-9,
                "{a:?} {b:?}"
            );
            assert!((0.0..=1.0).contains(&similarity(a, b)));
        }
    }
}

#[test]
fn accepts_a_song_with_the_catalogues_spelling() {
    let mut random = Random::seeded(4);
    for _ in 0..2_000 {
        let word = |random: &mut Random| {
            (0..8)
                .map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap()))
                .collect::<String>()
        };
        let mut track = random.track(1);
        (track.title, track.artists, track.album) = (
            word(&mut random),
            vec![word(&mut random)],
            word(&mut random),
        );
        track.is_playable = true;
        let suggestion = Suggestion {
            artist: track.artists[0].to_uppercase(),
            title: track.title.clone(),
            year: None,
        };
        let allowed = Constraints::new(true, None, &[], WantedVersions::default());
        assert_eq!(
            best_match(&suggestion, &[track.clone()], &allowed)
                .unwrap()
                .track,
            &track
        );
        let excluded = Constraints::new(true, None, &track.artists, WantedVersions::default());
        assert_eq!(
            best_match(&suggestion, &[track], &excluded),
            Err(MissReason::Excluded)
        );
    }
}

#[test]
fn cuts_long_texts_before_comparing() {
    for endless in [
        "a(b - ".repeat(200_000),
        "ﷺ".repeat(200_000),
        "ß".repeat(200_000),
    ] {
        let title = Title::parse(&endless);
        assert!(title.full().length() <= 200 && title.main().length() <= 200);
        assert!(normalise(&endless).chars().count() <= 200);
    }
}
