//! What is taken over from the model's answer, and what is not.

use serde_json::json;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(content: &str) -> (Vec<PlaylistEvent>, PlaylistOutcome) {
    let mut reader = PlaylistReader::new();
    let events = reader.push(content);
    (events, reader.finish())
}

fn song(artist: &str, title: &str, year: Option<i32>) -> PlaylistEvent {
    PlaylistEvent::Suggestion(Suggestion { artist: artist.to_owned(), title: title.to_owned(), year })
}

#[test]
fn every_piece_comes_out_as_soon_as_it_is_complete() {
    let mut reader = PlaylistReader::new();
    assert_eq!(reader.push(r#"{"kind":"playlist","la"#), [PlaylistEvent::Kind(PlaylistKind::Playlist)]);
    let texts =
        reader.push(r#"nguage":"pl","name":"Noc","description":"Cisza.","summary":"Tak.","tracks":["#);
    assert_eq!(
        texts,
        [
            PlaylistEvent::Language(Language::Pl),
            PlaylistEvent::Name("Noc".to_owned()),
            PlaylistEvent::Description("Cisza.".to_owned()),
            PlaylistEvent::Summary("Tak.".to_owned()),
        ]
    );
    assert_eq!(
        reader.push(r#"{"artist":"Dżem","title":"Whisky","year":1979},{"ar"#),
        [song("Dżem", "Whisky", Some(1979))]
    );
    let so_far = PlaylistOutcome { is_complete: false, suggestions: 1, skipped: 0 };
    assert_eq!(reader.finish(), so_far);
    assert_eq!(
        reader.push(r#"tist":"Kult","title":"Arahja","year":null}]}"#),
        [song("Kult", "Arahja", None)]
    );
    assert_eq!(reader.finish(), PlaylistOutcome { is_complete: true, suggestions: 2, skipped: 0 });
}

#[test]
fn a_refusal_is_a_refusal() {
    let text = r#"{"kind":"refusal","language":"en","name":"","description":"","summary":"","tracks":[]}"#;
    let (events, outcome) = read(text);
    assert_eq!(
        events,
        [PlaylistEvent::Kind(PlaylistKind::Refusal), PlaylistEvent::Language(Language::En)],
        "empty texts say nothing"
    );
    assert!(outcome.is_complete);
}

#[test]
fn texts_are_cut_to_their_limits_by_characters() {
    let long = "ż".repeat(1_000);
    let tracks = [json!({"artist": long, "title": long, "year": 2000})];
    let answer = json!({"name": long, "description": long, "summary": long, "tracks": tracks});
    let lengths: Vec<_> = read(&answer.to_string())
        .0
        .into_iter()
        .map(|event| match event {
            PlaylistEvent::Name(text) => ("name", text.chars().count()),
            PlaylistEvent::Description(text) => ("description", text.chars().count()),
            PlaylistEvent::Summary(text) => ("summary", text.chars().count()),
            PlaylistEvent::Suggestion(song) => {
                assert_eq!(song.artist, song.title);
                ("song", song.artist.chars().count())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("name", 100), ("description", 300), ("summary", 500), ("song", 200)];
    assert_eq!(lengths.len(), expected.len());
    assert!(expected.iter().all(|limit| lengths.contains(limit)), "{lengths:?}");
}

#[test]
fn texts_are_one_line_without_control_characters() {
    let name = json!({"name": " \u{202e}Noc\u{0}\u{1b}[31m\nnad\tWisłą \u{2066} "}).to_string();
    assert_eq!(read(&name).0, [PlaylistEvent::Name("Noc[31m nad Wisłą".to_owned())]);
}

#[test]
fn elements_that_are_no_songs_are_skipped_and_counted() {
    let answer = json!({"tracks": [
        "Dżem - Whisky", 7, null, [], {}, {"artist": "Dżem"}, {"artist": 1, "title": "x"},
        {"artist": "  ", "title": "x"}, {"artist": "x", "title": "\u{0}"},
        {"artist": "Kult", "title": "Arahja", "unknown": {}},
    ]});
    let (events, outcome) = read(&answer.to_string());
    assert_eq!(events, [song("Kult", "Arahja", None)]);
    assert_eq!(outcome, PlaylistOutcome { is_complete: true, suggestions: 1, skipped: 9 });
}

#[test]
fn only_plausible_years_are_believed() {
    for (year, expected) in [
        (json!(1979), Some(1979)),
        (json!("1979"), Some(1979)),
        (json!(1900), Some(1900)),
        (json!(1899), None),
        (json!(2101), None),
        (json!(1e300), None),
        (json!(4_294_969_275_u64), None),
        (json!("the eighties"), None),
        (json!([1979]), None),
    ] {
        let answer = json!({"tracks": [{"artist": "a", "title": "t", "year": year}]});
        assert_eq!(read(&answer.to_string()).0, [song("a", "t", expected)], "{year}");
    }
}

#[test]
fn members_of_the_wrong_shape_say_nothing() {
    let answer = json!({"kind": "essay", "language": "de", "name": 7, "description": null, "limit": "9", "tracks": {}});
    assert_eq!(read(&answer.to_string()).0, []);
}

#[test]
fn at_most_a_hundred_songs_are_read() {
    let tracks: Vec<_> =
        (0..500).map(|n| json!({"artist": "a", "title": n.to_string(), "year": null})).collect();
    let (events, outcome) = read(&json!({"tracks": tracks}).to_string());
    assert_eq!((events.len(), outcome.suggestions, outcome.skipped), (100, 100, 0));
    assert!(outcome.is_complete);
}

#[test]
fn a_broken_answer_keeps_what_came_before() {
    let (events, outcome) = read(r#"{"tracks":[{"artist":"a","title":"t","year":1}, oops"#);
    assert_eq!(events, [song("a", "t", None)]);
    assert!(!outcome.is_complete);
    let (events, _) = read(r#"{"tracks":[{"artist":"a","title":"t"} oops"#);
    assert_eq!(events[1..], [PlaylistEvent::Broken(ScanError::Malformed)]);
}
