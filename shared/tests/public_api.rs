//! Programs outside this repository build tracks member by member and judge them: these members and names stay.

use shared::matching::{Constraints, MissReason, WantedVersions, best_match, rank};
use shared::track::{CatalogueTrack, Suggestion, TrackUri};

#[test]
fn programs_build_tracks_and_judge_them() {
    let track = |id: u32, title: &str| CatalogueTrack {
        uri: TrackUri::parse(&format!("spotify:track:{id:022}")).unwrap(),
        title: title.to_owned(),
        artists: vec!["Queen".to_owned()],
        album: "Innuendo".to_owned(),
        release_year: Some(1991),
        duration_ms: 200_000,
        explicit: false,
        is_playable: true,
        isrc: None,
    };
    let candidates = vec![track(1, "Innuendo (Live)"), track(2, "Innuendo")];
    let suggestion = |title: &str| Suggestion {
        artist: "Queen".to_owned(),
        title: title.to_owned(),
        year: Some(1991),
    };
    let plain = Constraints::new(true, None, &[], WantedVersions::default());
    let found = best_match(&suggestion("Innuendo"), &candidates, &plain);
    assert_eq!(found.map(|found| &found.track.uri), Ok(&candidates[1].uri));
    assert_eq!(
        best_match(&suggestion("Headlong"), &candidates, &plain),
        Err(MissReason::LowScore)
    );
    assert_eq!(
        rank(&suggestion("Innuendo"), &candidates)[0].track,
        &candidates[1]
    );
}
