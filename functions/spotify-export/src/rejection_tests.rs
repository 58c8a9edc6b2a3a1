//! Tests of tracks that Spotify rejects.

use super::*;

fn rejecting(bad: &'static [usize]) -> Fill {
    Box::new(move |uris| {
        match uris
            .iter()
            .any(|uri| bad.iter().any(|bad| *uri == self::uri(*bad)))
        {
            true => FakeResponse::json(
                400,
                &json!({"error": {"status": 400, "message": "Invalid track uri"}}),
            ),
            false => FakeResponse::json(200, &json!({"snapshot_id": "s"})),
        }
    })
}

#[test]
fn reports_refused_tracks_and_exports_the_rest() {
    for bad in [&[1][..], &[100], &[50], &[1, 100], &[33, 34], &[7, 42, 77]] {
        let bad: &'static [usize] = Vec::leak(bad.to_vec());
        let (result, requests) = export(
            World {
                fill: rejecting(bad),
                ..world(100)
            },
            None,
        );
        let result = result.unwrap();
        let positions: Vec<_> = result["rejected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["position"].as_u64().unwrap() as usize)
            .collect();
        assert_eq!(positions, bad);
        let expected: Vec<_> = (1..=100)
            .filter(|position| !bad.contains(position))
            .map(uri)
            .collect();
        let filled = requests
            .iter()
            .rfind(|request| request.url.ends_with("/items"))
            .unwrap();
        assert_eq!(uris(filled), expected);
        assert!(requests.len() <= 48, "{bad:?}: {} requests", requests.len());
    }
}

#[test]
fn export_without_accepted_tracks_fails_within_the_request_limit() {
    let (result, requests) = export(
        World {
            fill: Box::new(|_| FakeResponse::json(400, &json!({}))),
            ..world(100)
        },
        Some(KEY),
    );
    assert_eq!(result.unwrap_err().code(), Code::SpotifyUnavailable);
    assert!(requests.len() <= 46, "{}", requests.len());
}
