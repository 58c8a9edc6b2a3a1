//! How alike two normalised names are, from 0 to 1.

use super::{markers::has_phrase, normalise::compact, script};

/// Says how alike two artists' names are; the order of their words is free.
pub(super) fn artist_similarity(a: &str, b: &str) -> f64 {
    let (a, b) = script::common(a, b);
    if a == b {
        return 1.0;
    }
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    if compact(&a) == compact(&b) || sorted(&a) == sorted(&b) {
        return 0.99;
    }
    if adds_middle_name(&a, &b) || adds_middle_name(&b, &a) || same_pair(&a, &b) {
        return 0.9;
    }
    // A short name leaves little room for a slip: in "Dido" and "Dio" one letter is another artist.
    let longest = a.chars().count().max(b.chars().count());
    let spelling = strict(edit_ratio(&a, &b), if longest < 6 { 1.5 } else { 1.0 });
    if another_surname(&a, &b) { spelling.min(0.7) } else { spelling }
}

/// "Sasha Alex Sloan" is Sasha Sloan.
fn adds_middle_name(short: &str, long: &str) -> bool {
    let (short, long): (Vec<&str>, Vec<&str>) = (short.split(' ').collect(), long.split(' ').collect());
    matches!((short.as_slice(), long.as_slice()), ([a, b], [c, _, d]) if a == c && b == d)
}

/// "Daryl Hall and John Oates" are Hall and Oates.
fn same_pair(a: &str, b: &str) -> bool {
    let same = |a: &str, b: &str| match (a.rsplit_once(' '), b.rsplit_once(' ')) {
        (Some((_, surname)), None) => surname == b,
        (None, Some((_, surname))) => surname == a,
        _ => a == b,
    };
    let pairs = a.split_once(" and ").zip(b.split_once(" and "));
    pairs.is_some_and(|((a, b), (c, d))| same(a, c) && same(b, d))
}

/// Whether names of as many words differ in the whole last one: Kate Nash is not Kate Bush.
///
/// First names are written in more ways: Pyotr, Piotr and Peter Ilyich Tchaikovsky are one.
fn another_surname(a: &str, b: &str) -> bool {
    let surnames = a.rsplit_once(' ').zip(b.rsplit_once(' '));
    a.split(' ').count() == b.split(' ').count()
        && surnames.is_some_and(|((_, a), (_, b))| edit_ratio(a, b) < 0.6)
}

/// Says how alike two titles are, word by word.
///
/// A misspelled word is forgiven, a different or missing one is not ("Love Me Do" is not "Love Me
/// Too"), and a different number never is ("Part 1", "Part 2").
pub(super) fn title_similarity(a: &str, b: &str) -> f64 {
    let (a, b) = script::common(a, b);
    if a == b {
        return 1.0;
    }
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    if compact(&a) == compact(&b) {
        return 0.99;
    }
    let left = without_catalogue_numbers(&a, &b);
    let right = without_catalogue_numbers(&b, &a);
    let (a, b) = (left.join(" "), right.join(" "));
    if a == b {
        return 0.99;
    }
    let (left_numbers, right_numbers) = (numbers(&left), numbers(&right));
    let one_side_only = left_numbers.is_empty() || right_numbers.is_empty();
    if left_numbers != right_numbers && !one_side_only {
        return 0.3;
    }
    let longest = a.chars().count().max(b.chars().count());
    let spelling = strict(edit_ratio(&a, &b), if longest < 6 { 2.0 } else { 1.5 });
    match missing_words(&left, &right).max(missing_words(&right, &left)) {
        Missing::Nothing => spelling,
        Missing::Particles => spelling.min(0.9),
        Missing::Words if is_opening(&left, &right) || is_opening(&right, &left) => 0.8,
        Missing::Words => spelling.min(0.6),
    }
}

/// A title's words in one spelling, without the catalogue numbers that the other title does not mention.
fn without_catalogue_numbers<'a>(title: &'a str, other: &str) -> Vec<&'a str> {
    let is_catalogue =
        |word: &str| matches!(word, "op" | "bwv" | "rv" | "kv" | "hwv" | "woo") && !has_phrase(other, word);
    let (mut words, mut rest) = (Vec::new(), title.split(' ').peekable());
    while let Some(word) = rest.next() {
        let numbered = rest.peek().is_some_and(|next| next.chars().all(char::is_numeric));
        if numbered && is_catalogue(word) {
            rest.next();
        } else {
            words.push(respelled(word));
        }
    }
    words
}

/// Words that titles write in more than one way, and numbers written out.
fn respelled(word: &str) -> &str {
    match word {
        "u" => "you",
        "r" => "are",
        "nite" => "night",
        "thru" => "through",
        "luv" => "love",
        "one" => "1",
        "two" => "2",
        "three" => "3",
        "four" => "4",
        "five" => "5",
        "six" => "6",
        "seven" => "7",
        "eight" => "8",
        "nine" => "9",
        "ten" => "10",
        other => other,
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    Nothing,
    Particles,
    Words,
}

/// What of `words` has no counterpart among `others`.
fn missing_words(words: &[&str], others: &[&str]) -> Missing {
    words
        .iter()
        .enumerate()
        .filter(|(at, word)| !nearby(others, *at).iter().any(|other| same_word(word, other)))
        .map(|(_, word)| if is_particle(word) { Missing::Particles } else { Missing::Words })
        .max()
        .unwrap_or(Missing::Nothing)
}

/// The words at about the same position: a title's words keep their order, and comparing each with
/// each would cost a square.
fn nearby<'a, 'b>(words: &'b [&'a str], at: usize) -> &'b [&'a str] {
    const REACH: usize = 4;
    words.get(at.saturating_sub(REACH)..words.len().min(at + REACH + 1)).unwrap_or_default()
}

fn same_word(a: &str, b: &str) -> bool {
    let length = a.chars().count().max(b.chars().count());
    let enough = if length >= 5 { 0.6 } else { 0.75 };
    a == b || (length >= 3 && edit_ratio(a, b) >= enough)
}

/// Whether a title is the other's opening words: "Killing Me Softly" of "… with His Song".
fn is_opening(short: &[&str], long: &[&str]) -> bool {
    let letters = |words: &[&str]| words.iter().map(|w| w.chars().count()).sum::<usize>();
    short.len() >= 3 && long.starts_with(short) && letters(short) * 2 >= letters(long)
}

fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "the" | "a" | "an" | "and" | "of" | "to" | "i" | "w" | "z" | "na" | "la" | "le" | "el" | "oh" | "o"
    )
}

fn numbers<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let roman = |w: &str| matches!(w, "ii" | "iii" | "iv" | "vi" | "vii" | "viii" | "ix");
    let mut found: Vec<&str> =
        words.iter().copied().filter(|w| w.chars().all(char::is_numeric) || roman(w)).collect();
    found.sort_unstable();
    found
}

fn sorted(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split(' ').collect();
    words.sort_unstable();
    words
}

/// Counts every difference `severity` times: "Możliwe" and "Niemożliwe" share seven letters of ten.
fn strict(ratio: f64, severity: f64) -> f64 {
    (1.0 - severity * (1.0 - ratio)).max(0.0)
}

/// One minus the share of characters to be changed; 0 where that is more than two fifths, which
/// nothing here accepts.
fn edit_ratio(a: &str, b: &str) -> f64 {
    let a: Vec<char> = a.chars().take(super::normalise::MAX_CHARS).collect();
    let b: Vec<char> = b.chars().take(super::normalise::MAX_CHARS).collect();
    let longest = a.len().max(b.len());
    let distance = distance(without_common_ends(&a, &b), longest * 2 / 5);
    match (distance, u32::try_from(longest)) {
        (Some(distance), Ok(longest)) if longest > 0 => 1.0 - f64::from(distance) / f64::from(longest),
        _ => 0.0,
    }
}

fn without_common_ends<'a>(a: &'a [char], b: &'a [char]) -> (&'a [char], &'a [char]) {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    (a.get(..a.len() - end).unwrap_or_default(), b.get(..b.len() - end).unwrap_or_default())
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other,
/// unless there are more than `limit`.
///
/// Optimal string alignment by rows, left as soon as a whole row is beyond the limit.
fn distance((a, b): (&[char], &[char]), limit: usize) -> Option<u32> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let limit = u32::try_from(limit).ok()?;
    let mut before_last: Vec<u32> = Vec::new();
    let mut last: Vec<u32> = (0..).take(b.len() + 1).collect();
    let mut previous_a = None;
    for (row, &x) in (1u32..).zip(a) {
        let mut current = Vec::with_capacity(b.len() + 1);
        current.push(row);
        let (mut left, mut previous_b) = (row, None);
        for (column, (&y, costs)) in b.iter().zip(last.windows(2)).enumerate() {
            let &[diagonal, above] = costs else { return None };
            let mut cost = (diagonal + u32::from(x != y)).min(above + 1).min(left + 1);
            if previous_a == Some(y) && previous_b == Some(x) {
                let swapped = column.checked_sub(1).and_then(|column| before_last.get(column));
                cost = swapped.map_or(cost, |swapped| cost.min(swapped + 1));
            }
            current.push(cost);
            (left, previous_b) = (cost, Some(y));
        }
        if current.iter().all(|&cost| cost > limit) {
            return None;
        }
        previous_a = Some(x);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().filter(|&cost| cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(a: &str, b: &str) -> Option<u32> {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        distance((&a, &b), 10)
    }

    #[test]
    fn a_swap_of_neighbours_is_one_edit() {
        assert_eq!(edits("abcd", "acbd"), Some(1));
        assert_eq!(edits("ab", "ba"), Some(1));
        assert_eq!(edits("kitten", "sitting"), Some(3));
        assert_eq!(edits("", "abc"), Some(3));
        assert_eq!(edits("same", "same"), Some(0));
    }

    #[test]
    fn similarity_is_symmetric() {
        for (a, b) in [
            ("love me do", "love me too"),
            ("killing me softly", "killing me softly with his song"),
            ("a", ""),
            ("группа крови", "gruppa krovi"),
        ] {
            assert!((title_similarity(a, b) - title_similarity(b, a)).abs() < 1e-12);
            assert!((artist_similarity(a, b) - artist_similarity(b, a)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_misspelled_word_is_forgiven_and_another_word_is_not() {
        assert!(title_similarity("bohemian rapsody", "bohemian rhapsody") > 0.9);
        assert!(title_similarity("love me do", "love me too") < 0.7);
        assert!(title_similarity("in my life", "in my place") < 0.7);
        assert!(title_similarity("hello", "hello goodbye") < 0.7);
        assert!(title_similarity("mozliwe", "niemozliwe") < 0.7);
    }

    #[test]
    fn another_number_is_another_song() {
        assert!(title_similarity("symphony no 5", "symphony no 6") < 0.7);
        assert!(title_similarity("wall part ii", "wall part iii") < 0.7);
    }

    #[test]
    fn short_artist_names_must_be_exact() {
        assert!(artist_similarity("dido", "dio") < 0.75);
        assert!(artist_similarity("kills", "killers") < 0.75);
        assert!(artist_similarity("radiohed", "radiohead") > 0.85);
        assert!(artist_similarity("podsiadlo dawid", "dawid podsiadlo") > 0.95);
        assert!(artist_similarity("r e m", "rem") > 0.95);
    }

    #[test]
    fn a_first_name_does_not_make_the_artist() {
        assert!(artist_similarity("peter ilyich tchaikovsky", "pyotr ilyich tchaikovsky") > 0.8);
        assert!(artist_similarity("kate nash", "kate bush") < 0.75);
        assert!(artist_similarity("lynrd skynrd", "lynyrd skynyrd") > 0.8);
        assert!(artist_similarity("sasha sloan", "sasha alex sloan") > 0.85);
        assert!(artist_similarity("hall and oates", "daryl hall and john oates") > 0.85);
    }

    #[test]
    fn numbers_written_out_and_catalogue_numbers_do_not_make_another_song() {
        assert!(title_similarity("nine to five", "9 to 5") > 0.9);
        assert!(title_similarity("are you mine", "r u mine") > 0.9);
        assert!(title_similarity("take five", "take one") < 0.7);
        assert!(title_similarity("symphony no 5 i allegro", "symphony no 5 op 67 i allegro") > 0.9);
        assert!(title_similarity("nocturne op 9 no 2", "nocturne op 9 no 1") < 0.7);
        assert!(title_similarity("nocturne op 9", "nocturne op 27") < 0.7);
    }

    #[test]
    fn cyrillic_meets_its_latin_transliteration() {
        assert!(title_similarity("группа крови", "gruppa krovi") > 0.95);
        assert!(artist_similarity("кино", "kino") > 0.95);
        assert!(title_similarity("експонат", "exponat") > 0.95);
        assert!(title_similarity("ђурђевдан", "durdevdan") > 0.95);
    }

    #[test]
    fn greek_meets_its_latin_transliteration() {
        assert!(artist_similarity("χαρισ αλεξιου", "haris alexiou") > 0.95);
        assert!(title_similarity("ολα σε θυμιζουν", "ola se thimizoun") > 0.95);
    }
}
