//! The labelled cases of `tests/matching_cases.tsv`, judged and counted.

use super::{Constraints, MissReason, Scored, WantedVersions, best_match};
use crate::track::{CatalogueTrack, Era, Suggestion, TrackUri};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CASES: &str = include_str!("../../tests/matching_cases.tsv");

struct Case {
    line: usize,
    /// The accepted candidate's index, or the reason of the miss by its name.
    expected: String,
    suggestion: Suggestion,
    constraints: Constraints,
    candidates: Vec<CatalogueTrack>,
}

fn cases() -> Vec<Case> {
    let lines = (1..).zip(CASES.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(line, text)| case(line, text)).collect()
}

fn case(line: usize, text: &str) -> Case {
    let columns: Vec<&str> = text.split('\t').collect();
    let [expected, artist, title, year, conditions, candidates @ ..] = columns.as_slice() else {
        panic!("line {line}: too few columns");
    };
    let year = (!year.is_empty()).then(|| year.parse().unwrap());
    Case {
        line,
        expected: (*expected).to_owned(),
        suggestion: Suggestion { artist: (*artist).to_owned(), title: (*title).to_owned(), year },
        constraints: constraints(conditions),
        candidates: (0..).zip(candidates).map(|(index, text)| candidate(index, text)).collect(),
    }
}

fn constraints(text: &str) -> Constraints {
    let (mut allow_explicit, mut era, mut excluded, mut wanted) =
        (true, None, Vec::new(), WantedVersions::default());
    for condition in text.split(',').filter(|condition| !condition.is_empty()) {
        match condition.split_once('=').unwrap_or((condition, "")) {
            ("clean", _) => allow_explicit = false,
            ("era", years) => {
                let (from, to) = years.split_once('-').unwrap();
                era = Some(Era { from: from.parse().ok(), to: to.parse().ok() });
            }
            ("without", names) => excluded = names.split(';').map(str::to_owned).collect(),
            ("prompt", prompt) => wanted = WantedVersions::from_prompt(prompt),
            (other, _) => panic!("unknown condition {other}"),
        }
    }
    Constraints::new(allow_explicit, era, &excluded, wanted)
}

fn candidate(index: u32, text: &str) -> CatalogueTrack {
    let fields: Vec<&str> = text.split('|').collect();
    let [title, artists, album, year, flags @ ..] = fields.as_slice() else { panic!("candidate {text}") };
    let flags = flags.concat();
    CatalogueTrack {
        uri: TrackUri::parse(&format!("spotify:track:{index:022}")).unwrap(),
        title: (*title).to_owned(),
        artists: artists.split(';').map(str::to_owned).collect(),
        album: (*album).to_owned(),
        release_year: (!year.is_empty()).then(|| year.parse().unwrap()),
        duration_ms: 200_000,
        explicit: flags.contains('E'),
        is_playable: !flags.contains('U'),
        isrc: None,
    }
}

fn answer(case: &Case) -> String {
    match best_match(&case.suggestion, &case.candidates, &case.constraints) {
        Ok(Scored { track, .. }) => {
            case.candidates.iter().position(|c| c.uri == track.uri).unwrap().to_string()
        }
        Err(reason) => reason.as_str().to_owned(),
    }
}

fn is_index(answer: &str) -> bool {
    answer.parse::<usize>().is_ok()
}

fn share(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
}

#[test]
fn the_labelled_cases_are_matched_precisely_and_completely() {
    let cases = cases();
    assert!(cases.len() >= 300, "only {} cases", cases.len());
    let (mut accepted, mut accepted_rightly, mut acceptable, mut right) = (0, 0, 0, 0);
    for case in &cases {
        let answer = answer(case);
        let is_right = answer == case.expected;
        accepted += usize::from(is_index(&answer));
        accepted_rightly += usize::from(is_index(&answer) && is_right);
        acceptable += usize::from(is_index(&case.expected));
        right += usize::from(is_right);
        if !is_right {
            let Suggestion { artist, title, .. } = &case.suggestion;
            println!("line {}: {artist} - {title}: expected {}, got {answer}", case.line, case.expected);
        }
    }
    let (precision, recall) = (share(accepted_rightly, accepted), share(accepted_rightly, acceptable));
    let accuracy = share(right, cases.len());
    println!("{} cases: precision {precision:.3}, recall {recall:.3}, accuracy {accuracy:.3}", cases.len());
    assert!(precision >= 0.99, "precision {precision:.3}");
    assert!(recall >= 0.95, "recall {recall:.3}");
    assert!(accuracy >= 0.95, "accuracy {accuracy:.3}");
}

#[test]
fn the_order_of_the_candidates_makes_no_difference() {
    for case in cases() {
        let mut reversed = case.candidates.clone();
        reversed.reverse();
        let chosen = |candidates: &[CatalogueTrack]| -> Result<TrackUri, MissReason> {
            best_match(&case.suggestion, candidates, &case.constraints).map(|scored| scored.track.uri.clone())
        };
        assert_eq!(chosen(&case.candidates), chosen(&reversed), "line {}", case.line);
    }
}

#[test]
fn a_reason_is_named_alike_everywhere() {
    for reason in [
        MissReason::NotFound,
        MissReason::LowScore,
        MissReason::Duplicate,
        MissReason::Explicit,
        MissReason::Excluded,
        MissReason::LookupFailed,
    ] {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}
