//! The meanings that words of titles, albums and artists' names have.

use super::version::Version;

/// The meanings of a word, as a set. The lowest bits are the [`Version`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Senses(u64);

macro_rules! senses {
    ($($constant:ident = $name:literal),* $(,)?) => {
        #[expect(
            non_camel_case_types,
            clippy::upper_case_acronyms,
            reason = "the variants have the names of the constants"
        )]
        #[repr(u32)]
        enum Bit { $($constant),* }

        impl Senses {
            $(pub(super) const $constant: Self = Self(1 << (Version::COUNT + Bit::$constant as u32));)*
            const NAMES: &'static str = concat!($($name, " "),*);
        }
    };
}

senses! {
    // In an addition: the studio recording itself.
    NEUTRAL = "neutral",
    // Begins an addition that names the song's origin.
    ORIGIN = "origin",
    // "Version", "edition": the words around it specify it.
    VERSION = "version",
    // A song that was first recorded later: it has no other recording.
    UNRELEASED = "unreleased",
    // "Mix", "edit": a named person's, or the studio's.
    MIX = "mix",
    // Counts only at the end of an addition, or before a number: "Take 2".
    AT_END = "at-end",
    // Also counts in a name that is not an addition.
    ANYWHERE = "anywhere",
    LIVE_WORD = "live-word",
    BEFORE_VERB = "before-verb",
    AFTER_VERB = "after-verb",
    LIVE_ALBUM = "live-album",
    ARTICLE = "article",
    PARTICLE = "particle",
    // "Theme", "song", "official": one side may say so without the other.
    NOTE = "note",
    NUMBER = "number",
    PART = "part",
    COUNT = "count",
    CATALOGUE = "catalogue",
    // "Major", "minor".
    MODE = "mode",
    // A composer whom listeners know by the surname.
    COMPOSER = "composer",
    FEAT = "feat",
    JOINT = "joint",
    ENSEMBLE = "ensemble",
    GENERATION = "generation",
    // A language in which a song can be sung.
    TONGUE = "tongue",
    REISSUE = "reissue",
    COMPILATION = "compilation",
    WORK = "work",
    IMITATES = "imitates",
    PLACE = "place",
    YEAR = "year",
    // Can form one word with the next one.
    JOINS = "joins",
    // Begins with a digit: "7", "1999", "5th".
    DIGITS = "digits",
}

impl Senses {
    const VERSIONS: u64 = (1 << Version::COUNT) - 1;

    /// Returns whether the sets have a common member.
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the members of either set.
    #[must_use]
    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the common members of both sets.
    #[must_use]
    pub(super) const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the bits of the versions.
    pub(super) const fn versions(self) -> u32 {
        (self.0 & Self::VERSIONS) as u32
    }

    /// Returns the sense or version with that name; none if there is none.
    pub(super) fn named(name: &str) -> Self {
        let version = Version::NAMES
            .iter()
            .position(|own| *own == name)
            .map(|bit| Self(1 << bit));
        let sense = || {
            let bit = Self::NAMES.split(' ').position(|own| own == name)?;
            Some(Self(1 << (Version::COUNT as usize + bit)))
        };
        version.or_else(sense).unwrap_or_default()
    }
}
