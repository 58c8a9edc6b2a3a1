//! Tests of completions in every usable form.

use serde_json::{Value, json};

use super::super::{Language, PlaylistKind};
use super::*;

#[path = "reader_song_tests.rs"]
mod songs;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns all events of a completion, and whether it was complete.
fn read(content: &str) -> (Vec<PlaylistEvent>, bool) {
    let mut reader = PlaylistReader::new();
    let mut events = reader.push(content);
    events.extend(reader.finish());
    (events, reader.is_complete())
}

fn songs_of(events: &[PlaylistEvent]) -> Vec<String> {
    let song = |event: &PlaylistEvent| match event {
        PlaylistEvent::Suggestion(song) => Some(format!("{} | {}", song.artist, song.title)),
        _ => None,
    };
    events.iter().filter_map(song).collect()
}

fn songs(content: &str) -> Vec<String> {
    songs_of(&read(content).0)
}

fn song(artist: &str, title: &str, year: Option<i32>) -> PlaylistEvent {
    PlaylistEvent::Suggestion(Suggestion {
        artist: artist.to_owned(),
        title: title.to_owned(),
        year,
    })
}

const TWO: [&str; 2] = ["Dżem | Whisky", "Kult | Arahja"];

fn tracks() -> Value {
    json!([{"artist": "Dżem", "title": "Whisky", "year": 1979}, {"artist": "Kult", "title": "Arahja", "year": 0}])
}

fn completion() -> Value {
    json!({"kind": "playlist", "language": "pl", "tracks": tracks(), "name": "Noc", "description": "Cisza.", "summary": "Tak."})
}

#[test]
fn returns_every_part_as_soon_as_it_is_complete() {
    let mut reader = PlaylistReader::new();
    assert_eq!(
        reader.push(r#"{"kind":"playlist","la"#),
        [PlaylistEvent::Kind(PlaylistKind::Playlist)]
    );
    assert_eq!(
        reader.push(r#"nguage":"pl","tracks":["#),
        [PlaylistEvent::Language(Language::Pl)]
    );
    assert_eq!(
        reader.push(r#"{"artist":"Dżem","title":"Whisky","year":1979},{"ar"#),
        [song("Dżem", "Whisky", Some(1979))]
    );
    assert_eq!(
        reader.push(r#"tist":"Kult","title":"Arahja","year":0}"#),
        [song("Kult", "Arahja", None)]
    );
    assert_eq!(
        reader.push(r#"],"name":"Noc","#),
        [PlaylistEvent::Name("Noc".to_owned())]
    );
    assert!(!reader.is_complete());
    let texts = reader.push(r#""description":"Cisza.","summary":"Tak."}"#);
    assert_eq!(
        texts,
        [
            PlaylistEvent::Description("Cisza.".to_owned()),
            PlaylistEvent::Summary("Tak.".to_owned())
        ]
    );
    assert!(reader.is_complete());
}

#[test]
fn reads_texts_before_the_songs() {
    let mut reader = PlaylistReader::new();
    let events = reader.push(r#"{"name":"Noc","summary":"Tak.","tracks":["#);
    assert_eq!(
        events,
        [
            PlaylistEvent::Name("Noc".to_owned()),
            PlaylistEvent::Summary("Tak.".to_owned())
        ]
    );
}

#[test]
fn reads_completions_cut_anywhere() {
    let text = format!("<think>{{}}</think>```json\n{}\n```", completion());
    let whole = read(&text);
    let mut reader = PlaylistReader::new();
    let mut events: Vec<_> = text
        .chars()
        .flat_map(|c| reader.push(&c.to_string()))
        .collect();
    events.extend(reader.finish());
    assert_eq!((events, reader.is_complete()), whole);
    assert_eq!(whole.0.len(), 7);
}

#[test]
fn finds_songs_at_any_place() {
    for document in [
        json!({"songs": tracks()}),
        json!({"playlist": tracks()}),
        json!({"Tracks": [{"Artist": "Dżem", "Title": "Whisky"}, {"ARTIST": "Kult", "Song_Title": "Arahja"}]}),
        json!({"playlist": completion()}),
        json!({"result": {"playlist": {"tracks": {"items": tracks()}}}}),
        json!({"type": "object", "properties": completion()}),
        json!([completion()]),
        tracks(),
        json!({"1": tracks()[0], "2": tracks()[1]}),
        json!({"tracks": [{"track": tracks()[0]}, {"track": tracks()[1]}]}),
        json!({"tracks": tracks().to_string()}),
        json!(completion().to_string()),
        json!({"thoughts": {"plan": [1, {"a": "}"}]}, "notes": ["x", "["], "tracks": tracks(), "meta": {}}),
        json!({"response": completion().to_string()}),
        json!({"choices": [{"message": {"content": completion().to_string()}}]}),
        json!({"name": "playlist", "arguments": completion().to_string()}),
        json!(json!(completion().to_string()).to_string()),
        json!({"tracks": [tracks()[0].to_string(), tracks()[1].to_string()]}),
    ] {
        let (events, is_complete) = read(&document.to_string());
        assert_eq!(songs_of(&events), TWO, "{document}");
        assert!(is_complete, "{document}");
    }
}

#[test]
fn ignores_text_around_the_completion() {
    let document = completion().to_string();
    for text in [
        format!("Here is your playlist:\n\n```json\n{document}\n```\n\nEnjoy! {{smile}}"),
        format!("I used {{mood: calm}} and {{}} as a guide, {{\"like\" this}}.\n{document}"),
        format!("Your wish was {{\"prompt\":\"calm\"}}. Answer:\n{document}"),
        format!(
            "<think>\nI must {{kind, language}}: {{\"artist\":\"No\",\"title\":\"Thing\"}}.\n</think>\n\n{document}"
        ),
        format!("[THINK]{{\"artist\":\"No\",\"title\":\"Thing\"}}[/THINK]{document}"),
        format!(
            "<|channel|>analysis<|message|>{{\"a\"<|end|><|start|>assistant<|channel|>final<|message|>{document}"
        ),
        format!(
            "<|channel|>commentary<|message|>{{\"artist\":\"No\",\"title\":\"Thing\"}}<|end|><|channel|>final<|message|>{document}"
        ),
        format!("hm, {{\"tracks\":[</think>{document}"),
        format!("<THINK>hm</THINK>{document}"),
        format!("<seed:think>{{\"a\":1}}</seed:think>{document}"),
        format!("<scratchpad>{{\"artist\":\"No\",\"title\":\"Thing\"}}</scratchpad>{document}"),
        format!("\u{feff}\u{200b}{}", document.replace(',', ",\u{200b}")),
        format!("<think>\n{document}"),
        format!("You sent {{\"seeds\":[{{\"artist\":\"No\",\"title\":\"Thing\"}}]}}.\n{document}"),
        format!("\u{feff}{}{document}", "\n".repeat(8_000)),
        format!("{document}{}", " \n".repeat(4_000)),
    ] {
        let (events, is_complete) = read(&text);
        assert_eq!(songs_of(&events), TWO, "{text}");
        assert!(is_complete, "{text}");
    }
}

#[test]
fn reads_a_completion_after_a_draft() {
    let draft = r#"{"tracks":[{"artist":"Hey","title":"Teksański"}]}"#;
    let expected = ["Hey | Teksański", TWO[0], TWO[1]];
    assert_eq!(songs(&format!("{draft}\n{}", completion())), expected);
    assert_eq!(songs(&format!("{draft}</think>{}", completion())), expected);
}

#[test]
fn does_not_read_descriptions_as_songs() {
    let song = json!({
        "artist": "Dżem", "title": "Whisky",
        "album": {"title": "Cegła", "artist": "Dżem"}, "original": {"artist": "No", "title": "Thing"},
    });
    let text =
        json!({"considered": [{"artist": "No", "title": "Thing"}], "tracks": [song, tracks()[1]]});
    assert_eq!(songs(&text.to_string()), TWO);
}

#[test]
fn does_not_read_members_about_the_playlist_as_songs_or_its_name() {
    let about = r#""about":{"title":"Noc","author":"a model"}"#;
    let text = format!(
        r#"{{{about},"tracks":{},"name":"Noc","track_order":"by mood"}}"#,
        tracks()
    );
    let (events, _) = read(&text);
    assert_eq!(songs_of(&events), TWO);
    let names = events
        .iter()
        .filter(|event| matches!(event, PlaylistEvent::Name(_)));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [&PlaylistEvent::Name("Noc".to_owned())]
    );
}

#[test]
fn does_not_read_a_refusal_with_bullets_as_songs() {
    let text = "I'm sorry, I can only help with music. I can:\n- Create playlists - tell me a mood\n- Find songs - name an artist";
    assert_eq!(songs(text), [""; 0]);
    assert_eq!(
        songs("{\"tracks\":[]}\n- One - two\n- Three - four"),
        [""; 0]
    );
}

#[test]
fn does_not_read_prose_as_songs() {
    for text in [
        "Tell me more:\n- Mood: calm or energetic\n- Genre: rock / jazz\n- Era: 1990–1999",
        "Tell me more, for example:\n- A mood such as \"calm\"\n- A place such as \"home\"",
        "Sure: I would love to help.\nJust one thing: which mood?\nFor example: calm.",
        "This list is inspired by jazz.\nEvery song - a surprise!",
    ] {
        assert_eq!(songs(text), [""; 0], "{text}");
    }
}

#[test]
fn reads_lines_of_json_and_plain_lists() {
    let lines =
        "{\"artist\":\"Dżem\",\"title\":\"Whisky\"}\n{\"artist\":\"Kult\",\"title\":\"Arahja\"}\n";
    assert_eq!(songs(lines), TWO);
    for list in [
        "Here you are:\n1. **Dżem** – Whisky (1979)\n2. **Kult** – Arahja (1988)\nEnjoy - it was fun.",
        "- \"Whisky\" by Dżem\n- \"Arahja\" by Kult",
        "* Dżem - Whisky\n* Kult - Arahja",
        "1 - Dżem - Whisky\n2 - Kult - Arahja",
        "Dżem - Whisky\nKult - Arahja\nEnjoy!",
        "1. **Whisky** by Dżem - a calm song\n2. **Arahja** by Kult - another one",
        "1. \"Whisky\" by Dżem (1979): a calm song\n2. \"Arahja\" by Kult: another one",
        "1. Dżem – Whisky (1979) – a calm song\n2. Kult – Arahja (1988) – another one",
        "### 1. Dżem – Whisky\nA calm song.\n### 2. Kult – Arahja\nAnother one.",
        "#1 *Whisky* – Dżem\n#2 *Arahja* – Kult",
        "**1.** Dżem: „Whisky”\n**2.** Kult: „Arahja”",
        "> 1\\. Dżem \\- Whisky\n> 2\\. Kult \\- Arahja",
        "<ol><li>Dżem - Whisky</li><li>Kult - Arahja</li></ol>",
        "tracks:\n  - artist: Dżem\n    title: \"Whisky\"\n  - artist: Kult\n    title: Arahja",
        "<song><artist>Dżem</artist><title>Whisky</title></song><song><artist>Kult</artist><title>Arahja</title></song>",
        "artist,title,year\n\"Dżem\",\"Whisky\",1979\nKult,Arahja,1988",
        "Songs:\n| # | Title | Artist | Year |\n|---|:---|---|---|\n| 1 | Whisky | **Dżem** | 1979 |\n| 2 | Arahja | Kult | 1988 |",
    ] {
        let (events, is_complete) = read(list);
        assert_eq!(songs_of(&events), TWO, "{list}");
        assert!(is_complete);
    }
    assert_eq!(
        songs("I'm sorry - I can only help with music.\n- Ask me - please."),
        [""; 0]
    );
}

#[test]
fn malformed_json_loses_at_most_its_song() {
    for (text, expected) in [
        (
            r#"{"tracks":[{"artist":"Dżem","title":"Whisky",},{"artist":"Kult","title":"Arahja"},]}"#,
            &TWO[..],
        ),
        (
            r#"{"tracks":[{"artist":"Dżem","title":"Whisky"},{"artist":"Kult","title":"Arahja"}, ...]}"#,
            &TWO,
        ),
        (
            r#"{'tracks': [{'artist': 'Dżem', 'title': 'Whisky', 'year': None}, {'artist': 'Kult', 'title': 'Arahja'}]}"#,
            &TWO,
        ),
        (
            r#"{tracks: [{artist: "Dżem", title: "Whisky"}, {artist: "Kult", title: "Arahja", year: NaN}]}"#,
            &TWO,
        ),
        (
            r#"{'tracks': [('Dżem', 'Whisky'), ('Kult', 'Arahja')]}"#,
            &TWO,
        ),
        (
            r#"{\"tracks\":[{\"artist\":\"Dżem\",\"title\":\"Whisky\"},\n{\"artist\":\"Kult\",\"title\":\"Arahja\"}]}"#,
            &TWO,
        ),
        (
            r#"{"tracks"=>[{"artist"="Dżem";"title"="Whisky"};{`artist`:`Kult`,"title":«Arahja»}]}"#,
            &TWO,
        ),
        (
            r#"{"tracks":[{"artist":„Dżem“,"title":”Whisky”},{"artist":"Kult","title":"""Arahja"""}]}"#,
            &TWO,
        ),
        (
            r#"{“tracks”: [{“artist”: “Dżem”, “title”: “Whisky”}, {“artist”: “Kult”, “title”: “Arahja”}]}"#,
            &TWO,
        ),
        (
            r#"{"tracks":[{"artist":"Dżem","title":"Whisky","year":1990-1995},{"artist":"Kult","title":"Arahja"}]}"#,
            &TWO,
        ),
        (
            "{\"tracks\":[ // the first\n{\"artist\":\"Dżem\",\"title\":\"Whisky\"} /* and */,{\"artist\":\"Kult\",\"title\":\"Arahja\"}]}",
            &TWO,
        ),
        (
            "{\"tracks\":[{\"artist\":\"Dżem\"\n\"title\":\"Whisky\"}\n{\"artist\":\"Kult\",\"title\":\"Arahja\"}]}",
            &TWO,
        ),
        (
            r#"{"tracks":[{"artist":"Dżem","title":"Whisky",{"artist":"Kult","title":"Arahja"}]}"#,
            &TWO,
        ),
        (
            r#"{"tracks":[{"artist":"Dżem","title":"Whisky"}},{"artist":"Kult","title":"Arahja"}]}"#,
            &TWO,
        ),
        (
            "{\"tracks\":[{\"artist\":\"Dżem\",\"title\":\"Whis\nky\"},{\"artist\":\"Kult\",\"title\":\"Arahja\"}]}",
            &["Dżem | Whis ky", "Kult | Arahja"],
        ),
        (
            r#"{"tracks":[{"artist":"Air","title":"La femme d\'argent"},{"artist":"Kult","title":"Arahja"}]}"#,
            &["Air | La femme d'argent", "Kult | Arahja"],
        ),
        (
            r#"{"tracks":[{"artist":"Nena","title":"99 "Red" Balloons"},{"artist":"Kult","title":"Arahja"}]}"#,
            &["Nena | 99 \"Red\" Balloons", "Kult | Arahja"],
        ),
        (
            r#"{"tracks":[{"artist":"Nena","title":"Balloons (99 "Red")"},{"artist":"Kult","title":"Arahja"}]}"#,
            &["Nena | Balloons (99 \"Red\")", "Kult | Arahja"],
        ),
        (
            r#"{"tracks":[\n{"artist":"Beyonc\u00e9","title":"Halo"},\n{"artist":"Kult","title":"Arahja"}]}"#,
            &["Beyoncé | Halo", "Kult | Arahja"],
        ),
        (
            "{\"tracks\":[{\"artist\":\"Dżem\",\"title\":\"Whisky\"}]\n```\nAgain:\n```json\n{\"tracks\":[{\"artist\":\"Kult\",\"title\":\"Arahja\"}]}\n```",
            &TWO,
        ),
        (
            r#"{"tracks":[{"artist":«Кино»,"title":«Песня “Имя”»},{"artist":"Kult","title":"Arahja"}]}"#,
            &["Кино | Песня “Имя", "Kult | Arahja"],
        ),
        (
            r#"{"tracks":[{"artist":"A","title":"\ud83c"},{"artist":"B","title":"\ud83c\udfb5 \u017c"}]}"#,
            &["A | \u{fffd}", "B | 🎵 ż"],
        ),
        (
            r#"{"tracks":[{"artist":311,"title":1979},{"artist":"Kult"},7,null,{"artist":"Kult","title":"Arahja"}]}"#,
            &["311 | 1979", "Kult | Arahja"],
        ),
    ] {
        assert_eq!(songs(text), expected, "{text}");
    }
}

#[test]
fn doubtful_end_does_not_end_the_completion() {
    for text in [
        r#"{"kind":"playlist","language":"en","name":"Qui"#,
        r#"{"tracks":[{"artist":"Dżem","title":"Whisky"},{"artist":"Nen"#,
        r#"{"tracks":[{"artist":"Dżem","title":"Whisky"}}, "#,
        "{}",
        "",
        r#"{"tracks":null}"#,
        r#"{"tracks":[]}"#,
        r#"{"type":"object","properties":{"kind":{"type":"string"}},"required":["kind"]}"#,
        "I'm sorry, but I can only help with music.",
    ] {
        let mut reader = PlaylistReader::new();
        reader.push(text);
        assert!(!reader.is_complete(), "{text}");
    }
    assert!(!read(r#"{"tracks":[{"artist":"Dżem","title":"Whisky"},{"artist":"Nen"#).1);
}

#[test]
fn returns_a_refusal_with_its_language() {
    for kind in ["refusal", "Refusal", "REFUSED", "declined"] {
        let (events, _) =
            read(&json!({"kind": kind, "language": "en-US", "tracks": []}).to_string());
        assert_eq!(
            events[..2],
            [
                PlaylistEvent::Kind(PlaylistKind::Refusal),
                PlaylistEvent::Language(Language::En)
            ]
        );
    }
    let odd =
        read(r#"{"kind":"Playlist","tracks":[{"type":"refusal","artist":"a","title":"b"}]}"#).0;
    assert_eq!(
        odd,
        [
            PlaylistEvent::Kind(PlaylistKind::Playlist),
            song("a", "b", None)
        ]
    );
}

#[test]
fn cleans_and_cuts_texts() {
    let long = "ż".repeat(1_000);
    let text = json!({
        "name": format!(" a\u{0}\n\u{202e}b {long}"), "description": long, "summary": long,
        "tracks": [{"artist": format!("\u{feff}A\t{long}"), "title": format!("{}\u{2028}", "calm ".repeat(20_000))}],
    });
    let (events, _) = read(&text.to_string());
    let lengths: Vec<_> = events
        .iter()
        .map(|event| match event {
            PlaylistEvent::Name(text)
            | PlaylistEvent::Description(text)
            | PlaylistEvent::Summary(text) => {
                assert!(!text.chars().any(char::is_control), "{text}");
                text.chars().count()
            }
            PlaylistEvent::Suggestion(song) => {
                song.artist.chars().count() + song.title.chars().count()
            }
            _ => 0,
        })
        .collect();
    assert_eq!(lengths, [100, 300, 500, 399]);
}

#[test]
fn detects_an_endless_completion() {
    let whitespace = format!("{{{}", "\n   ".repeat(5_000));
    let deep = format!("{{\"junk\":{}{},", "[".repeat(200), "]".repeat(200));
    let endless = format!("{{\"tracks\":[\"{}", "la ".repeat(100_000));
    for (text, is_runaway) in [
        (whitespace.as_str(), true),
        (&endless, true),
        ("{\"a\":  \n", false),
        (&deep, false),
    ] {
        let mut reader = PlaylistReader::new();
        reader.push(text);
        assert_eq!(reader.is_runaway(), is_runaway, "{text:.20}");
    }
    let songs: Vec<_> = (0..150)
        .map(|n| json!({"artist": "a", "title": format!("{n}")}))
        .collect();
    let (events, _) = read(&json!({"tracks": songs}).to_string());
    assert_eq!(events.len(), MAX_SUGGESTIONS);
}

#[test]
fn skips_deeply_nested_members() {
    let rest = completion().to_string().split_off(1);
    let text = format!(
        "{{\"junk\":{}{},{rest}",
        "[{\"a\":".repeat(100),
        "}]".repeat(100)
    );
    let (events, is_complete) = read(&text);
    assert_eq!(songs_of(&events), TWO);
    assert!(is_complete);
}
