//! The languages of the service's own texts.

use crate::words::words;

words! {include_str!("words.txt");
    /// Names and codes of English.
    ENGLISH_NAMES = "english-names";
    /// Names and codes of Polish.
    POLISH_NAMES = "polish-names";
    /// Words of English prompts that do not occur in Polish ones.
    ENGLISH_WORDS = "english";
    /// Words of Polish prompts that do not occur in English ones, without Polish letters.
    ///
    /// Words of both languages (do, to, i) and single letters, as in "Jay Z", are not listed.
    POLISH_WORDS = "polish";
}

/// The most words that decide; no prompt has more.
const MAX_WORDS: usize = 500;

/// A language of prompts and completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "snake_case")
)]
pub enum Language {
    /// English.
    En,
    /// Polish.
    Pl,
}

impl Language {
    /// Returns the ISO 639-1 code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pl => "pl",
        }
    }

    /// Returns the language of a code or a name, such as `en`, `pl-PL` or `Polish`, if it is supported.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        let name = name.split(['-', '_']).next()?;
        if ENGLISH_NAMES.contains(name) {
            Some(Self::En)
        } else {
            POLISH_NAMES.contains(name).then_some(Self::Pl)
        }
    }

    /// Returns the likelier language of a prompt; English if nothing decides.
    ///
    /// Common words and Polish letters decide, each word once: a Polish name in an English sentence, as in "songs
    /// like Męskie Granie", does not outweigh the sentence.
    pub fn detect(text: &str) -> Self {
        let (mut polish, mut english) = (Vec::new(), Vec::new());
        let add = |words: &mut Vec<String>, word| {
            if !words.contains(&word) {
                words.push(word);
            }
        };
        let words = text
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .take(MAX_WORDS);
        for (at, word) in words.enumerate() {
            let lower = word.to_lowercase();
            // Within a sentence, a capital begins a name.
            let may_be_name = at > 0 && word.starts_with(char::is_uppercase);
            if ENGLISH_WORDS.contains(&lower) {
                add(&mut english, lower);
            } else if POLISH_WORDS.contains(&lower)
                || lower.contains(POLISH_LETTERS) && !may_be_name
            {
                add(&mut polish, lower);
            }
        }
        if !polish.is_empty() && polish.len() >= english.len() {
            Self::Pl
        } else {
            Self::En
        }
    }
}

const POLISH_LETTERS: [char; 9] = ['ą', 'ć', 'ę', 'ł', 'ń', 'ó', 'ś', 'ź', 'ż'];

/// Returns the message for a prompt that does not ask for music.
pub const fn refusal_message(language: Language) -> &'static str {
    match language {
        Language::En => {
            "That does not sound like a wish for music. Describe what you would like to listen to."
        }
        Language::Pl => "To nie brzmi jak prośba o muzykę. Napisz, czego chcesz posłuchać.",
    }
}

/// Returns prompts that work, shown after one that did not.
pub const fn example_prompts(language: Language) -> [&'static str; 3] {
    match language {
        Language::En => [
            "Warm indie folk for a rainy Sunday morning",
            "80s synth-pop for a night drive, nothing too sad",
            "Energetic Polish rock from the nineties",
        ],
        Language::Pl => [
            "Ciepły indie folk na deszczowy niedzielny poranek",
            "Synth-pop z lat 80. do nocnej jazdy, nic zbyt smutnego",
            "Energetyczny polski rock z lat dziewięćdziesiątych",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_polish_with_and_without_diacritics() {
        for prompt in [
            "spokojna muzyka na wieczór",
            "spokojna muzyka do nauki",
            "Polski rock lat 90",
            "playlista na impreze",
            "energiczne piosenki do biegania, bez rapu",
            "coś jak Dżem i Kult",
            "ROMANTYCZNE KAWAŁKI DO KOLACJI",
            "Męskie Granie",
            "muzyka like Daft Punk",
        ] {
            assert_eq!(Language::detect(prompt), Language::Pl, "{prompt}");
        }
    }

    #[test]
    fn other_languages_default_to_english() {
        for prompt in [
            "calm piano for the evening",
            "songs like Męskie Granie",
            "a playlist of Dżem and Kult for a road trip",
            "Polish rock from the nineties",
            "80s synth-pop",
            "some songs to do my homework",
            "Explain the history of Łódź",
            "who was Józef Piłsudski",
            "write code for Żabka",
            "I love Jay Z",
            "do re mi",
            "ambient",
            "",
            "🎵🎵",
        ] {
            assert_eq!(Language::detect(prompt), Language::En, "{prompt}");
        }
    }

    #[test]
    fn examples_and_refusals_are_in_the_language() {
        for language in [Language::En, Language::Pl] {
            assert_eq!(Language::detect(refusal_message(language)), language);
            for example in example_prompts(language) {
                assert_eq!(Language::detect(example), language, "{example}");
            }
            assert_eq!(Language::from_name(language.as_str()), Some(language));
        }
        assert_eq!(Language::from_name("de"), None);
        for (name, language) in [
            ("en-US", Language::En),
            ("English", Language::En),
            ("pl_PL", Language::Pl),
            (" Polski", Language::Pl),
        ] {
            assert_eq!(Language::from_name(name), Some(language), "{name}");
        }
    }
}
