//! Tests of songs in every form, with their years and reasons.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn whys(song: &Value) -> Vec<String> {
    let events =
        read(&json!({"tracks": [song, {"artist": "Kult", "title": "Arahja"}]}).to_string()).0;
    let why = |event| {
        if let PlaylistEvent::Why(why) = event {
            Some(why)
        } else {
            None
        }
    };
    events.into_iter().filter_map(why).collect()
}

#[test]
fn reason_follows_its_song_and_is_one_short_line() {
    let song = |key: &str, why: Value| json!({"artist": "Dżem", "title": "Whisky", key: why, "year": 1979});
    let many_words = "słowo ".repeat(50);
    for (key, text, expected) in [
        (
            "why",
            "Cicho i powoli, jak deszcz",
            "Cicho i powoli, jak deszcz",
        ),
        ("Reason", " \"Slow\nand\u{202e} calm\" ", "Slow and calm"),
        ("dlaczego", "Tom &amp; Jerry", "Tom & Jerry"),
        (
            "why",
            &many_words,
            &format!("{}słowo…", "słowo ".repeat(18)),
        ),
        ("why", &"ż".repeat(500), &format!("{}…", "ż".repeat(119))),
    ] {
        assert_eq!(whys(&song(key, json!(text))), [expected], "{key} {text}");
    }
    let events = read(&json!({"tracks": [song("why", json!("Calm"))]}).to_string()).0;
    let [first, second] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(
        matches!(
            (first, second),
            (PlaylistEvent::Suggestion(_), PlaylistEvent::Why(_))
        ),
        "{events:?}"
    );
}

#[test]
fn reads_songs_without_a_reason() {
    for song in [
        json!({"artist": "Dżem", "title": "Whisky"}),
        json!({"artist": "Dżem", "title": "Whisky", "why": ""}),
        json!({"artist": "Dżem", "title": "Whisky", "why": "…"}),
        json!({"artist": "Dżem", "title": "Whisky", "why": null}),
        json!({"artist": "Dżem", "title": "Whisky", "why": ["calm", {"title": "x"}]}),
    ] {
        assert_eq!(whys(&song), [""; 0], "{song}");
        assert_eq!(
            songs(&json!({"tracks": [song, tracks()[1]]}).to_string()),
            TWO,
            "{song}"
        );
    }
}

#[test]
fn reads_songs_in_every_shape() {
    for element in [
        json!({"artist": "Dżem", "title": "Whisky", "album": {"name": "Cegła", "artist": {}}, "genre": ["blues"]}),
        json!({"artist": ["Dżem"], "title": "Whisky"}),
        json!({"artists": ["Dżem", "Guest"], "name": "Whisky"}),
        json!({"artists": [{"name": "Dżem"}, {"name": "Guest"}], "name": "Whisky"}),
        json!({"artist": {"name": "Dżem", "country": "PL"}, "title": "Whisky"}),
        json!({"performer": "Dżem", "song": "Whisky"}),
        json!({"wykonawca": "Dżem", "tytuł": "Whisky", "rok": 1979}),
        json!({"song": {"title": "Whisky"}, "artist": "Dżem"}),
        json!({"artist": "Dżem", "title": "Dżem - Whisky"}),
        json!({"artist": "Dżem", "title": "Whisky by Dżem"}),
        json!({"title": "Dżem - Whisky"}),
        json!("Dżem - Whisky"),
        json!("Dżem – \"Whisky\" (1979)"),
        json!("\"Whisky\" by Dżem"),
        json!("Whisky by Dżem"),
        json!("1. **Dżem** – Whisky"),
        json!("„Whisky” – Dżem"),
        json!(["Dżem", "Whisky", 1979]),
        json!({"artist": "D\u{200b}żem", "title": "Whisky\u{a0}"}),
        json!({"artist": "1. Dżem", "title": "1. Whisky"}),
        json!({"artist": "Dżem", "title": "[Whisky](https://example.com/1)"}),
        json!({"title": "Whisky", "artist": "Dżem", "track": "1"}),
        json!({"artist": ["Dżem"], "title": ["Whisky"]}),
        json!({"song_artist": "Dżem", "song_title": "Whisky", "song_id": "x"}),
        json!({"composer": "Other", "artist": "Dżem", "title": "Whisky", "subtitle": "Other"}),
        json!({"artiste": "Dżem", "titre": "Whisky"}),
        json!({"track_id": "x", "artist_id": "y", "artists": [{"name": "Dżem"}], "name": "Whisky"}),
        json!({"song": {"titre": "Whisky"}, "artist": "Dżem"}),
        json!({"artist": {"name": "Dżem", "artist_id": "y"}, "title": "Whisky"}),
        json!({"künstler": "Dżem", "titel": "Whisky"}),
        json!({"artista": "Dżem", "canción": "Whisky"}),
        json!({"исполнитель": "Dżem", "название": "Whisky"}),
        json!({"歌手": "Dżem", "歌名": "Whisky"}),
        json!({"アーティスト名": "Dżem", "曲名": "Whisky"}),
        json!({"가수": "Dżem", "제목": "Whisky"}),
        json!("🎵 Dżem - Whisky"),
        json!("\"Dżem\" - \"Whisky\""),
        json!("'Whisky' by Dżem"),
        json!("「Whisky」 - Dżem"),
        json!("Dżem \"Whisky\""),
        json!("Dżem | Whisky"),
        json!("Dżem: Whisky"),
        json!("Dżem—Whisky"),
    ] {
        assert_eq!(
            songs(&json!({"tracks": [element]}).to_string()),
            ["Dżem | Whisky"],
            "{element}"
        );
    }
}

#[test]
fn number_may_be_an_artist() {
    assert_eq!(
        songs(r#"{"tracks":["311 - Amber","1. 112 - Cupid"]}"#),
        ["311 | Amber", "112 | Cupid"]
    );
}

#[test]
fn decodes_html_entities() {
    let text = json!({"tracks": [{"artist": "Simon &amp; Garfunkel", "title": "Mrs. &quot;R&quot; &#39;n&#39; &amp;lt;"}]});
    assert_eq!(
        songs(&text.to_string()),
        ["Simon & Garfunkel | Mrs. \"R\" 'n' &lt;"]
    );
}

#[test]
fn reads_years_in_every_notation() {
    for (written, year) in [
        ("1979", Some(1979)),
        ("\"1979\"", Some(1979)),
        ("1979.0", Some(1979)),
        ("\"1979-05-01\"", Some(1979)),
        ("\"1990s\"", Some(1990)),
        ("0", None),
        ("3000", None),
        ("-5", None),
        ("null", None),
        ("\"soon\"", None),
        ("{}", None),
    ] {
        let (events, _) = read(&format!(
            r#"{{"tracks":[{{"artist":"a","year":{written},"title":"b"}}]}}"#
        ));
        assert_eq!(events, [song("a", "b", year)], "{written}");
    }
}
