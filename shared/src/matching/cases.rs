//! Judges and counts the labelled cases of `tests/matching_cases.tsv`.
//!
//! A label states the correct result for a user, independently of the code. Each case is counted by the track that it
//! delivers:
//! - true positive: the expected candidate is accepted;
//! - false positive: a candidate is accepted that is not the expected one, or where a miss is expected;
//! - false negative: a candidate is expected, and none or another is accepted (which makes the case a false positive too);
//! - true negative: a miss is expected and none is accepted, for any reason. A reason other than the labelled one
//!   changes neither precision nor recall, but the case is not right.
//!
//! Cases that are known to be wrong are marked, and count against precision and recall, too. An unmarked case that
//! is wrong fails the test, and so does a marked one that has become right, so their number changes only
//! deliberately.

use super::{
    Constraints, MATCHER_VERSION, MissReason, Scored, WantedVersions, best_match, candidates_of,
    field_query, free_query,
};
use crate::track::{CatalogueTrack, Era, Suggestion, TrackUri};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CASES: &str = include_str!("../../tests/matching_cases.tsv");

struct Case {
    line: usize,
    /// The accepted candidate's index, or the reason of the miss by its name.
    expected: String,
    known_wrong: bool,
    suggestion: Suggestion,
    constraints: Constraints,
    candidates: Vec<CatalogueTrack>,
}

fn cases() -> Vec<Case> {
    let lines = (1..)
        .zip(CASES.lines())
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(line, text)| case(line, text)).collect()
}

fn case(line: usize, text: &str) -> Case {
    let columns: Vec<&str> = text.split('\t').collect();
    let [expected, artist, title, year, conditions, candidates @ ..] = columns.as_slice() else {
        panic!("line {line}: too few columns");
    };
    let label = expected.strip_prefix('!');
    let year = (!year.is_empty()).then(|| year.parse().unwrap());
    Case {
        line,
        expected: label.unwrap_or(expected).to_owned(),
        known_wrong: label.is_some(),
        suggestion: Suggestion {
            artist: (*artist).to_owned(),
            title: (*title).to_owned(),
            year,
        },
        constraints: constraints(conditions),
        candidates: (0..)
            .zip(candidates)
            .map(|(index, text)| candidate(index, text))
            .collect(),
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
                era = Some(Era {
                    from: from.parse().ok(),
                    to: to.parse().ok(),
                });
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
    let [title, artists, album, year, flags @ ..] = fields.as_slice() else {
        panic!("candidate {text}")
    };
    let flags = flags.concat();
    let uri = TrackUri::parse(&format!("spotify:track:{index:022}")).unwrap();
    CatalogueTrack {
        artists: artists.split(';').map(str::to_owned).collect(),
        album: (*album).to_owned(),
        release_year: (!year.is_empty()).then(|| year.parse().unwrap()),
        explicit: flags.contains('E'),
        is_playable: !flags.contains('U'),
        ..CatalogueTrack::new(uri, "", title)
    }
}

fn answer(case: &Case) -> String {
    match best_match(&case.suggestion, &case.candidates, &case.constraints) {
        Ok(Scored { track, .. }) => case
            .candidates
            .iter()
            .position(|c| c.uri == track.uri)
            .unwrap()
            .to_string(),
        Err(reason) => reason.as_str().to_owned(),
    }
}

fn is_index(answer: &str) -> bool {
    answer.parse::<usize>().is_ok()
}

#[derive(Default)]
struct Counts {
    true_positives: u32,
    false_positives: u32,
    false_negatives: u32,
    true_negatives: u32,
    other_reasons: u32,
}

impl Counts {
    fn add(&mut self, expected: &str, answer: &str) {
        let right = expected == answer;
        match (is_index(expected), is_index(answer)) {
            (true, true) if right => self.true_positives += 1,
            (true, true) => {
                self.false_positives += 1;
                self.false_negatives += 1;
            }
            (true, false) => self.false_negatives += 1,
            (false, true) => self.false_positives += 1,
            (false, false) => {
                self.true_negatives += 1;
                self.other_reasons += u32::from(!right);
            }
        }
    }

    fn precision(&self) -> f64 {
        share(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    fn recall(&self) -> f64 {
        share(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }
}

fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole)
}

#[test]
fn labelled_cases_match_their_labels() {
    let cases = cases();
    assert!(cases.len() >= 620, "only {} cases", cases.len());
    let (mut counts, mut right, mut surprises) = (Counts::default(), 0, Vec::new());
    for case in &cases {
        let answer = answer(case);
        let is_right = answer == case.expected;
        counts.add(&case.expected, &answer);
        right += u32::from(is_right);
        if !is_right {
            let Suggestion { artist, title, .. } = &case.suggestion;
            println!(
                "line {}: {artist} - {title}: expected {}, got {answer}",
                case.line, case.expected
            );
        }
        if is_right == case.known_wrong {
            surprises.push(case.line);
        }
    }
    let (precision, recall) = (counts.precision(), counts.recall());
    let accuracy = share(right, u32::try_from(cases.len()).unwrap());
    let Counts {
        true_positives,
        false_positives,
        false_negatives,
        true_negatives,
        other_reasons,
    } = counts;
    println!(
        "{} cases: precision {precision:.4}, recall {recall:.4}, accuracy {accuracy:.4}",
        cases.len()
    );
    println!(
        "accepted: {true_positives} rightly, {false_positives} wrongly; {false_negatives} not found"
    );
    println!("missed: {true_negatives} rightly, {other_reasons} of them for another reason");
    assert!(precision >= 0.99, "precision {precision:.4}");
    assert!(recall >= 0.95, "recall {recall:.4}");
    assert!(accuracy >= 0.95, "accuracy {accuracy:.4}");
    assert!(
        surprises.is_empty(),
        "lines {surprises:?}: right but marked wrong, or wrong and not marked"
    );
}

#[test]
fn order_of_candidates_does_not_matter() {
    for case in cases() {
        let mut reversed = case.candidates.clone();
        reversed.reverse();
        let chosen = |candidates: &[CatalogueTrack]| -> Result<TrackUri, MissReason> {
            best_match(&case.suggestion, candidates, &case.constraints)
                .map(|scored| scored.track.uri.clone())
        };
        assert_eq!(
            chosen(&case.candidates),
            chosen(&reversed),
            "line {}",
            case.line
        );
    }
}

#[test]
fn miss_reasons_serialise_to_their_names() {
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

/// Hashes the queries and the remembered candidates of all cases.
fn digest() -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for Case {
        suggestion,
        candidates,
        ..
    } in cases()
    {
        add(&field_query(&suggestion));
        add(&free_query(&suggestion));
        candidates_of(&suggestion, candidates)
            .iter()
            .for_each(|track| add(track.uri.as_str()));
    }
    digest
}

#[test]
fn queries_and_remembered_candidates_change_only_with_the_version() {
    // After a change of the labelled cases alone, only the number is replaced.
    assert_eq!((MATCHER_VERSION, digest()), (2, 16_786_818_326_430_390_774));
}

#[test]
fn remembered_candidates_decide_the_labelled_cases_alike() {
    let conditions: Vec<Constraints> = cases().into_iter().map(|case| case.constraints).collect();
    for (
        at,
        Case {
            line,
            suggestion,
            candidates,
            ..
        },
    ) in cases().into_iter().enumerate()
    {
        let kept = candidates_of(&suggestion, candidates.clone());
        // The conditions of the case, and those of other users.
        for constraints in conditions.iter().cycle().skip(at).step_by(97).take(9) {
            let fresh = best_match(&suggestion, &candidates, constraints);
            match best_match(&suggestion, &kept, constraints) {
                Err(MissReason::NotFound) => assert!(fresh.is_err(), "line {line}"),
                remembered => assert_eq!(remembered, fresh, "line {line}"),
            }
        }
    }
}
