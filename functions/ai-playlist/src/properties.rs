//! Property tests with any body.

use http::{HeaderMap, HeaderValue, header};
use inputs::proptest::prelude::*;
use inputs::{bytes, damaged, json_with, mutated, nearly, text};
use serde_json::{Value, json};
use shared::Code;
use shared::track::Suggestion;

use crate::request::{Format, PlaylistRequest, parse, wanted_format};

fn right() -> Value {
    json!({
        "prompt": "spokojny wieczór", "target_count": 50, "seeds": [{"artist": "Dżem", "title": "Whisky"}],
        "mood": "calm", "tempo": "slow", "era": {"from": 1980, "to": 1989}, "allow_explicit": false,
        "exclude_artists": ["Kult"], "market": "pl", "save": true,
        "refine": {"previous": [{"artist": "A", "title": "B"}], "instruction": "calmer"},
    })
}

fn is_within(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() && c != '\n')
}

fn are_songs(songs: &[Suggestion], max: usize) -> bool {
    songs.len() <= max
        && songs
            .iter()
            .all(|song| is_within(&song.artist, 200) && is_within(&song.title, 200))
}

fn holds_its_limits(request: &PlaylistRequest) -> bool {
    let wish = &request.wish;
    let is_year = |year: Option<i32>| year.is_none_or(|year| (1900..=2100).contains(&year));
    is_within(&wish.prompt, 1_000)
        && (1..=50).contains(&request.target_count)
        && are_songs(&wish.seeds, 5)
        && [&wish.mood, &wish.tempo]
            .into_iter()
            .flatten()
            .all(|hint| is_within(hint, 100))
        && wish.era.is_none_or(|era| {
            is_year(era.from)
                && is_year(era.to)
                && era.from.zip(era.to).is_none_or(|(from, to)| from <= to)
        })
        && wish.exclude_artists.len() <= 20
        && wish
            .exclude_artists
            .iter()
            .all(|artist| is_within(artist, 200))
        && wish.refine.as_ref().is_none_or(|it| {
            are_songs(&it.previous, 100)
                && it.instruction.as_ref().is_none_or(|it| is_within(it, 500))
        })
        && request
            .market
            .as_ref()
            .is_none_or(|it| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase()))
}

proptest! {
    #[test]
    fn any_body_is_a_wish_within_the_limits_or_is_refused(
        bytes in prop_oneof![
            bytes(),
            damaged(right().to_string().into_bytes()),
            mutated("request-bodies"),
        ],
        any in json_with(
            vec![
                "prompt",
                "seeds",
                "era",
                "from",
                "to",
                "refine",
                "previous",
                "artist",
                "title",
                "target_count",
            ],
        ),
        near in nearly(right()),
        (words, times, years) in (text(), 0..130_usize, any::<[i16; 2]>()),
    ) {
        let mut large = right();
        let song = json!({"artist": words, "title": "t"});
        large["refine"]["previous"] = json!(vec![song; times]);
        large["prompt"] = json!(words.repeat(times));
        let mut dated = json!({"prompt": "x", "target_count": years[1]});
        dated["era"] = json!({"from": years[0], "to": 1950});
        let documents = [any, near, large, dated].map(|it| it.to_string().into_bytes());
        for body in documents.iter().chain([&bytes]) {
            match parse(body) {
                Ok(request) => prop_assert!(holds_its_limits(&request), "{:?}", request),
                Err(error) => prop_assert!(
                    [Code::InvalidJson, Code::InvalidRequest].contains(&error.code()),
                    "{:?}",
                    error,
                ),
            }
        }
    }

    #[test]
    fn any_accept_header_selects_a_format(value in bytes(), before in "[a-z/;=, ]{0,12}") {
        let asks = format!("{before}, text/event-stream;q=1").into_bytes();
        for (value, expected) in [(value, None), (asks, Some(Format::EventStream))] {
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let format = wanted_format(&HeaderMap::from_iter([(header::ACCEPT, value)]));
            prop_assert_eq!(format, expected.unwrap_or(format));
        }
    }
}
