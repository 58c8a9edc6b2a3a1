//! The tracks of playlists and searches: from the catalogue, in the right version, without duplicates.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::generation::{self, document, reply, uris};
use crate::own_stack::{Place, Running, eventually, functions_alone};
use crate::spotify::some_tracks;
use crate::stack::{Stack, User, stack_and_user, with};

#[tokio::test]
async fn delivers_only_tracks_of_the_catalogue_in_their_studio_version() {
    let stack = Stack::take().await;
    // Without a script the simulated model reads the prompt and suggests many kinds of songs.
    stack.control("llm", Method::POST, "reset", &json!({})).await;
    let user = stack.sign_up_pro().await;
    let known: HashSet<String> = some_tracks(&stack, usize::MAX).await.into_iter().collect();
    assert!(known.len() >= 2_000, "{} tracks", known.len());
    for (prompt, language) in [
        ("a cozy rainy evening, mellow acoustic, about 12 tracks", "en"),
        ("90s rock hits for a road trip", "en"),
        ("spokojny polski wieczór, dużo gitary", "pl"),
    ] {
        let done = document(&stack, &user, &json!({"prompt": prompt, "target_count": 20})).await.ok();
        assert_eq!(done["language"], language);
        assert!(done["count"].as_u64() >= Some(8), "{prompt}: {done}");
        let unique: HashSet<_> = uris(&done).into_iter().collect();
        assert_eq!(unique.len(), uris(&done).len(), "{prompt}: {done}");
        assert!(unique.iter().all(|uri| known.contains(*uri)), "{prompt}: {done}");
        for track in done["tracks"].as_array().unwrap() {
            let text = format!("{} {}", track["title"], track["artist"]).to_lowercase();
            let markers = ["karaoke", "tribute", "sped up", "slowed", "- live", "(live", "nightcore"];
            assert!(!markers.iter().any(|marker| text.contains(marker)), "{prompt}: {track}");
        }
    }
}

fn track(number: usize, artist: &str, title: &str, changes: &Value) -> Value {
    let id = format!("{number:022}");
    let track = json!({
        "id": id, "name": title, "artists": [{"id": id, "name": artist}],
        "album": {"name": "Album", "release_date": "1995-01-01"}, "duration_ms": 200_000, "explicit": false,
        "is_playable": true, "isrc": format!("PLXX{number:08}"), "rank": number,
    });
    with(track, changes)
}

#[tokio::test]
async fn conditions_of_the_request_are_enforced_and_sent_to_the_model() {
    let (stack, user) = stack_and_user().await;
    let late = json!({"album": {"name": "Album", "release_date": "2015-01-01"}});
    let songs = [
        ("Explicit Artist", "Bad Words", json!({"explicit": true})),
        ("Clean Artist", "Good Words", json!({})),
        ("Unwanted Artist", "Some Words", json!({})),
        ("Late Artist", "New Words", late),
    ];
    let tracks =
        songs.iter().enumerate().map(|(number, (artist, title, it))| track(number, artist, title, it));
    stack.spotify(Method::PUT, "catalogue", tracks.collect()).await;
    stack.llm_script(reply(&songs.each_ref().map(|(artist, title, _)| (*artist, *title, 1995)))).await;
    let stream = generation::stream(&stack, &user, &json!({
        "prompt": "words", "target_count": 4, "mood": "wistful", "market": "PL",
        "allow_explicit": false, "exclude_artists": ["unwanted artist"], "era": {"from": 1990, "to": 1999},
        "seeds": [{"artist": "Kult", "title": "Arahja"}],
        "refine": {"previous": [{"artist": "Hey", "title": "Teksański"}], "instruction": "calmer, please"},
    }))
    .await;
    let titles: Vec<_> = stream.all("track").iter().map(|track| track["title"].clone()).collect();
    assert_eq!(titles, ["Good Words"]);
    let misses = stream.all("miss");
    for (title, reason) in [("Bad Words", "explicit"), ("Some Words", "excluded"), ("New Words", "excluded")]
    {
        assert!(misses.iter().any(|miss| miss["title"] == title && miss["reason"] == reason), "{misses:?}");
    }
    assert_eq!(stream.last("done")["warning"], "fewer_than_12");
    let question = stack.completions().await[0]["body"].to_string();
    for words in ["Arahja", "Teksański", "calmer, please", "wistful"] {
        assert!(question.contains(words), "{words} did not reach the model");
    }
    assert_eq!(stack.log("spotify", "/v1/search").await[0]["query"]["market"], "PL");
}

#[tokio::test]
async fn fifty_tracks_are_found_although_fifteen_suggestions_do_not_exist() {
    let (stack, user) = stack_and_user().await;
    let names = |count: usize, artist: &'static str, title: &'static str| {
        (0..count).map(move |number| (format!("{artist} {number}"), format!("{title} {number}")))
    };
    let songs = names(50, "Band", "Song");
    let tracks =
        songs.clone().enumerate().map(|(number, (artist, title))| track(number, &artist, &title, &json!({})));
    stack.spotify(Method::PUT, "catalogue", tracks.collect()).await;
    // Every song that does not exist costs two searches.
    let suggested: Vec<_> = names(15, "Nobody", "Nowhere").chain(songs).collect();
    let suggested: Vec<_> =
        suggested.iter().map(|(artist, title)| (artist.as_str(), title.as_str(), 1995)).collect();
    stack.llm_script(reply(&suggested)).await;
    let done = document(&stack, &user, &json!({"prompt": "evening", "target_count": 50})).await.ok();
    assert_eq!((&done["count"], &done["stop_reason"]), (&json!(50), &json!("completed")), "{done}");
}

#[tokio::test]
async fn thirty_of_a_hundred_searches_at_once_reach_spotify_and_another_user_is_served() {
    let (stack, user) = stack_and_user().await;
    let path = "spotify-search?artist=kult&title=arahja";
    let search = async |user: &User| stack.call(Method::GET, path, user, Value::Null).await;
    let responses = join_all((0..100).map(|_| search(&user))).await;
    let (served, refused): (Vec<_>, Vec<_>) = responses.into_iter().partition(|it| it.status == 200);
    assert_eq!((served.len(), stack.log("spotify", "/v1/search").await.len()), (30, 30));
    for refused in refused {
        assert!((1..=60).contains(&refused.retry_after().unwrap()), "{refused:?}");
        refused.assert_error(429, "too_many_attempts");
    }
    let found = search(&stack.sign_up().await).await.ok();
    let best = &found["tracks"][0];
    assert!(best["artist"] == "Kult" && best["title"].as_str().unwrap().starts_with("Arahja"), "{found}");
}

/// Functions with a catalogue memory, which remembers nothing yet.
async fn remembering(shared: &Stack, place: &Place, runtime: &str) -> Running {
    shared.sql("delete from private.catalogue_memory", &[]).await;
    let env = functions_alone(shared, shared.url("/supabase_url")) + "CATALOGUE_MEMORY_DAYS=7\n";
    place.start_as(runtime, place.ports_from, runtime, &env).await
}

/// Waits until as many songs are remembered: they are written after the response.
async fn remembers(shared: &Stack, songs: usize) {
    eventually("the songs are remembered", async || {
        shared.sql("select from private.catalogue_memory", &[]).await.len() == songs
    })
    .await;
}

async fn searches(shared: &Stack) -> usize {
    shared.log("spotify", "/v1/search").await.len()
}

#[tokio::test]
async fn songs_that_were_found_are_not_searched_again_until_their_entries_expire() {
    generate_again("workerd").await;
}

pub async fn generate_again(runtime: &str) {
    let (shared, place) = (Stack::take().await, Place::take().await);
    let functions = remembering(&shared, &place, runtime).await;
    let body = json!({"prompt": "evening", "target_count": 5, "market": "PL"});
    let generate_as = async |user: User| document(&functions.stack, &user, &body).await;
    let generate = async || generate_as(shared.sign_up().await).await;
    let titles = |done: &Value| {
        let tracks = done["tracks"].as_array().unwrap();
        tracks.iter().map(|track| track["title"].clone()).collect::<Vec<_>>()
    };
    let fresh = titles(&generate().await.ok());
    remembers(&shared, 5).await;
    let searched = searches(&shared).await;
    let mut users = Vec::new();
    for _ in 0..10 {
        users.push(shared.sign_up().await);
    }
    for again in join_all(users.into_iter().map(&generate_as)).await {
        assert_eq!(titles(&again.ok()), fresh);
    }
    assert_eq!(searches(&shared).await, searched);

    // Spotify withdraws all of them.
    let others = json!([track(1, "Nobody", "Nowhere", &json!({}))]);
    shared.spotify(Method::PUT, "catalogue", others).await;
    assert_eq!(titles(&generate().await.ok()), fresh);
    shared.sql("update private.catalogue_memory set expires_at = now()", &[]).await;
    generate().await.assert_error(422, "no_tracks_found");
}

#[tokio::test]
async fn after_a_rate_limit_the_songs_that_are_remembered_are_found() {
    let (shared, place) = (Stack::take().await, Place::take().await);
    let functions = remembering(&shared, &place, "workerd").await;
    let (stack, user) = (&functions.stack, shared.sign_up().await);
    let body = |count: usize| json!({"prompt": "evening", "target_count": count});
    document(stack, &user, &body(5)).await.ok();
    remembers(&shared, 5).await;
    let songs = [&[("Adele", "Someone Like You", 2011)][..], &generation::FIVE].concat();
    shared.llm_script(reply(&songs)).await;
    let limited =
        json!({"path_prefix": "/v1/search", "status": 429, "headers": {"Retry-After": "48925"}, "body": {}});
    shared.faults("spotify", json!([limited])).await;
    let stream = generation::stream(stack, &user, &body(6)).await;
    assert_eq!(stream.all("track").len(), 5);
    let missed: Vec<_> =
        stream.all("miss").iter().map(|it| (it["title"].clone(), it["reason"].clone())).collect();
    assert_eq!(missed, [(json!("Someone Like You"), json!("lookup_failed"))]);
    let search = async |path: &str| stack.call(Method::GET, path, &user, Value::Null).await;
    let found = search("spotify-search?artist=queen&title=bohemian+rhapsody").await.ok();
    assert_eq!((&found["tracks"][0]["artist"], &found["is_partial"]), (&json!("Queen"), &json!(true)));
    search("spotify-search?artist=adele&title=someone+like+you")
        .await
        .assert_error(503, "spotify_rate_limited");
}
