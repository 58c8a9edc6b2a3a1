//! Searching the catalogue by hand.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::spotify::{Answer, call};
use crate::stack::{Stack, User, taken};

async fn search(stack: &Stack, user: &User, query: &str) -> Answer {
    call(stack, Method::GET, &format!("spotify-search?{query}"), Some(user), None).await
}

async fn found(stack: &Stack, user: &User, query: &str) -> Vec<Value> {
    search(stack, user, query).await.ok()["tracks"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_song_is_found_however_it_is_typed_and_the_best_comes_first() {
    let (stack, user) = taken().await;
    for (query, title, artist) in [
        ("artist=Nirvana&title=Come+as+You+Are", "Come as You Are", "Nirvana"),
        ("artist=dzem&title=whisky", "Whisky", "Dżem"),
        ("title=Bohemian%20Rhapsody", "Bohemian Rhapsody", "Queen"),
        ("artist=KULT&title=arahja", "Arahja", "Kult"),
    ] {
        let tracks = found(&stack, &user, query).await;
        let first = tracks[0]["title"].as_str().unwrap();
        assert!(first.starts_with(title), "{query}: {first}");
        assert_eq!(tracks[0]["artist"], artist, "{query}");
        let scores: Vec<f64> = tracks.iter().map(|track| track["score"].as_f64().unwrap()).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b) && scores[0] > 0.9, "{query}: {scores:?}");
        let uris: HashSet<_> = tracks.iter().map(|track| track["track_uri"].as_str().unwrap()).collect();
        assert_eq!(uris.len(), tracks.len());
    }
}

#[tokio::test]
async fn limit_and_market_are_kept_and_what_cannot_be_played_is_marked() {
    let (stack, user) = taken().await;
    assert_eq!(found(&stack, &user, "artist=Queen&limit=2").await.len(), 2);
    assert!(found(&stack, &user, "artist=Queen").await.len() <= 10);
    let track = json!({
        "id": "0000000000000000000001", "name": "Gone", "artists": [{"id": "0000000000000000000002", "name": "Somebody"}],
        "album": {"name": "Gone", "release_date": "2001"}, "duration_ms": 1000, "explicit": false, "is_playable": false,
        "isrc": "PLXX00100001", "rank": 1,
    });
    stack.spotify(Method::PUT, "catalogue", &json!([track])).await;
    let tracks = found(&stack, &user, "title=Gone&market=pl").await;
    assert_eq!((tracks.len(), &tracks[0]["is_playable"]), (1, &json!(false)));
    let asked = stack.log_of("spotify", "/v1/search").await;
    assert!(asked.last().unwrap()["query"].to_string().contains("PL"), "{asked:?}");
}

#[tokio::test]
async fn of_a_hundred_searches_at_once_thirty_reach_spotify_and_a_neighbour_is_served() {
    let (stack, user) = taken().await;
    let answers = join_all((0..100).map(|_| search(&stack, &user, "artist=Kult&title=Arahja"))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((served.len(), stack.log_of("spotify", "/v1/search").await.len()), (30, 30));
    for answer in refused {
        let retry_after: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&retry_after), "{retry_after}");
        answer.assert_error(429, "too_many_attempts");
    }
    let neighbour = stack.sign_up().await;
    assert!(!found(&stack, &neighbour, "artist=Kult&title=Arahja").await.is_empty());
}

#[tokio::test]
async fn the_token_of_a_deleted_user_finds_nothing() {
    let (stack, user) = taken().await;
    stack.sql("delete from auth.users where id = $1", &[&user.id]).await;
    search(&stack, &user, "title=Whisky").await.assert_error(403, "profile_not_found");
    assert_eq!(stack.log_of("spotify", "/v1/search").await.len(), 0);
}
