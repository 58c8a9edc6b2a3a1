//! Word lists in plain text: lines of `name: word, two words, …`.
//!
//! The compiler splits them, so that they cost no more at run time than lists in code. The files have no comments,
//! because they are part of the functions.

/// Declares lists of a file as constants: `words!(TEXT; NAME = "name"; …)`.
macro_rules! words {
    ($text:expr; $($(#[$attribute:meta])* $constant:ident = $name:literal;)+) => {$(
        $(#[$attribute])*
        const $constant: &[&str] = &$crate::words::list::<{ $crate::words::count($text, $name) }>($text, $name);
    )+};
}
pub(crate) use words;

/// Returns the number of words in a list.
pub(crate) const fn count(text: &str, name: &str) -> usize {
    let mut rest = line(text, name);
    let mut count = 0;
    loop {
        let (word, after) = split(rest, b", ");
        count += 1;
        match after {
            Some(after) => rest = after,
            None => return if word.is_empty() { count - 1 } else { count },
        }
    }
}

/// Returns the words of a list, which are `N`.
pub(crate) const fn list<'a, const N: usize>(text: &'a str, name: &str) -> [&'a str; N] {
    let mut words = [""; N];
    let mut rest = line(text, name);
    let mut free: &mut [&str] = &mut words;
    while let Some((place, others)) = free.split_first_mut() {
        let (word, after) = split(rest, b", ");
        (*place, free) = (word, others);
        rest = match after {
            Some(after) => after,
            None => "",
        };
    }
    words
}

/// Splits entries of two words at their first space.
pub(crate) const fn pairs<'a, const N: usize>(entries: &[&'a str]) -> [(&'a str, &'a str); N] {
    assert!(entries.len() == N, "N is the number of entries");
    let mut pairs = [("", ""); N];
    let (mut free, mut rest): (&mut [(&str, &str)], &[&str]) = (&mut pairs, entries);
    while let (Some((place, others)), Some((entry, after))) =
        (free.split_first_mut(), rest.split_first())
    {
        let (first, second) = split(entry, b" ");
        let second = match second {
            Some(second) => second,
            None => "",
        };
        (*place, free, rest) = ((first, second), others, after);
    }
    pairs
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

    const TEXT: &str = "one: first\nmore: ein Łódź, zwei, drei vier\nnone: \n";

    words! {TEXT;
        ONE = "one";
        MORE = "more";
        NONE = "none";
    }

    #[test]
    fn list_has_the_words_of_its_line() {
        assert_eq!(
            (ONE, MORE, NONE.len()),
            (&["first"][..], &["ein Łódź", "zwei", "drei vier"][..], 0)
        );
        assert_eq!(
            pairs(MORE),
            [("ein", "Łódź"), ("zwei", ""), ("drei", "vier")]
        );
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
