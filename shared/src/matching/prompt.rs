//! Finds the artists that a user names.

use super::{fold::MAX_CHARS, normalise::words};
use crate::words::words;

/// The user's words, prepared for finding artists' names.
#[derive(Debug, Clone)]
pub(super) struct Prompt {
    words: Vec<Word>,
    /// Whether capitals distinguish names from other words: not in "all lower case" nor in "Title Case".
    capitals_tell: bool,
}

#[derive(Debug, Clone)]
struct Word {
    folded: String,
    is_capitalised: bool,
    starts_sentence: bool,
}

words! {include_str!("prompt.txt");
    /// Artists whose names are ordinary words although they are long enough to count as names otherwise.
    AMBIGUOUS_ARTIST_NAMES = "ambiguous-artist-names";
    /// Words after which a name counts, however it is written.
    INTRODUCTIONS = "introductions";
    /// Endings of Polish cases, without diacritics.
    ENDINGS = "polish-endings";
    /// Words between two names of a list.
    LINKS = "links";
    /// Consonants that the endings change: Budka - Budce, Kult - Kulcie, Metallica - Metalliki.
    CHANGES = "changed-consonants";
}

impl Prompt {
    pub(super) fn new(prompt: &str) -> Self {
        let mut found = Vec::new();
        let mut starts_sentence = true;
        for word in prompt.split_whitespace() {
            let is_capitalised = word
                .chars()
                .find(|c| c.is_alphabetic())
                .is_some_and(char::is_uppercase);
            for folded in words(word) {
                found.push(Word {
                    folded,
                    is_capitalised,
                    starts_sentence,
                });
                starts_sentence = false;
            }
            starts_sentence |= word.ends_with(['.', '!', '?', ':', '\n']);
        }
        let capitals = found.iter().filter(|word| word.is_capitalised).count();
        let capitals_tell = capitals > 0 && (found.len() < 4 || capitals * 10 <= found.len() * 7);
        Self {
            words: found,
            capitals_tell,
        }
    }

    /// Returns whether the user names the artist, also with Polish endings ("Kultu", "Podsiadły").
    ///
    /// A name of several words counts wherever they follow one another. A name of a single word counts if it is
    /// capitalised within a sentence. Otherwise it counts only if it is not an ordinary word: at least six letters
    /// and not a known exception ("metallica", but not "air", "yes", "journey"), or introduced ("the band yes"), or
    /// the whole prompt. An artist with two names may be called by the second one, capitalised ("Bowie",
    /// "Podsiadły").
    pub(super) fn names(&self, artist: &str) -> bool {
        let mut name = words(artist);
        if name.len() > 1 && name.first().is_some_and(|word| word == "the") {
            name.remove(0);
        }
        if name.is_empty() || artist.chars().count() > MAX_CHARS {
            return false;
        }
        let whole = self.places(&name).any(|at| self.is_name(at, &name));
        let surname = match name.as_slice() {
            [_, last] if last.chars().count() >= 5 => Some(std::slice::from_ref(last)),
            _ => None,
        };
        whole || surname.is_some_and(|last| self.places(last).any(|at| self.is_capital_within(at)))
    }

    /// Returns the positions at which the name's words, inflected or not, follow one another.
    fn places<'a>(&'a self, name: &'a [String]) -> impl Iterator<Item = usize> + 'a {
        self.words
            .windows(name.len())
            .enumerate()
            .filter(move |(_, window)| {
                window
                    .iter()
                    .zip(name)
                    .all(|(word, own)| is_form_of(&word.folded, own))
            })
            .map(|(at, _)| at)
    }

    fn is_name(&self, at: usize, name: &[String]) -> bool {
        let joined = name.join(" ");
        let is_word_too = AMBIGUOUS_ARTIST_NAMES.contains(&joined);
        let distinctive = !is_word_too && (name.len() > 1 || joined.chars().count() >= 6);
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        let introduced = before.is_some_and(|word| INTRODUCTIONS.contains(word.folded.as_str()));
        let alone = self.words.len() == name.len();
        distinctive
            || introduced
            || alone
            || self.is_capital_within(at)
            || self.opens_list(at, name.len())
    }

    fn is_capital_within(&self, at: usize) -> bool {
        self.capitals_tell
            && self
                .words
                .get(at)
                .is_some_and(|word| word.is_capitalised && !word.starts_sentence)
    }

    /// Returns whether a name begins a list of names, as in "Kult, Dżem …": another capitalised word follows the first
    /// one.
    fn opens_list(&self, at: usize, length: usize) -> bool {
        let word = |at: usize| self.words.get(at);
        let is_link = |word: &Word| LINKS.contains(word.folded.as_str());
        let opens = self.capitals_tell
            && word(at).is_some_and(|word| word.is_capitalised && word.starts_sentence);
        let next = at + length;
        let next = if word(next).is_some_and(is_link) {
            next + 1
        } else {
            next
        };
        opens
            && word(next).is_some_and(|word| {
                word.is_capitalised && word.folded != "please" && word.folded != "i"
            })
    }
}

/// Returns whether the word is the name, one of its Polish cases, or its English genitive.
fn is_form_of(word: &str, name: &str) -> bool {
    if word == name {
        return true;
    }
    if name.chars().count() < 3 || word.chars().count() < 4 {
        return false;
    }
    let stem = name
        .strip_suffix(['a', 'e', 'i', 'o', 'u', 'y'])
        .unwrap_or(name);
    let ends = |stem: &str| {
        word.strip_prefix(stem)
            .is_some_and(|ending| ENDINGS.contains(ending))
    };
    (stem.chars().count() >= 3 && ends(stem))
        || (stem.len() < name.len() && ends(name))
        || CHANGES.pairs().any(|(from, to)| {
            stem.strip_suffix(from)
                .filter(|root| root.chars().count() >= 2)
                .is_some_and(|root| ends(&format!("{root}{to}")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_artists_in_every_polish_case() {
        for (prompt, artist) in [
            ("najlepsze piosenki Kultu", "Kult"),
            ("coś w stylu Kultu i Dżemu", "Dżem"),
            ("zakochana w Dawidzie Podsiadle", "Dawid Podsiadło"),
            ("piosenki Podsiadły", "Dawid Podsiadło"),
            ("Dawida Podsiadłę na wieczór", "Dawid Podsiadło"),
            ("utwory Budki Suflera", "Budka Suflera"),
            ("o Budce Suflera", "Budka Suflera"),
            ("koncerty Metalliki", "Metallica"),
            ("grajcie mi Maanam", "Maanam"),
            ("coś z repertuaru Republiki", "Republika"),
            ("piosenki Męskiego Grania", "Męskie Granie"),
        ] {
            assert!(Prompt::new(prompt).names(artist), "{prompt}");
        }
    }

    #[test]
    fn finds_artists_in_english() {
        for (prompt, artist) in [
            ("only metallica please", "Metallica"),
            ("songs by Air for the evening", "Air"),
            ("the best of Yes", "Yes"),
            ("play the band yes", "Yes"),
            ("Yes", "Yes"),
            ("more like Bowie", "David Bowie"),
            ("daft punk for running", "Daft Punk"),
            ("a mix of The Who and Cream", "The Who"),
            ("Kult, Dżem i Perfect na ognisko", "Kult"),
            ("Queen's biggest songs and Abba's too", "ABBA"),
        ] {
            assert!(Prompt::new(prompt).names(artist), "{prompt}");
        }
    }

    #[test]
    fn ordinary_words_name_no_artist() {
        for (prompt, artist) in [
            ("yes, something calm please", "Yes"),
            ("Yes please, something calm", "Yes"),
            ("fresh air and sunshine", "Air"),
            ("a journey through the night", "Journey"),
            ("kult filmów grozy", "Kult"),
            ("songs for my heart", "Heart"),
            ("who knows", "The Who"),
            ("PLAY SOME AIR GUITAR MUSIC", "Air"),
            ("a perfect day", "Perfect"),
            ("rock", "Metallica"),
            ("", "Kult"),
            ("anything", ""),
            ("chair music for Chairs", "Air"),
        ] {
            assert!(!Prompt::new(prompt).names(artist), "{prompt}");
        }
    }
}
