//! Which tracks are delivered: of the catalogue, the right version, each once.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::generation::{self, reply};
use crate::stack::{Stack, User};

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up_pro().await;
    (stack, user)
}

fn tracks(done: &Value) -> &Vec<Value> {
    done["tracks"].as_array().unwrap_or_else(|| panic!("{done}"))
}

async fn catalogue_uris(stack: &Stack) -> HashSet<String> {
    let url = format!("{}/__control/catalogue", stack.url("/simulators/spotify"));
    let all: Vec<Value> = stack.http.get(url).send().await.unwrap().json().await.unwrap();
    all.iter().map(|track| format!("spotify:track:{}", track["id"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn no_delivered_track_is_outside_the_catalogue_or_an_unasked_version() {
    let (stack, user) = taken().await;
    let known = catalogue_uris(&stack).await;
    assert!(known.len() >= 2_000, "{} tracks", known.len());
    for prompt in [
        "a cozy rainy evening, mellow acoustic, about 12 tracks",
        "90s rock hits for a road trip",
        "spokojny polski wieczór, dużo gitary",
        "energetyczna polska muzyka do biegania",
        "late night jazz and soul",
    ] {
        let (status, done) =
            generation::json(&stack, &user, &json!({"prompt": prompt, "target_count": 20})).await;
        assert_eq!(status, 200, "{prompt}: {done}");
        let mut seen = HashSet::new();
        for track in tracks(&done) {
            let uri = track["track_uri"].as_str().unwrap();
            assert!(known.contains(uri), "{prompt}: not in the catalogue: {track}");
            assert!(seen.insert(uri), "{prompt}: twice: {track}");
            let text = format!("{} {}", track["title"], track["artist"]).to_lowercase();
            for marker in [
                "karaoke",
                "tribute",
                "sped up",
                "slowed",
                "- live",
                "(live",
                "nightcore",
                "originally performed",
            ] {
                assert!(!text.contains(marker), "{prompt}: {track}");
            }
        }
    }
}

/// A catalogue of our own: `(id, artist, title, album, year, explicit, isrc)`.
async fn stock(stack: &Stack, songs: &[(&str, &str, &str, &str, u32, bool, &str)]) {
    let catalogue: Vec<_> = songs
        .iter()
        .enumerate()
        .map(|(rank, (id, artist, title, album, year, explicit, isrc))| {
            json!({
                "id": format!("{id:0<22}"), "name": title, "artists": [{"id": format!("{artist:0<22.22}")
                    .replace(|c: char| !c.is_ascii_alphanumeric(), "0"), "name": artist}],
                "album": {"name": album, "release_date": format!("{year}-01-01")}, "duration_ms": 200_000,
                "explicit": explicit, "is_playable": true, "isrc": isrc, "rank": rank + 1,
            })
        })
        .collect();
    let url = format!("{}/__control/catalogue", stack.url("/simulators/spotify"));
    let response = stack.http.put(url).json(&catalogue).send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
}

#[tokio::test]
async fn what_the_listener_rules_out_is_enforced_whatever_the_model_says() {
    let (stack, user) = taken().await;
    let songs = [
        ("a", "Explicit Artist", "Bad Words", "One", 1995, true, "USA111500001"),
        ("b", "Clean Artist", "Good Words", "Two", 1995, false, "USA111500002"),
        ("c", "Unwanted Artist", "Some Words", "Three", 1995, false, "USA111500003"),
        ("d", "Late Artist", "New Words", "Four", 2015, false, "USA111500004"),
    ];
    stock(&stack, &songs).await;
    let suggestions = songs.map(|(_, artist, title, ..)| (artist, title, 1995));
    stack.llm_script(reply(&suggestions)).await;
    let body = json!({
        "prompt": "words", "target_count": 4, "allow_explicit": false,
        "exclude_artists": ["unwanted artist"], "era": {"from": 1990, "to": 1999},
    });
    let stream = generation::stream(&stack, &user, &body).await;
    let titles: Vec<_> = stream.all("track").iter().map(|track| track["title"].clone()).collect();
    assert_eq!(titles, ["Good Words"]);
    let reason = |title: &str| {
        let misses = stream.all("miss");
        misses.into_iter().find(|miss| miss["title"] == title).unwrap()["reason"].clone()
    };
    assert_eq!(reason("Bad Words"), "explicit");
    assert_eq!(reason("Some Words"), "excluded");
    assert_eq!(reason("New Words"), "excluded");
    assert_eq!(stream.last("done")["warning"], "fewer_than_12");
}

#[tokio::test]
async fn seeds_and_a_refinement_reach_the_model() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&generation::FIVE)).await;
    let body = json!({
        "prompt": "evening", "target_count": 5, "mood": "wistful", "market": "PL",
        "seeds": [{"artist": "Kult", "title": "Arahja"}],
        "refine": {"previous": [{"artist": "Hey", "title": "Teksański"}], "instruction": "calmer, please"},
    });
    let (status, done) = generation::json(&stack, &user, &body).await;
    assert_eq!(status, 200, "{done}");
    let question = stack.log_of("llm", "/v1/chat/completions").await[0]["body"].as_str().unwrap().to_owned();
    for words in ["Arahja", "Teksański", "calmer, please", "wistful"] {
        assert!(question.contains(words), "{words} did not reach the model");
    }
    let search = &stack.log_of("spotify", "/v1/search").await[0];
    assert_eq!((&search["query"]["market"], &search["query"]["limit"]), (&json!("PL"), &json!("10")));
}
