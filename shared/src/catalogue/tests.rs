use futures_util::FutureExt;
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeClock, FakeHttp, FakeResponse, SharedClock};
use crate::matching::{Constraints, MissReason, WantedVersions};
use crate::supabase::{Supabase, SupabaseConfig};
use crate::track::{CatalogueTrack, ListedTrack, Suggestion, TrackUri};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn track(id: u32, artist: &str, title: &str) -> ListedTrack {
    let uri = TrackUri::parse(&format!("spotify:track:{id:022}")).unwrap();
    let recording = CatalogueTrack {
        album: "Album".to_owned(),
        release_year: Some(1987),
        ..CatalogueTrack::new(uri, artist, title)
    };
    ListedTrack {
        recording,
        image_url: Some("https://i.scdn.co/image/a".to_owned()),
    }
}

fn arahja() -> Suggestion {
    Suggestion {
        artist: "Kult".into(),
        title: "Arahja".into(),
        year: Some(1988),
    }
}

fn finding(by_field: Vec<ListedTrack>, by_words: Option<Vec<ListedTrack>>) -> Finding {
    Finding {
        suggestion: arahja(),
        by_field,
        by_words,
    }
}

fn allowed() -> Constraints {
    Constraints::new(true, None, &[], WantedVersions::default())
}

#[test]
fn keeps_only_playable_versions_of_the_song() {
    let mut gone = track(3, "Kult", "Arahja");
    gone.recording.is_playable = false;
    let other = track(4, "Kult", "Celina");
    let found = vec![
        track(1, "Kult", "Arahja (Live)"),
        other.clone(),
        gone,
        track(2, "Kult", "Arahja"),
    ];
    let (key, entry) = finding(found, Some(vec![track(2, "Kult", "Arahja"), other])).into_entry();
    assert_eq!(key, "kult\narahja");
    let titles: Vec<_> = entry
        .tracks()
        .iter()
        .map(|track| track.recording.title.as_str())
        .collect();
    assert_eq!(titles, ["Arahja (Live)", "Arahja"]);
    assert_eq!(
        entry
            .best_match(&arahja(), &allowed())
            .unwrap()
            .unwrap()
            .track,
        &track(2, "Kult", "Arahja")
    );
}

#[test]
fn incomplete_entry_does_not_decide_a_missing_song() {
    let live = || vec![track(1, "Kult", "Arahja (Live)")];
    let judged = |by_words| {
        let (_, entry) = finding(live(), by_words).into_entry();
        entry
            .best_match(&arahja(), &allowed())
            .map(|best| best.map(|best| best.track.recording.title.clone()))
    };
    assert_eq!(judged(None), None);
    assert_eq!(judged(Some(vec![])), Some(Err(MissReason::LowScore)));
    assert_eq!(
        judged(Some(vec![track(2, "Kult", "Arahja")])),
        Some(Ok("Arahja".to_owned()))
    );
}

#[test]
fn missing_song_records_whether_other_songs_were_found() {
    for (found, reason) in [
        (vec![], MissReason::NotFound),
        (vec![track(1, "Hey", "Moja")], MissReason::LowScore),
    ] {
        let (_, entry) = finding(found, Some(vec![])).into_entry();
        assert!(!entry.is_found());
        assert_eq!(entry.best_match(&arahja(), &allowed()), Some(Err(reason)));
    }
}

fn stored(changes: &[(&str, Value)]) -> Value {
    let (_, entry) = finding(vec![track(1, "Kult", "Arahja")], None).into_entry();
    let mut value = serde_json::to_value(entry).unwrap();
    for (pointer, changed) in changes {
        *value.pointer_mut(pointer).unwrap() = changed.clone();
    }
    value
}

#[test]
fn ignores_poisoned_and_incomplete_entries() {
    assert!(Entry::parse(stored(&[])).is_some());
    for (pointer, changed) in [
        ("", json!(null)),
        ("", json!({})),
        ("", json!({"tracks": []})),
        ("/tracks", json!("Arahja")),
        (
            "/tracks/0/recording",
            json!({"uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "title": "Arahja"}),
        ),
        ("/tracks/0/image_url", json!("https://i.scdn.co/a b")),
        (
            "/tracks/0/image_url",
            json!(format!("https://i.scdn.co/{}", "a".repeat(300))),
        ),
        (
            "/tracks/0/recording/uri",
            json!("https://evil.example/4uLU6hMCjMI75M1A2tKUQC"),
        ),
        ("/tracks/0/recording/title", json!("")),
        ("/tracks/0/recording/title", json!("two\nlines")),
        ("/tracks/0/recording/title", json!("x".repeat(201))),
        ("/tracks/0/recording/artists", json!([])),
        ("/tracks/0/recording/artists", json!(["\u{202e}Kult"])),
        ("/tracks/0/recording/artists", json!(vec!["Kult"; 51])),
        ("/tracks/0/recording/duration_ms", json!(86_400_001)),
        ("/tracks/0/recording/duration_ms", json!(-1)),
        ("/tracks/0/recording/release_year", json!(10_000)),
        ("/tracks/0/recording/is_playable", json!(false)),
        ("/by_field", json!(2)),
        ("/by_field", json!(0)),
        ("/is_any_playable", json!(false)),
        ("/tracks", json!(vec![stored(&[])["tracks"][0].clone(); 21])),
    ] {
        assert_eq!(
            Entry::parse(stored(&[(pointer, changed.clone())])),
            None,
            "{pointer} {changed}"
        );
    }
}

#[test]
fn reads_tracks_with_unknown_members() {
    let with = |picture: &str| {
        let mut value = stored(&[]);
        value["tracks"][0]["picture"] = json!(picture);
        Entry::parse(value).is_some()
    };
    assert!(with("https://i.scdn.co/image/ab67616d") && !with("a\u{0}b"));
    let mut without = stored(&[]);
    without["tracks"][0]["recording"]
        .as_object_mut()
        .unwrap()
        .remove("isrc");
    assert!(Entry::parse(without).is_some());
}

fn database() -> SupabaseConfig {
    let env = |name: &str| match name {
        "SUPABASE_URL" => Some("https://db.example".to_owned()),
        "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".to_owned()),
        "SUPABASE_SECRET_KEY" => Some("sb_secret_x".to_owned()),
        _ => None,
    };
    SupabaseConfig::from_env(env).unwrap()
}

#[test]
fn failing_or_slow_memory_returns_nothing() {
    for (answer, is_usable) in [
        (FakeResponse::json(200, &json!([null])), true),
        (FakeResponse::json(200, &json!([])), false),
        (FakeResponse::json(200, &json!([null, null])), false),
        (FakeResponse::json(500, &json!({"message": "down"})), false),
        (FakeResponse::Silence, false),
    ] {
        let (http, clock) = (FakeHttp::answering([answer]), SharedClock::at_ms(0));
        let config = database();
        let memory = Memory::new(Supabase::new(&config, &http).service(), &clock, Some("PL"));
        let songs = ["kult\narahja".to_owned()];
        assert_eq!(
            clock.run(vec![Box::pin(memory.recall(&songs))])[0].is_some(),
            is_usable
        );
        assert!(clock.now_ms() <= READ_MS);
    }
}

#[test]
fn found_and_missing_songs_have_their_configured_lifetimes() {
    for (found_days, missing_days, hours) in [
        (7, 1, vec![168, 24]),
        (7, 0, vec![168]),
        (1, 30, vec![24, 720]),
    ] {
        let http = FakeHttp::responding(|_| FakeResponse::text(204, "text/plain", ""));
        let config = database();
        let clock = FakeClock::at_ms(0);
        let memory = Memory::new(Supabase::new(&config, &http).service(), &clock, None);
        let findings = vec![
            finding(vec![track(1, "Kult", "Arahja")], None),
            finding(vec![], Some(vec![])),
        ];
        let remembered = memory.remember(
            MemoryConfig {
                found_days,
                missing_days,
            },
            findings,
        );
        assert_eq!(remembered.now_or_never(), Some(Ok(())));
        let sent: Value = serde_json::from_slice(&http.requests()[0].body).unwrap();
        let lives: Vec<_> = sent["p_entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["hours"].clone())
            .collect();
        assert_eq!(
            (lives, &sent["p_market"]),
            (hours.into_iter().map(Value::from).collect(), &Value::Null)
        );
    }
}

#[test]
fn entry_too_large_for_the_database_is_left_out() {
    let with_albums = |chars: usize| {
        let tracks = (0..20).map(|id| {
            let mut track = track(id, "Kult", "Arahja");
            track.recording.album = "🎵".repeat(chars);
            track.image_url = Some(format!("https://i.scdn.co/{}", "a".repeat(250)));
            track
        });
        finding(tracks.collect(), None)
    };
    let sizes = [60, 200].map(|chars| {
        let (_, entry) = with_albums(chars).into_entry();
        assert_eq!(entry.tracks().len(), 20);
        serde_json::to_vec(&entry).unwrap().len()
    });
    assert!(
        sizes[0] < MAX_ENTRY_BYTES && MAX_ENTRY_BYTES < sizes[1],
        "{sizes:?}"
    );
    let http = FakeHttp::responding(|_| FakeResponse::text(204, "text/plain", ""));
    let (config, clock) = (database(), FakeClock::at_ms(0));
    let memory = Memory::new(Supabase::new(&config, &http).service(), &clock, None);
    let days = MemoryConfig {
        found_days: 7,
        missing_days: 1,
    };
    for findings in [
        vec![with_albums(200), with_albums(60)],
        vec![with_albums(200)],
    ] {
        assert_eq!(memory.remember(days, findings).now_or_never(), Some(Ok(())));
    }
    let sent: Vec<Value> = http
        .requests()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(sent.len(), 1, "nothing is sent where nothing fits");
    assert_eq!(sent[0]["p_entries"].as_array().unwrap().len(), 1);
}

#[test]
fn lifetime_is_at_most_thirty_days_and_zero_disables_the_memory() {
    let read = |found: &'static str, missing: &'static str| {
        MemoryConfig::from_env(move |name| {
            Some(
                if name == "CATALOGUE_MEMORY_DAYS" {
                    found
                } else {
                    missing
                }
                .to_owned(),
            )
        })
    };
    assert_eq!(
        read("", ""),
        Ok(MemoryConfig {
            found_days: 7,
            missing_days: 1
        })
    );
    assert!(!read("0", "1").unwrap().is_on() && read("1", "0").unwrap().is_on());
    for invalid in ["31", "-1", "a week", "1.5"] {
        assert_eq!(
            read(invalid, invalid).unwrap_err().names().count(),
            2,
            "{invalid}"
        );
    }
}
