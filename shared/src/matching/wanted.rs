//! Finds the versions that a user asks for, in English or Polish.

use super::{
    Version,
    context::{Context, asks},
    fold::MAX_CHARS,
    normalise,
    version::Versions,
};
use crate::words::words;

words! {include_str!("prompt.txt");
    /// Words that refuse what follows.
    NEGATIONS = "negations";
    /// Words over which a negation continues.
    NEGATION_LINKS = "negation-links";
    /// Words that end a negation.
    NEGATION_ENDS = "negation-ends";
    /// Nouns that may stand between a negation and a version.
    VERSION_NOUNS = "version-nouns";
}

/// The versions that the user asked for; none by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WantedVersions(Versions);

impl WantedVersions {
    /// Every version.
    pub(super) const ALL: Self = Self(Versions::ALL);

    /// Parses the user's own words.
    ///
    /// "Live" counts as a version only if the words around it allow no verb ("songs to live by"), and no version
    /// counts after "no", "without", "bez" ("no remixes or covers").
    #[must_use]
    pub fn from_prompt(prompt: &str) -> Self {
        // A prompt has up to a thousand characters; each clause is parsed separately.
        Self(
            prompt
                .split(['.', '!', '?', ';', ':', '\n'])
                .map(sentence)
                .fold(Versions::default(), Versions::union),
        )
    }

    /// Returns whether this version was asked for.
    #[must_use]
    pub fn contains(self, version: Version) -> bool {
        self.0.contains(version)
    }

    pub(super) fn versions(self) -> Versions {
        self.0
    }
}

fn sentence(sentence: &str) -> Versions {
    let mut negated = Negation::default();
    sentence
        .split(',')
        .map(|part| clause(part, &mut negated))
        .fold(Versions::default(), Versions::union)
}

fn clause(clause: &str, negated: &mut Negation) -> Versions {
    negated.pass_comma();
    // Folding reads a bounded text, so a long clause is read in sections.
    let characters: Vec<char> = clause.chars().collect();
    let stretches = characters
        .chunks(MAX_CHARS)
        .map(|stretch| stretch.iter().collect::<String>());
    let words: Vec<String> = stretches
        .flat_map(|stretch| normalise::words(&stretch))
        .collect();
    let mut found = Versions::default();
    let mut is_asked = false;
    for (at, word) in words.iter().enumerate() {
        let before = words.get(..at).unwrap_or_default();
        let after = words.get(at + 1..).unwrap_or_default();
        let versions = Context {
            word,
            before,
            after,
            is_asked,
        }
        .named();
        is_asked |= asks(word);
        if !negated.applies(word, !versions.is_empty()) {
            found = found.union(versions);
        }
    }
    found
}

/// A negation, which covers the list after it: "No remixes or live versions, please".
#[derive(Default)]
struct Negation {
    /// How many more ordinary words it covers.
    reach: usize,
}

impl Negation {
    const REACH: usize = 2;

    /// Passes a comma: "no karaoke, covers or remixes" continues after it, "no slow songs, covers" does not.
    fn pass_comma(&mut self) {
        if self.reach < Self::REACH {
            self.reach = 0;
        }
    }

    fn applies(&mut self, word: &str, names_version: bool) -> bool {
        let refuses = NEGATIONS.contains(word);
        let links = NEGATION_LINKS.contains(word);
        if refuses || (names_version && self.reach > 0) {
            self.reach = Self::REACH;
        } else if NEGATION_ENDS.contains(word) {
            self.reach = 0;
        } else if !links && !VERSION_NOUNS.contains(word) {
            self.reach = self.reach.saturating_sub(1);
        }
        names_version && self.reach > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(prompt: &str) -> Vec<Version> {
        WantedVersions::from_prompt(prompt)
            .versions()
            .iter()
            .collect()
    }

    #[test]
    fn finds_versions_in_english_and_polish() {
        for (prompt, versions) in [
            ("live versions of 70s rock", &[Version::Live][..]),
            ("Nirvana live", &[Version::Live]),
            ("best of Pearl Jam, live at festivals", &[Version::Live]),
            ("The Doors in concert", &[Version::Live]),
            ("Dżem na żywo", &[Version::Live]),
            ("koncertowe wersje polskiego rocka", &[Version::Live]),
            ("koncert Kultu", &[Version::Live]),
            ("nagrania z koncertów Maanamu", &[Version::Live]),
            ("ABBA karaoke", &[Version::Karaoke]),
            ("karaoke versions of 90s hits", &[Version::Karaoke]),
            ("covers of Beatles songs", &[Version::Cover]),
            ("najlepsze covery Niemena", &[Version::Cover]),
            ("folk cover versions", &[Version::Cover]),
            ("remixes for the gym", &[Version::Remix]),
            ("remiksy na imprezę", &[Version::Remix]),
            ("acoustic evening", &[Version::Acoustic]),
            ("akustyczne wersje hitów", &[Version::Acoustic]),
            (
                "MTV unplugged classics",
                &[Version::Live, Version::Acoustic],
            ),
            ("sped up tiktok songs", &[Version::SpedUp]),
            ("slowed + reverb phonk", &[Version::Slowed]),
            ("early demos", &[Version::Demo]),
            ("instrumentalne do nauki", &[Version::Instrumental]),
            ("no slow songs, covers are fine", &[Version::Cover]),
            ("no covers, only live recordings", &[Version::Live]),
            ("covers but no live versions", &[Version::Cover]),
        ] {
            assert_eq!(wanted(prompt), versions, "{prompt}");
        }
    }

    #[test]
    fn ordinary_sentences_request_no_version() {
        for prompt in [
            "songs to live by",
            "live, laugh, love",
            "my life to live",
            "the city where I live",
            "long live rock",
            "songs about people who live fast",
            "how we live",
            "Saturday Night Live",
            "live and let live",
            "live your life",
            "I want to live",
            "songs that cover the 80s",
            "the album cover was blue",
            "running for cover",
            "cover all genres",
            "no live versions",
            "without any remixes or covers",
            "bez coverów i remiksów",
            "nie chcę wersji na żywo",
            "żadnych koncertówek",
            "demons and dragons",
            "getting ready for a concert",
            "playlista przed koncertem",
            "na koncert",
            "koncert fortepianowy",
            "songs for a karaoke night",
            "speed metal",
            "undercover",
            "discover new music",
            "olive trees",
            "deliver me",
            "no karaoke, no covers, no live",
            "no karaoke, covers or remixes",
            "bez coverów, remiksów i wersji na żywo",
            "piosenki o życiu",
            "I live in Kraków and love jazz",
            "",
        ] {
            assert_eq!(wanted(prompt), [], "{prompt}");
        }
    }
}
