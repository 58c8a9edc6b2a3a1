//! Judges suggestions and candidates from real data (`tests/real_cases.tsv`), counted by group.
//!
//! precision = right / (right + wrong); strict counts another recording by the same artist as wrong, too;
//! recall = right / (right + missed), of the cases whose candidates hold a right one.

use std::collections::BTreeMap;

use super::{Constraints, WantedVersions, best_match};
use crate::track::{CatalogueTrack, Suggestion, TrackUri};

const CASES: &str = include_str!("../../tests/real_cases.tsv");

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    cases: u32,
    right: u32,
    substitutes: u32,
    wrong: u32,
    missed: u32,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.right += other.right;
        self.substitutes += other.substitutes;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    fn precision(self) -> f64 {
        share(self.right, self.wrong)
    }

    fn strict(self) -> f64 {
        share(self.right, self.wrong + self.substitutes)
    }

    fn recall(self) -> f64 {
        share(self.right, self.missed)
    }

    /// Returns the share of the cases in which a wrong candidate was accepted.
    fn accepted_wrongly(self) -> f64 {
        f64::from(self.wrong + self.substitutes) / f64::from(self.cases)
    }
}

fn share(right: u32, not: u32) -> f64 {
    if right + not == 0 {
        1.0
    } else {
        f64::from(right) / f64::from(right + not)
    }
}

fn candidate((text, index): (&str, usize)) -> (String, CatalogueTrack) {
    let fields: Vec<&str> = text.split('|').collect();
    let [label, title, artists, album, year, flags @ ..] = fields.as_slice() else {
        panic!("candidate {text}")
    };
    let track = CatalogueTrack {
        uri: TrackUri::parse(&format!("spotify:track:{index:022}")).unwrap(),
        title: (*title).to_owned(),
        artists: artists.split(';').map(str::to_owned).collect(),
        album: (*album).to_owned(),
        release_year: year.parse().ok(),
        duration_ms: 200_000,
        explicit: flags.contains(&"E"),
        is_playable: true,
        isrc: None,
        image_url: None,
    };
    ((*label).to_owned(), track)
}

/// Judges one case; describes the result if it is not right.
fn judge(line: &str) -> (&str, Counts, Option<String>) {
    let columns: Vec<&str> = line.split('\t').collect();
    let [group, artist, title, year, candidates @ ..] = columns.as_slice() else {
        panic!("{line}")
    };
    let (labels, tracks): (Vec<_>, Vec<_>) =
        candidates.iter().copied().zip(0..).map(candidate).unzip();
    let suggestion = Suggestion {
        artist: (*artist).to_owned(),
        title: (*title).to_owned(),
        year: year.parse().ok(),
    };
    let allowed = Constraints::new(true, None, &[], WantedVersions::default());
    let found = best_match(&suggestion, &tracks, &allowed).ok();
    let chosen = found.and_then(|found| tracks.iter().position(|track| track == found.track));
    let is_findable = labels.iter().any(|label| label == "R");
    let mut counts = Counts {
        cases: 1,
        ..Counts::default()
    };
    let count = match chosen.map_or("", |at| labels[at].as_str()) {
        "R" => &mut counts.right,
        "S" => &mut counts.substitutes,
        "" if is_findable => &mut counts.missed,
        "" | "E" | "T" | "?" => return (group, counts, None),
        _ => &mut counts.wrong,
    };
    *count += 1;
    let is_right = counts.right == 1;
    let chosen = chosen.map_or("none", |at| candidates[at]);
    (
        group,
        counts,
        (!is_right).then(|| format!("{group}: {artist} - {title}: {chosen}")),
    )
}

fn groups() -> BTreeMap<&'static str, Counts> {
    let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
    for line in CASES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (group, counts, confusion) = judge(line);
        groups.entry(group).or_default().add(counts);
        confusion
            .into_iter()
            .for_each(|confusion| println!("{confusion}"));
    }
    groups
}

#[test]
fn finds_the_meant_recording_in_real_results() {
    let groups = groups();
    for (group, counts) in &groups {
        println!("{group}: {counts:?}");
    }
    let of = |kind: &str| {
        let mut all = Counts::default();
        groups
            .iter()
            .filter(|(group, _)| group.starts_with(kind))
            .for_each(|(_, counts)| all.add(*counts));
        all
    };
    let cases: u32 = groups.values().map(|counts| counts.cases).sum();
    assert!(cases >= 900, "only {cases} cases");
    let lists = of("list: ");
    assert!(
        lists.precision() >= 0.9985 && lists.strict() >= 0.998 && lists.recall() >= 0.994,
        "{lists:?}"
    );
    let distorted = of("distorted: ");
    assert!(
        distorted.precision() >= 1.0 && distorted.recall() >= 0.97,
        "{distorted:?}"
    );
    for kind in ["traps only: ", "substitutes only: "] {
        assert!(of(kind).accepted_wrongly() <= 0.03, "{kind}{:?}", of(kind));
    }
    let beside = of("trap and right one: ");
    assert!(
        beside.precision() >= 0.999 && beside.recall() >= 0.999,
        "{beside:?}"
    );
    assert_eq!(of("invented: ").wrong, 0);
    let reported = of("reported elsewhere");
    assert!(
        reported.wrong + reported.substitutes == 0 && reported.missed <= 1,
        "{reported:?}"
    );
    // These cases were chosen because they are hard, so they are not a representative sample.
    let hard = of("hard: ");
    assert!(
        hard.precision() >= 0.97 && hard.recall() >= 0.93,
        "{hard:?}"
    );
}
