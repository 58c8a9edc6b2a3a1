//! Compares pieces of classical music: the catalogue adds keys, numbers and nicknames to their titles.

use super::{
    fold::Word, lexicon::lexicon, senses::Senses, similarity::is_spelled_alike, title::Title,
};

/// What a title, or a part of it, says of a piece.
#[derive(Default)]
struct Said {
    /// The words of the name.
    name: Vec<Word>,
    /// Kinds and values: a catalogue's id with the number in it, or one of the following kinds.
    facts: Vec<(u32, u32)>,
}

/// The note, the accidental and the mode: "C-Sharp Minor".
const KEY: u32 = 0;
/// A number after "No.".
const NUMBER: u32 = 1;
/// A number in an opus: "Op. 9 No. 2".
const IN_OPUS: u32 = 2;
/// A number alone, such as a movement's.
const NUMERAL: u32 = 3;

impl Said {
    fn by(mut words: &[Word]) -> Self {
        let (mut said, mut of_number) = (Self::default(), NUMBER);
        while let [word, after @ ..] = words {
            words = after;
            let kind_of_number = std::mem::replace(&mut of_number, NUMBER);
            let kind = if word.senses.has(Senses::CATALOGUE) {
                word.id
            } else {
                kind_of_number
            };
            let is_kind = word.senses.has(Senses::CATALOGUE.union(Senses::COUNT));
            if let Some(number) = after.first().filter(|next| is_kind && is_number(next)) {
                said.facts.push((kind, value(number)));
                words = after.get(1..).unwrap_or_default();
                of_number = if kind > NUMERAL { IN_OPUS } else { NUMBER };
            } else if let Some((key, rest)) = after
                .split_at_checked(key_length(word, after))
                .filter(|(key, _)| !key.is_empty())
            {
                let key = key
                    .iter()
                    .fold(word.id, |key, word| key.rotate_left(1) ^ word.id);
                said.facts.push((KEY, key));
                words = rest;
            } else if is_number(word) {
                said.facts.push((NUMERAL, value(word)));
            } else if !word.senses.has(Senses::PARTICLE.union(Senses::COMPOSER)) {
                said.name.push(*word);
            }
        }
        said
    }
}

/// Returns how many words after a note name its key: "E minor", "C-Sharp Minor".
fn key_length(note: &Word, after: &[Word]) -> usize {
    let mode = after
        .iter()
        .take(2)
        .position(|word| word.senses.has(Senses::MODE));
    mode.filter(|_| note.length == 1).map_or(0, |at| at + 1)
}

fn is_number(word: &Word) -> bool {
    word.is_number_like() || word.length == 1 && lexicon().number(word).is_some()
}

/// Returns the same value for "2", "two" and "II".
fn value(word: &Word) -> u32 {
    lexicon().number(word).map_or(word.id, u32::from)
}

/// Returns the words without a leading count: "3 Gymnopédies".
fn uncounted(words: &[Word]) -> &[Word] {
    match words {
        [count, rest @ ..] if count.senses.has(Senses::DIGITS) => rest,
        _ => words,
    }
}

/// Returns whether `found` is the wanted piece, or the wanted movement of it. Without a movement, the first one is
/// wanted.
pub(super) fn is_same_piece(wanted: &Title, found: &Title) -> bool {
    let (of_work, of_movement) = found.halves();
    let (work, movement) = (Said::by(uncounted(of_work)), Said::by(of_movement));
    let facts = || work.facts.iter().chain(&movement.facts);
    let number = movement
        .facts
        .iter()
        .find(|(kind, _)| matches!(*kind, NUMBER | NUMERAL));
    if number.is_none() && facts().all(|(kind, _)| matches!(*kind, NUMBER..=NUMERAL)) {
        return false;
    }
    let sought = Said::by(uncounted(wanted.all_words()));
    let (mine, theirs) = (wanted.full(), found.full());
    let alike =
        |own: &Word, word: &Word| own.id == word.id || is_spelled_alike(mine, own, theirs, word);
    let is_sought = |word: &Word| sought.name.iter().any(|own| alike(own, word));
    let is_in = |own: &Word, said: &Said| said.name.iter().any(|word| alike(own, word));
    let nickname = found.nickname();
    let is_nicknamed = !nickname.is_empty() && nickname.iter().all(is_sought);
    let names_movement = sought
        .name
        .iter()
        .any(|own| is_in(own, &movement) && !is_in(own, &work));
    let has_numeral = |said: &Said| said.facts.iter().any(|(kind, _)| *kind == NUMERAL);
    let mut is_identified = is_nicknamed || names_movement;
    for (kind, value) in &sought.facts {
        let has = |kind| facts().any(|fact| *fact == (kind, *value));
        let agrees = match *kind {
            NUMBER => has(NUMBER),
            IN_OPUS => has(IN_OPUS) || has(NUMBER),
            NUMERAL => has(NUMERAL) || names_movement && !has_numeral(&movement),
            kind => has(kind) || facts().all(|(own, _)| *own != kind),
        };
        if !agrees {
            return false;
        }
        is_identified |= *kind != NUMERAL && facts().any(|(_, own)| own == value);
    }
    let is_numbered = number.is_some_and(|(kind, value)| {
        let of_kind =
            |(own, number): &(u32, u32)| number == value && (own == kind || *own == IN_OPUS);
        sought.facts.iter().any(of_kind)
            || (*kind, *value) == (NUMERAL, 1) && !names_movement && !has_numeral(&sought)
    });
    is_identified
        && !sought.name.is_empty()
        && (of_movement.is_empty() || is_numbered || names_movement)
        && (is_numbered || movement.name.iter().all(is_sought))
        && (is_nicknamed
            || names_movement
            || work
                .name
                .iter()
                .all(|word| is_sought(word) || nickname.iter().any(|own| own.id == word.id)))
        && sought
            .name
            .iter()
            .all(|own| is_in(own, &work) || is_in(own, &movement))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(wanted: &str, found: &str) -> bool {
        is_same_piece(&Title::parse(wanted), &Title::parse(found))
    }

    #[test]
    fn finds_the_piece_that_the_catalogue_describes_at_length() {
        for (wanted, found) in [
            (
                "Symphony No. 5: I. Allegro con brio",
                "Symphony No. 5 in C Minor, Op. 67: I. Allegro con brio",
            ),
            (
                "Symphony No. 7, II. Allegretto",
                "Symphony No. 7 in A Major, Op. 92: II. Allegretto",
            ),
            (
                "Nocturne in E-flat major, Op. 9 No. 2",
                "Nocturne No. 2 in E-Flat Major, Op. 9 No. 2",
            ),
            (
                "Nocturne Op. 9 No. 2",
                "Nocturnes, Op. 9: No. 2 in E-Flat Major. Andante",
            ),
            (
                "Prelude in C-sharp minor",
                "Prelude in C-Sharp Minor, Op. 3 No. 2",
            ),
            (
                "Moonlight Sonata",
                r#"Piano Sonata No. 14 in C-Sharp Minor, Op. 27 No. 2 "Moonlight": I. Adagio sostenuto"#,
            ),
            (
                "The Four Seasons: Spring, I. Allegro",
                r#"The Four Seasons, Violin Concerto in E Major, RV 269 "Spring": I. Allegro"#,
            ),
            (
                "Piano Concerto No. 21: II. Andante",
                r#"Piano Concerto No. 21 in C Major, K. 467 "Elvira Madigan": II. Andante"#,
            ),
            (
                "Gymnopédie No. 1",
                "3 Gymnopédies: No. 1, Lent et douloureux",
            ),
            (
                "Requiem: Lacrimosa",
                "Requiem in D Minor, K. 626: Lacrimosa",
            ),
            (
                "Bach: Cello Suite No. 1 in G Major, Prelude",
                "Unaccompanied Cello Suite No. 1 in G Major, BWV 1007: I. Prélude",
            ),
        ] {
            assert!(is_same(wanted, found), "{wanted}");
        }
    }

    #[test]
    fn refuses_another_piece_movement_key_or_number() {
        for (wanted, found) in [
            (
                "Symphony No. 5",
                "Symphony No. 5 in C Minor, Op. 67: II. Andante con moto",
            ),
            (
                "Symphony No. 1",
                "Symphony No. 9 in D Minor, Op. 125: I. Allegro",
            ),
            (
                "Symphony No. 7, II. Allegretto",
                "Symphony No. 8 in F Major, Op. 93: II. Allegretto scherzando",
            ),
            (
                "Nocturne No. 2",
                "Nocturne No. 5 in F-Sharp Major, Op. 15 No. 2",
            ),
            (
                "Nocturne Op. 9 No. 2",
                "Nocturne No. 1 in B-Flat Minor, Op. 9 No. 1",
            ),
            ("Nocturne", "Nocturne No. 2 in E-Flat Major, Op. 9 No. 2"),
            ("Prelude in E minor", "Prelude in E Major, Op. 28 No. 9"),
            (
                "Gymnopédie No. 3",
                "3 Gymnopédies: No. 1, Lent et douloureux",
            ),
            (
                "Requiem: Lacrimosa",
                "Requiem in D Minor, K. 626: Dies irae",
            ),
            (
                "Goldberg Variations: Aria",
                "Goldberg Variations, BWV 988: Aria da Capo",
            ),
            ("Moonlight", "Moonlight Shadow"),
            ("Chapter One", "Chapter 1: The Beginning"),
        ] {
            assert!(!is_same(wanted, found), "{wanted}");
        }
    }
}
