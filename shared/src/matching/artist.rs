//! Artists' names: credits taken apart and compared.

use super::{
    markers::unmistakable,
    normalise::{compact, normalise, words},
    similarity::artist_similarity,
    version::{Version, Versions},
};

/// What a credit shared by several artists may cost: "Queen & David Bowie" against "Queen".
const PART_OF_CREDIT: f64 = 0.95;

/// What it costs to fit by the second of the suggested artists alone: "Puff Daddy & Faith Evans" for
/// Diddy with Faith Evans. Only a title without any doubt makes up for it.
const SECOND_OF_CREDIT: f64 = 0.76;

/// What it costs to be credited by surname alone: "Niemen" for Czesław Niemen.
const SURNAME_ALONE: f64 = 0.85;
/// Shorter surnames are too often another artist's whole name.
const MIN_SURNAME_CHARS: usize = 5;

/// The artists in "Queen & David Bowie feat. Someone": the whole name first, then each.
pub(super) fn credits(name: &str) -> Vec<String> {
    let mut names = vec![normalise(name)];
    let spelled = name.replace([',', ';', '/'], " & ").replace(" x ", " & ").replace(" X ", " & ");
    let words = words(&spelled);
    let is_joint = |word: &String| {
        matches!(word.as_str(), "and" | "feat" | "ft" | "featuring" | "with" | "vs" | "i" | "oraz")
    };
    for part in words.split(is_joint) {
        let part = normalise(&part.join(" "));
        if !part.is_empty() && !names.contains(&part) {
            names.push(part);
        }
    }
    names
}

/// Says whether two normalised names are the same artist's, in one script and spelling.
pub(super) fn same_artist(a: &str, b: &str) -> bool {
    a == b || compact(a) == compact(b)
}

/// Says how well the suggested artist, as [`credits`] takes it apart, fits the best credited one.
pub(super) fn best_similarity(suggested: &[String], credited: &[String], featured: &[String]) -> f64 {
    let whole = suggested.first().map_or("", String::as_str);
    let names: Vec<String> = credited.iter().map(|name| normalise(name)).collect();
    let mut best = artist_similarity(whole, &normalise(&credited.join(" and ")));
    let surname = match whole.split(' ').collect::<Vec<_>>().as_slice() {
        [_, surname] if surname.chars().count() >= MIN_SURNAME_CHARS => Some(*surname),
        _ => None,
    };
    for name in names.iter().chain(featured) {
        if surname == Some(name) {
            best = best.max(SURNAME_ALONE);
        }
        best = best.max(artist_similarity(whole, name));
        // The first part is the primary artist; a guest alone does not make it the same song.
        if let Some(primary) = suggested.get(1) {
            best = best.max(PART_OF_CREDIT * artist_similarity(primary, name));
        }
        // One word of a longer name is no artist: "Fire" of "Earth, Wind & Fire".
        if suggested.iter().skip(2).any(|second| second.contains(' ') && same_artist(second, name)) {
            best = best.max(SECOND_OF_CREDIT);
        }
    }
    // "Simon & Garfunkel" may be credited in one string to which the suggestion names one part.
    for credit in credited {
        // "Yusuf / Cat Stevens" is known by either name.
        let names = if credit.contains(" / ") { usize::MAX } else { 1 };
        for part in credits(credit).iter().skip(1).take(names) {
            best = best.max(PART_OF_CREDIT * artist_similarity(whole, part));
        }
    }
    best
}

/// The versions that a performer's name gives away: "Karaoke All Hits", "A Tribute Band".
pub(super) fn versions_of_performers(artists: &[String]) -> Versions {
    artists
        .iter()
        .map(|artist| {
            let words = words(artist);
            let tribute = words.iter().any(|word| word == "tribute").then_some(Version::Tribute);
            unmistakable(&words).union(tribute.into_iter().collect())
        })
        .fold(Versions::default(), Versions::union)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(suggested: &str, credited: &[&str]) -> f64 {
        let credited: Vec<String> = credited.iter().map(|&name| name.to_owned()).collect();
        best_similarity(&credits(suggested), &credited, &[])
    }

    #[test]
    fn one_of_several_credited_artists_is_enough() {
        assert!(similarity("Queen & David Bowie", &["Queen", "David Bowie"]) > 0.98);
        assert!(similarity("Queen feat. David Bowie", &["Queen"]) > 0.9);
        assert!(similarity("Rihanna", &["Calvin Harris", "Rihanna"]) > 0.98);
        assert!(similarity("Florence + The Machine", &["Florence & The Machine"]) > 0.98);
        assert!(similarity("Cat Stevens", &["Yusuf / Cat Stevens"]) > 0.9);
        assert!(similarity("Puff Daddy & Faith Evans", &["Diddy", "Faith Evans"]) > 0.75);
        assert!(similarity("Earth, Wind & Fire", &["Fire"]) < 0.75);
    }

    #[test]
    fn a_namesake_by_one_word_is_someone_else() {
        assert!(similarity("Drake", &["Nick Drake"]) < 0.75);
        assert!(similarity("Queen", &["Queens of the Stone Age"]) < 0.75);
        assert!(similarity("The Kills", &["The Killers"]) < 0.75);
    }
}
