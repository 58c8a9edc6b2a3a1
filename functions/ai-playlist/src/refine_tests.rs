//! Tests of refinements: some songs stay, the others change, and the result is the playlist's next version.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIST: Uuid = Uuid::from_u128(9);
const NEW: &[(&str, &str)] = &[
    ("Kult", "Arahja"),
    ("Hey", "Teksanski"),
    ("Maanam", "Boskie Buenos"),
    ("Dzem", "Whisky"),
    ("Lao Che", "Hydro"),
];

/// Returns the URI that the fake catalogue gives to a title.
fn uri(title: &str) -> String {
    let hex: String = title.bytes().map(|b| format!("{b:02x}")).collect();
    format!("spotify:track:{hex:0<22.22}")
}

/// Returns a playlist with Kult's song in Spotify's spelling and in the model's, and one that the user added.
fn listed() -> Value {
    json!([
        {"track_uri": uri("Old One"), "title": "OLD ONE", "artist": "SPOTIFY", "why": "Calm", "suggestion": null},
        {"track_uri": uri("Arahja"), "title": "ARAHJA", "artist": "KULT",
            "suggestion": {"artist": "Kult", "title": "Arahja"}},
        {"track_uri": uri("Hydro"), "title": "HYDRO", "artist": "LAO CHE",
            "suggestion": {"artist": "Lao Che", "title": "Hydro"}},
    ])
}

fn bench(reserved: &Value) -> Bench {
    let (works, reserved) = (world(NEW), reserved.clone());
    Bench::new(
        move |request| match request.url.rsplit('/').next().unwrap() {
            "ai_reserve" => FakeResponse::json(200, &reserved),
            "ai_deliver" => FakeResponse::json(200, &json!({"outcome": "delivered"})),
            "save_generated_playlist" => FakeResponse::json(
                200,
                &json!({"outcome": "saved", "playlist_id": LIST, "version": 4, "name": "Rain", "quota": quota()}),
            ),
            _ => works(request),
        },
    )
}

fn reserved() -> Value {
    json!({"outcome": "reserved", "quota": quota(), "tracks": listed()})
}

fn refinement(keep: &[&str], instruction: Option<&str>, target: usize) -> Value {
    let keep: Vec<_> = keep.iter().map(|title| uri(title)).collect();
    json!({"prompt": "wieczór", "target_count": target,
        "refine": {"playlist_id": LIST, "keep": keep, "instruction": instruction}})
}

fn titles(tracks: &Value) -> Vec<&str> {
    tracks
        .as_array()
        .unwrap()
        .iter()
        .map(|track| track["title"].as_str().unwrap())
        .collect()
}

#[test]
fn kept_songs_keep_their_places_in_the_next_version() {
    let bench = bench(&reserved());
    let done = bench
        .json(&refinement(&["Hydro", "Old One"], Some("calmer"), 5))
        .unwrap();
    assert_eq!(
        titles(&done["tracks"]),
        ["OLD ONE", "Arahja", "HYDRO", "Teksanski", "Boskie Buenos"]
    );
    assert_eq!((&done["count"], &done["target"]), (&json!(5), &json!(5)));
    assert_eq!(
        (&done["playlist_id"], &done["version"], &done["name"]),
        (&json!(LIST), &json!(4), &json!("Rain"))
    );
    assert_eq!(done["tracks"][0]["why"], "Calm");
    let reserving = &bench.sent_to("ai_reserve")[0];
    assert_eq!(reserving["p_playlist_id"], json!(LIST));
    let request: Value = serde_json::from_str(reserving["p_request"].as_str().unwrap()).unwrap();
    assert_eq!(
        request,
        refinement(&["Hydro", "Old One"], Some("calmer"), 5),
        "the whole request identifies a repeat"
    );
    let saving = &bench.sent_to("save_generated_playlist")[0];
    assert_eq!(
        (&saving["p_refined_id"], &saving["p_instruction"]),
        (&json!(LIST), &json!("calmer"))
    );
    assert_eq!(saving["p_suggestions"][uri("Teksanski")]["artist"], "Hey");
    assert_eq!(titles(&saving["p_tracks"]), titles(&done["tracks"]));
}

#[test]
fn sends_the_model_only_its_own_suggestions() {
    let bench = bench(&reserved());
    bench
        .json(&refinement(&["Hydro"], Some("calmer"), 4))
        .unwrap();
    let prompt = bench.sent_to("chat/completions")[0].to_string();
    for spelling in ["OLD ONE", "ARAHJA", "HYDRO", "SPOTIFY", "spotify:track"] {
        assert!(!prompt.contains(spelling), "{spelling}");
    }
    assert!(
        prompt.contains(r#"\"kept\":[{\"artist\":\"Lao Che\",\"title\":\"Hydro\"}]"#),
        "{prompt}"
    );
}

#[test]
fn refinement_without_instruction_replaces_the_other_songs() {
    let bench = bench(&reserved());
    let done = bench.json(&refinement(&[], None, 5)).unwrap();
    assert_eq!(
        titles(&done["tracks"]),
        ["Teksanski", "Boskie Buenos", "Whisky"]
    );
    assert_eq!(
        bench.sent_to("save_generated_playlist")[0]["p_instruction"],
        Value::Null
    );
}

#[test]
fn stream_sends_each_track_with_its_place() {
    let bench = bench(&reserved());
    let response = bench
        .ask("text/event-stream", &refinement(&["Hydro"], None, 4))
        .unwrap()
        .unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    let data = |line: &str| {
        line.strip_prefix("data: ")
            .and_then(|data| serde_json::from_str::<Value>(data).ok())
    };
    let tracks = text
        .lines()
        .filter_map(data)
        .filter(|data| data.get("score").is_some());
    let placed: Vec<_> = tracks
        .map(|track| (track["index"].as_u64().unwrap(), track["title"].clone()))
        .collect();
    let expected = [
        (2, "HYDRO"),
        (0, "Teksanski"),
        (1, "Boskie Buenos"),
        (3, "Whisky"),
    ];
    assert_eq!(
        placed,
        expected.map(|(at, title)| (at, json!(title))),
        "{text}"
    );
    assert!(
        text.contains(&format!("\"playlist_id\":\"{LIST}\",\"version\":4")),
        "{text}"
    );
}

#[test]
fn only_new_songs_are_charged() {
    let kept: Vec<_> = (0..8).map(|n| format!("Kept {n}")).collect();
    let tracks: Vec<_> = kept
        .iter()
        .map(|title| json!({"track_uri": uri(title), "title": title, "artist": title}))
        .collect();
    let keep: Vec<_> = kept.iter().map(String::as_str).collect();
    // Two of four new ones are enough.
    for (found, deliveries) in [(1, 0), (2, 1)] {
        let stuck = delivery::stuck_after(found, delivery::delivered());
        let reserved = json!({"outcome": "reserved", "quota": quota(), "tracks": tracks});
        let bench = Bench::new(move |request| match request.url.ends_with("ai_reserve") {
            true => FakeResponse::json(200, &reserved),
            false => stuck(request),
        });
        let sent = delivery::tracks_until_stuck(&bench, &refinement(&keep, Some("calmer"), 12));
        assert_eq!(
            (sent, bench.sent_to("ai_deliver").len()),
            (8 + found, deliveries)
        );
        let charged = bench
            .sent_to("ai_deliver")
            .pop()
            .map(|args| titles(&args["p_tracks"]).len());
        assert_eq!(charged, (deliveries > 0).then_some(found));
        let saved = bench
            .sent_to("save_generated_playlist")
            .pop()
            .map(|args| titles(&args["p_tracks"]).len());
        assert_eq!(saved, (deliveries > 0).then_some(8 + found));
    }
}

#[test]
fn repeat_returns_or_saves_a_lost_refinement() {
    let track = json!({"track_uri": uri("Whisky"), "title": "Whisky", "artist": "Dżem"});
    let saved = json!({"is_saved": true, "playlist_id": LIST, "version": 3, "name": "Rain", "stop_reason": "completed",
        "tracks": [track]});
    for (delivered, expected, version, warning) in [
        (
            json!({"tracks": [track]}),
            &["Whisky", "HYDRO"][..],
            4,
            Value::Null,
        ),
        (saved, &["Whisky"], 3, json!("fewer_than_12")),
    ] {
        let finished = json!({"outcome": "finished", "quota": quota(), "delivered": delivered, "tracks": listed()});
        let bench = bench(&finished);
        let done = bench.json(&refinement(&["Hydro"], None, 2)).unwrap();
        assert_eq!(
            (titles(&done["tracks"]), &done["version"]),
            (expected.to_vec(), &json!(version))
        );
        assert_eq!(
            (&done["playlist_id"], &done["count"]),
            (&json!(LIST), &json!(expected.len()))
        );
        assert_eq!(done["warning"], warning);
        assert_eq!(bench.sent_to("chat/completions").len(), 0);
    }
}

#[test]
fn refining_another_users_playlist_is_not_found_and_not_charged() {
    let bench = bench(&json!({"outcome": "no_playlist"}));
    assert_eq!(
        bench.error(&refinement(&[], None, 3)),
        Code::PlaylistNotFound
    );
    assert_eq!(bench.sent_to("chat/completions").len(), 0);
}

#[test]
fn track_carries_the_models_reason() {
    let content = json!({"tracks": [
        {"artist": "Kult", "title": "Arahja", "why": "Slow\nand calm"}, {"artist": "Hey", "title": "Teksanski"}]});
    let frame =
        json!({"choices": [{"delta": {"content": content.to_string()}, "finish_reason": "stop"}]});
    let said = FakeResponse::text(
        200,
        "text/event-stream",
        &format!("data: {frame}\n\ndata: [DONE]\n\n"),
    );
    let works = world(SONGS);
    let bench = Bench::new(
        move |request| match request.url.ends_with("/chat/completions") {
            true => said.clone(),
            false => works(request),
        },
    );
    let done = bench.json(&wish(2)).unwrap();
    assert_eq!(
        (&done["tracks"][0]["why"], done["tracks"][1].get("why")),
        (&json!("Slow and calm"), None)
    );
    assert_eq!(
        bench.sent_to("ai_settle")[0]["p_result"]["tracks"][0]["why"],
        "Slow and calm"
    );
}
