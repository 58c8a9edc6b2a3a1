//! How long it takes to judge real suggestions, each with as many candidates as Spotify returns at once.

fn main() {
    #[cfg(not(target_arch = "wasm32"))]
    divan::main();
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use divan::{Bencher, black_box, counter::ItemsCount};
    use shared::matching::{Constraints, WantedVersions, best_match, rank};
    use shared::track::{CatalogueTrack, Suggestion, TrackUri};

    const CASES: &str = include_str!("../tests/real_cases.tsv");

    const CANDIDATES: usize = 10;

    /// A suggestion and its candidates; the columns are described in the file.
    fn case(line: &str) -> Option<(Suggestion, Vec<CatalogueTrack>)> {
        let mut columns = line.split('\t').skip(1);
        let (artist, title) = (columns.next()?.to_owned(), columns.next()?.to_owned());
        let year = columns.next()?.parse().ok();
        let candidates = columns.zip(0..).filter_map(candidate).collect();
        Some((
            Suggestion {
                artist,
                title,
                year,
            },
            candidates,
        ))
    }

    fn candidate((text, index): (&str, u32)) -> Option<CatalogueTrack> {
        let mut fields = text.split('|').skip(1);
        let uri = TrackUri::parse(&format!("spotify:track:{index:022}")).ok()?;
        let title = fields.next()?;
        Some(CatalogueTrack {
            artists: fields.next()?.split(';').map(str::to_owned).collect(),
            album: fields.next()?.to_owned(),
            release_year: fields.next()?.parse().ok(),
            ..CatalogueTrack::new(uri, "", title)
        })
    }

    fn of_each(bencher: Bencher, judge: impl Fn(&Suggestion, &[CatalogueTrack]) -> bool) {
        let lines = CASES
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let cases: Vec<_> = lines
            .filter_map(case)
            .filter(|(_, candidates)| candidates.len() == CANDIDATES)
            .collect();
        assert!(cases.len() >= 100, "{} cases", cases.len());
        bencher
            .counter(ItemsCount::new(cases.len()))
            .bench_local(|| {
                cases
                    .iter()
                    .filter(|(suggestion, candidates)| black_box(judge(suggestion, candidates)))
                    .count()
            });
    }

    /// As ai-playlist chooses a track.
    #[divan::bench]
    fn best(bencher: Bencher) {
        let constraints = Constraints::new(true, None, &[], WantedVersions::default());
        of_each(bencher, |suggestion, candidates| {
            best_match(suggestion, candidates, &constraints).is_ok()
        });
    }

    /// As spotify-search sorts its tracks.
    #[divan::bench]
    fn ranked(bencher: Bencher) {
        of_each(bencher, |suggestion, candidates| {
            rank(suggestion, candidates).is_empty()
        });
    }
}
