//! Word lists in plain text: lines of `name: word, two words, …`.
//!
//! The compiler finds each list, and a search reads its text: tables of words would double the lists' size. The files
//! have no comments, because they are part of the functions.

/// Declares lists of a file as constants: `words!(TEXT; NAME = "name"; …)`.
macro_rules! words {
    ($text:expr; $($(#[$attribute:meta])* $constant:ident = $name:literal;)+) => {$(
        $(#[$attribute])*
        const $constant: $crate::words::Words = $crate::words::Words::of($text, $name);
    )+};
}
pub(crate) use words;

/// The words of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(&'static str);

impl Words {
    /// Returns a list of a file. The build fails without one.
    pub(crate) const fn of(text: &'static str, name: &str) -> Self {
        Self(line(text, name))
    }

    /// Returns the words, in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static str> {
        // A word may begin or end with a space of its own.
        self.0
            .split(',')
            .map(|word| word.strip_prefix(' ').unwrap_or(word))
    }

    /// Returns the entries of two words, split at their first space.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.iter()
            .map(|entry| entry.split_once(' ').unwrap_or((entry, "")))
    }

    /// Returns whether a word is in the list.
    pub(crate) fn contains(self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }
}

/// Returns the entries of a list. The build fails without one.
const fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = Some(text);
    while let Some(lines) = rest {
        let (line, after) = split(lines, b"\n");
        if let (head, Some(entries)) = split(line, b": ")
            && is_same(head.as_bytes(), name.as_bytes())
        {
            return entries;
        }
        rest = after;
    }
    assert!(text.is_empty(), "the file has no list of this name");
    ""
}

/// Splits a text at the first separator.
const fn split<'a>(text: &'a str, separator: &[u8]) -> (&'a str, Option<&'a str>) {
    let mut at = 0;
    while at + separator.len() <= text.len() {
        let (_, rest) = text.as_bytes().split_at(at);
        if is_same(rest.split_at(separator.len()).0, separator) {
            let (before, rest) = text.split_at(at);
            return (before, Some(rest.split_at(separator.len()).1));
        }
        at += 1;
    }
    (text, None)
}

const fn is_same(mut a: &[u8], mut b: &[u8]) -> bool {
    while let (Some((first, a_rest)), Some((second, b_rest))) = (a.split_first(), b.split_first()) {
        if *first != *second {
            return false;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.is_empty() && b.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "one: first\nmore: ein Łódź, zwei, drei vier,  five \n";

    words! {TEXT;
        ONE = "one";
        MORE = "more";
    }

    #[test]
    fn list_has_the_words_of_its_line() {
        let words = |list: Words| list.iter().collect::<Vec<_>>();
        assert_eq!(words(ONE), ["first"]);
        assert_eq!(words(MORE), ["ein Łódź", "zwei", "drei vier", " five "]);
        assert!(MORE.contains("zwei") && !MORE.contains("drei"));
        assert_eq!(MORE.pairs().next(), Some(("ein", "Łódź")));
    }

    #[test]
    fn data_files_have_unique_lists_and_words() {
        for (file, text) in [
            ("prompt.txt", include_str!("matching/prompt.txt")),
            (
                "transliteration.txt",
                include_str!("matching/transliteration.txt"),
            ),
            ("words.txt", include_str!("llm/playlist/words.txt")),
            ("errors.txt", include_str!("llm/errors.txt")),
        ] {
            let names: Vec<&str> = text
                .lines()
                .map(|line| line.split_once(": ").unwrap().0)
                .collect();
            for (at, line) in text.lines().enumerate() {
                let (name, entries) = line.split_once(": ").unwrap();
                assert!(!names[..at].contains(&name), "{file}: {name} twice");
                let words: Vec<&str> = entries.split(", ").collect();
                let twice = words
                    .iter()
                    .enumerate()
                    .find(|(at, word)| words[..*at].contains(word));
                assert!(
                    twice.is_none() && words.iter().all(|word| !word.is_empty()),
                    "{file}: {name} {twice:?}"
                );
            }
        }
    }
}
