//! No text or number from outside keeps a playlist from being stored or an answer from being read.

use serde_json::{Value, json};

use crate::generation::{self, FIVE, reply};
use crate::stack::{Stack, User};

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.llm_script(reply(&FIVE)).await;
    (stack, user)
}

/// A track of the catalogue; `changes` are made to it.
fn track(number: usize, (artist, title, year): (&str, &str, i64), changes: Value) -> Value {
    let mut track = json!({
        "id": format!("{number:022}"), "name": title, "artists": [{"id": format!("{number:022}"), "name": artist}],
        "album": {"name": "Album", "release_date": year.to_string()}, "duration_ms": 213_000, "explicit": false,
        "is_playable": true, "isrc": format!("PLXX{number:08}"), "rank": 1,
    });
    for (name, value) in changes.as_object().unwrap() {
        track[name] = value.clone();
    }
    track
}

/// The catalogue from now on, in which `HALF` stands for half an emoji, as other programs write it.
async fn catalogue(stack: &Stack, tracks: &[Value]) {
    let url = format!("{}/__control/catalogue", stack.url("/simulators/spotify"));
    let body = json!(tracks).to_string().replace("HALF", r"\ud83e");
    let request = stack.http.put(url).header("content-type", "application/json").body(body);
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
}

#[tokio::test]
async fn no_text_or_number_of_spotifys_keeps_a_playlist_from_being_saved() {
    let (stack, user) = taken().await;
    let [one, two, three, four, five] = FIVE;
    let tracks = [
        track(1, one, json!({"name": "Come as\u{0}You Are\r\n"})),
        track(2, two, json!({"duration_ms": 25 * 3_600_000})),
        track(
            3,
            three,
            json!({"album": {"name": "ż".repeat(5_000), "release_date": "1985"}, "duration_ms": 0.4}),
        ),
        track(
            4,
            four,
            json!({"artists": vec![json!({"id": "0".repeat(22), "name": "Queen"}); 400], "duration_ms": 1e15}),
        ),
        track(5, five, json!({"name": "Let It Be HALF", "duration_ms": 213_000.5, "isrc": "\u{0}"})),
        track(6, ("Nobody", "\u{0}", 1999), json!({})),
    ];
    catalogue(&stack, &tracks).await;
    let body = generation::saving("evening");
    let (code, done) = generation::json(&stack, &user, &body).await;
    assert_eq!((code.as_u16(), &done["count"]), (200, &json!(5)), "{done}");

    let columns = "track_uri,title,artist,album,duration_ms";
    let mut saved =
        stack.rows(Some(&user), &format!("playlist_tracks?select={columns}&order=track_uri")).await;
    let mut delivered = done["tracks"].as_array().unwrap().clone();
    delivered.sort_by_key(|track| track["track_uri"].to_string());
    for (saved, delivered) in saved.iter_mut().zip(&delivered) {
        for name in columns.split(',') {
            assert_eq!(saved[name], delivered[name], "what is shown is what is stored");
        }
    }
    let of = |index: usize, name: &str| saved[index][name].clone();
    assert_eq!(
        (of(0, "title"), of(1, "duration_ms"), of(2, "duration_ms")),
        (json!("Come as You Are"), json!(86_400_000), json!(0))
    );
    assert_eq!(of(2, "album").as_str().unwrap().chars().count(), 200);
    assert!(of(3, "artist").as_str().unwrap().chars().count() <= 200);
    assert_eq!((of(3, "duration_ms"), of(4, "title")), (json!(86_400_000), json!("Let It Be \u{fffd}")));
}

#[tokio::test]
async fn fifty_are_fifty_wherever_the_catalogue_has_them() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let songs: Vec<(String, String)> =
        (0..50).map(|number| (format!("Band {number}"), format!("Song {number}"))).collect();
    let tracks: Vec<Value> = songs
        .iter()
        .enumerate()
        .map(|(number, (artist, title))| track(number, (artist, title, 2001), json!({})))
        .collect();
    catalogue(&stack, &tracks).await;
    // Every song that does not exist costs two searches.
    let missing: Vec<(String, String)> =
        (0..15).map(|number| (format!("Nobody {number}"), format!("Nowhere {number}"))).collect();
    let suggested: Vec<_> =
        missing.iter().chain(&songs).map(|(artist, title)| (artist.as_str(), title.as_str(), 2001)).collect();
    stack.llm_script(reply(&suggested)).await;
    let (code, done) =
        generation::json(&stack, &user, &json!({"prompt": "evening", "target_count": 50, "save": true}))
            .await;
    assert_eq!(
        (code.as_u16(), &done["count"], &done["stop_reason"]),
        (200, &json!(50), &json!("completed")),
        "{done}"
    );
}
