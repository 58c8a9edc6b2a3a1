//! Properties of any state that comes back, and of any response of Spotify.

use futures_util::FutureExt;
use http::{HeaderMap, StatusCode, header};
use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{bytes, damaged, json, json_with, mutated, nearly, text};
use serde_json::{Value, json};
use uuid::Uuid;

use super::accounts::{GrantError, SpotifyAccount, SpotifyAccounts, Tokens};
use super::tests::{Instance, URI};
use super::*;
use crate::fakes::{FakeRandom, FakeResponse};
use crate::json::from_slice_lenient;
use crate::redacted::Secret;
use crate::track::ListedTrack;

const NOW: u64 = 1_790_000_000;
const USER: Uuid = Uuid::from_u128(7);

fn keys() -> StateKeys {
    StateKeys::from_env(|_| Some(format!("{},{}", "1".repeat(32), "2".repeat(32)))).unwrap()
}

fn state() -> String {
    keys().sign(USER, NOW, &FakeRandom::default()).text
}

fn answer(status: StatusCode, body: &[u8]) -> FakeResponse {
    FakeResponse::Response(status, HeaderMap::new(), vec![Ok(body.to_vec().into())])
}

fn found() -> Value {
    let track = json!({
        "type": "track", "uri": URI, "name": "Whisky", "artists": [{"name": "Dżem"}], "is_local": false,
        "album": {
            "name": "Cegła", "release_date": "1985-01-01", "images": [{"url": "https://i.scdn.co/image/a", "width": 64}],
        },
        "duration_ms": 1, "explicit": false,
        "is_playable": true, "external_ids": {"isrc": "PL1"},
    });
    json!({"tracks": {"items": [track, track], "total": 2}})
}

/// Bodies of any kind around what is nearly right: other values, other JSON, cut off, no text.
fn bodies(right: Value) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => nearly(right.clone()).prop_map(|body| body.to_string().into_bytes()),
        2 => damaged(right.to_string().into_bytes()),
        1 => json().prop_map(|body| body.to_string().into_bytes()),
        1 => bytes(),
    ]
}

fn refreshed(answers: impl IntoIterator<Item = FakeResponse>) -> Result<Tokens, GrantError> {
    let it = Instance::answered(answers);
    let accounts = SpotifyAccounts::new(&it.config, &it.http, &it.clock);
    accounts.refresh(&Secret::new("r")).now_or_never().unwrap()
}

proptest! {
    #[test]
    fn a_state_says_who_began_and_when(user in any::<u128>(), issued in 0..1_u64 << 40, age in 0..1_000_u64) {
        let user_id = Uuid::from_u128(user);
        let NewState { text, verifier } = keys().sign(user_id, issued, &FakeRandom::default());
        let expected =
            if age <= 600 { Ok(SignedState { user_id, verifier }) } else { Err(StateError::Expired) };
        prop_assert_eq!(keys().verify(&text, issued + age), expected);
        prop_assert!(text.len() <= 512);
    }

    #[test]
    fn no_text_is_a_state(
        text in text(),
        parts in vec("[A-Za-z0-9_-]{0,60}", 2),
        changed in damaged(state().into_bytes()),
    ) {
        for text in [text, parts.join(".")] {
            prop_assert_eq!(keys().verify(&text, NOW), Err(StateError::Invalid), "{}", text);
        }
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert_eq!(keys().verify(&changed, NOW).is_ok(), changed == state(), "{}", changed);
        }
    }

    #[test]
    fn a_search_finds_tracks_that_can_be_shown_or_is_not_understood(
        body in prop_oneof![bodies(found()), mutated("spotify-answers")],
        any in json_with(vec!["tracks", "items", "artists", "name", "uri", "album", "release_date"]),
        date in text(),
        duration in any::<f64>(),
    ) {
        let mut dated = found();
        dated["tracks"]["items"][0]["album"]["release_date"] = json!(date);
        let mut odd = found();
        odd["tracks"]["items"][0]["name"] = json!(date);
        odd["tracks"]["items"][0]["duration_ms"] = json!(duration);
        for body in [body, any.to_string().into_bytes(), dated.to_string().into_bytes(), odd.to_string().into_bytes()] {
            match Instance::warm([answer(StatusCode::OK, &body)]).search() {
                Ok(tracks) => {
                    let said: Value = from_slice_lenient(&body).unwrap();
                    prop_assert!(tracks.len() <= said["tracks"]["items"].as_array().unwrap().len());
                    for ListedTrack { recording: track, .. } in tracks {
                        prop_assert!(!track.artists.is_empty());
                        for text in track.artists.iter().chain([&track.title, &track.artist()]) {
                            prop_assert!((1..=200).contains(&text.chars().count()), "{:?}", text);
                            prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
                        }
                        prop_assert!(track.album.chars().count() <= 200);
                        prop_assert!(!track.album.chars().any(char::is_control));
                        prop_assert!(track.duration_ms <= 86_400_000);
                        prop_assert!(track.release_year.is_none_or(|year| (1..=9999).contains(&year)));
                    }
                }
                Err(error) => prop_assert_eq!(error, SpotifyError::InvalidResponse),
            }
        }
    }

    #[test]
    fn a_token_answer_gives_tokens_or_is_not_understood(
        body in bodies(
            json!({"access_token": "a", "refresh_token": "r", "expires_in": 3600, "token_type": "Bearer"}),
        ),
        lifetime in any::<u64>(),
    ) {
        match refreshed([answer(StatusCode::OK, &body)]) {
            Ok(tokens) => prop_assert!(
                !tokens.access_token.expose().is_empty() && tokens.refresh_token != Some(Secret::new("")),
            ),
            Err(error) => prop_assert_eq!(error, GrantError::Spotify(SpotifyError::InvalidResponse)),
        }
        let lasting = json!({"access_token": "a", "expires_in": lifetime}).to_string().into_bytes();
        for (body, is_right) in [(body, false), (lasting, true)] {
            let it = Instance::answered(
                [answer(StatusCode::OK, &body), answer(StatusCode::OK, found().to_string().as_bytes())],
            );
            let searched = it.search();
            prop_assert!(
                searched.is_ok() || !is_right && matches!(
                    searched,
                    Err(SpotifyError::InvalidResponse | SpotifyError::Unavailable(_)),
                ),
                "{:?}",
                searched,
            );
        }
    }

    #[test]
    fn a_refusal_is_one_whatever_it_says(
        body in bodies(json!({"error": "invalid_grant", "error_description": "x"})),
        status in prop_oneof![Just(400), Just(401), Just(429), 400..600_u16, 201..400_u16],
        after in text(),
    ) {
        let status = StatusCode::from_u16(status).unwrap();
        let mut refusal = answer(status, &body);
        if let (FakeResponse::Response(_, headers, _), Ok(after)) = (&mut refusal, after.parse()) {
            headers.insert(header::RETRY_AFTER, after);
        }
        let refused = refreshed(std::iter::repeat_n(refusal.clone(), 4));
        let says_so = |body: Result<Value, _>| {
            status.as_u16() / 2 == 200 && body.is_ok_and(|body| body["error"] == "invalid_grant")
        };
        let is_over = refused == Err(GrantError::InvalidGrant);
        prop_assert_eq!(is_over, says_so(from_slice_lenient(&body)), "{:?}", refused);
        prop_assert!(Instance::warm(std::iter::repeat_n(refusal, 4)).search().is_err());
    }

    #[test]
    fn a_public_name_is_bounded(
        body in bodies(json!({"account_id": "a1", "display_name": "Ann"})),
        name in text(),
        times in 1..60_usize,
    ) {
        let long = json!({"display_name": name.repeat(times)}).to_string().into_bytes();
        for body in [body, long] {
            let it = Instance::answered([answer(StatusCode::OK, &body)]);
            let accounts = SpotifyAccounts::new(&it.config, &it.http, &it.clock);
            match accounts.me(&Secret::new("a")).now_or_never().unwrap() {
                Ok(SpotifyAccount { id, display_name }) => {
                    for text in id.iter().chain(&display_name) {
                        prop_assert!((1..=200).contains(&text.chars().count()), "{}", text);
                        prop_assert!(!text.chars().any(char::is_control), "{}", text);
                    }
                }
                Err(error) => prop_assert_eq!(error, SpotifyError::InvalidResponse.into()),
            }
        }
    }
}
