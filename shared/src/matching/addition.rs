//! Parses additions to a title (a bracket, or the words after a dash), which describe a recording.

use super::{
    fold::Word,
    lexicon::{Senses, lexicon},
    version::{Version, Versions},
};

/// The meaning of an addition to a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addition {
    Version(Versions),
    /// Another name of the studio recording: remaster, mono, bonus track, "From …".
    Neutral,
    /// A description that the studio recording rarely has: the track loses to one with a plain title.
    Unusual,
    /// A part, which distinguishes songs: "Part 2".
    Part,
    /// A number that belongs to the name: "Vol. 2", "No. 5".
    Count,
    /// A note that may be missing on one side: "Cheers Theme", "Official Song".
    Note,
    Subtitle,
}

/// The combined meaning of an addition's words.
#[derive(Default)]
struct Said {
    /// The senses of its words and phrases.
    senses: Senses,
    /// Whether a word has no known meaning.
    is_unknown: bool,
    has_number: bool,
}

impl Said {
    fn by(words: &[Word]) -> Self {
        let (mut said, mut covered) = (Self::default(), 0);
        lexicon().scan(words, |at, length, senses| {
            let next = words.get(at + length);
            let counts = !senses.has(Senses::AT_END)
                || length > 1
                || next.is_none_or(|word| word.senses.has(Senses::NUMBER));
            covered = covered.max(if senses.is_empty() { 0 } else { at + length });
            if counts {
                said.senses = said.senses.union(senses);
            } else {
                // A sense that counts only at the end adds nothing here.
                said.senses = said
                    .senses
                    .union(senses.only(Senses::VERSION.union(Senses::NEUTRAL)));
            }
            let is_number = words.get(at).is_some_and(Word::is_number_like);
            said.has_number |= is_number;
            said.is_unknown |= at >= covered && !is_number;
        });
        said
    }
}

impl Word {
    /// Returns whether the word begins like a number: "7", "1999", "1s", "5th".
    pub(super) fn is_number_like(&self) -> bool {
        self.senses.has(Senses::NUMBER.union(Senses::DIGITS))
    }
}

impl Addition {
    pub(super) fn of(words: &[Word]) -> Self {
        let Some(first) = words.first() else {
            return Self::Neutral;
        };
        if let [year] = words
            && year.senses.has(Senses::YEAR)
        {
            return Self::Unusual;
        }
        let said = Said::by(words);
        let senses = said.senses;
        let versions = versions(words, &said);
        if !versions.is_empty() {
            return Self::Version(versions);
        }
        if senses.has(Senses::NEUTRAL) || first.senses.has(Senses::ORIGIN) {
            let is_edited_later =
                senses.has(Senses::MIX) && senses.has(Senses::REISSUE) && !is_mixed_anew(words);
            let is_plain =
                !(said.is_unknown || is_edited_later) || first.senses.has(Senses::ORIGIN);
            return if is_plain {
                Self::Neutral
            } else {
                Self::Unusual
            };
        }
        if first.senses.has(Senses::PART) && said.has_number
            || words.len() == 1 && lexicon().number(first).is_some()
        {
            return Self::Part;
        }
        if first.senses.has(Senses::COUNT) && said.has_number {
            return Self::Count;
        }
        if senses.has(Senses::NOTE) {
            Self::Note
        } else {
            Self::Subtitle
        }
    }
}

fn versions(words: &[Word], said: &Said) -> Versions {
    let senses = said.senses;
    // The words after "from" name a film, not a version.
    let is_film = senses.has(Senses::WORK)
        || words
            .first()
            .is_some_and(|word| word.senses.has(Senses::ORIGIN));
    let is_unknown = said.is_unknown && !is_film;
    let mut found = Versions::named_by(senses);
    if is_live(words) {
        found.insert(Version::Live);
    }
    let is_plain = found
        .without(Versions::of(&[Version::RadioEdit, Version::Extended]))
        .is_empty();
    if !is_plain {
        return found;
    }
    let is_numbered = matches!(words, [noun, number, ..] if noun.senses.has(Senses::VERSION) && number.is_number_like());
    let is_remaster = words.iter().any(|word| word.senses.has(Senses::REISSUE));
    let names_version = senses.has(Senses::VERSION);
    if (senses.has(Senses::MIX) || found.contains(Version::RadioEdit)) && is_unknown && !is_remaster
    {
        // "Audien Radio Edit", "Sunship Mix": a named person's mix.
        found.insert(Version::Remix);
    } else if names_version && senses.has(Senses::TONGUE) {
        found.insert(Version::Language);
    } else if names_version && !is_remaster && (is_unknown || is_numbered || is_dated(words)) {
        found.insert(Version::Other);
    } else if words.iter().all(|word| word.senses.has(Senses::TONGUE)) {
        found.insert(Version::Language);
    }
    found
}

/// Returns whether a year dates a mix: "2015 Stereo Mix", "2009 Remastered Edit", but not "10th Anniversary Edit".
fn is_mixed_anew(words: &[Word]) -> bool {
    words.iter().any(|word| word.senses.has(Senses::YEAR)) || words.len() > 3
}

/// Returns whether a year dates a version: "2004 Version", but not "7" Version" nor "25th Anniversary Edition".
fn is_dated(words: &[Word]) -> bool {
    matches!(words, [year, noun] if year.senses.has(Senses::YEAR) && noun.senses.has(Senses::VERSION) && !noun.senses.has(Senses::MIX))
}

/// Returns each "live" with the word before and the words after it.
fn lives(words: &[Word]) -> impl Iterator<Item = (Senses, &[Word])> {
    words
        .iter()
        .enumerate()
        .filter(|(_, word)| word.senses.has(Senses::LIVE_WORD))
        .map(|(at, _)| {
            let before = at
                .checked_sub(1)
                .and_then(|at| words.get(at))
                .map_or(Senses::default(), |word| word.senses);
            (before, words.get(at + 1..).unwrap_or_default())
        })
}

/// Returns whether an addition contains the adjective "live", not the verb.
fn is_live(words: &[Word]) -> bool {
    lives(words).any(|(before, after)| {
        let next = after.first().map_or(Senses::default(), |word| word.senses);
        let paired = after
            .get(1)
            .is_some_and(|word| !Versions::named_by(word.senses).is_empty());
        (!before.has(Senses::BEFORE_VERB) && !next.has(Senses::AFTER_VERB)) || paired
    })
}

/// Returns whether an album's name contains the adjective "live", not the verb.
pub(super) fn is_live_album(words: &[Word]) -> bool {
    let and = lexicon().and.id;
    lives(words).any(|(before, after)| {
        let [next, rest @ ..] = after else {
            return !before.has(Senses::BEFORE_VERB);
        };
        if next.senses.has(Senses::LIVE_ALBUM) || next.is_number_like() {
            return true;
        }
        // "Live at Leeds", "Live in Paris", but not "Live in the Moment".
        let is_place = |word: &Word| !word.senses.has(Senses::AFTER_VERB);
        next.senses.has(Senses::PLACE)
            && next.id != and
            && rest
                .first()
                .is_some_and(|word| next.senses.has(Senses::ANYWHERE) || is_place(word))
    })
}

/// The versions that name the imitated artist.
pub(super) const IMITATIONS: Versions =
    Versions::of(&[Version::Karaoke, Version::Tribute, Version::Cover]);

/// Returns the imitated artist: Adele in "originally performed by adele karaoke version".
pub(super) fn imitated(words: &[Word]) -> &[Word] {
    let Some(at) = words
        .iter()
        .rposition(|word| word.senses.has(Senses::IMITATES))
    else {
        return &[];
    };
    let name = words.get(at + 1..).unwrap_or_default();
    let end = name
        .iter()
        .position(|word| {
            word.senses.has(Senses::VERSION) || !Versions::named_by(word.senses).is_empty()
        })
        .unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    // "In the style of Adele".
    match name {
        [of, rest @ ..]
            if !rest.is_empty() && of.length == 2 && of.senses.has(Senses::PARTICLE) =>
        {
            rest
        }
        _ => name,
    }
}

/// Removes "part 2" and "parts 1 and 2" from the words and copies the others to `kept`. A lone number is a part,
/// too.
pub(super) fn take_parts(words: &[Word], kept: &mut Vec<Word>) -> u16 {
    let number = |at: usize| {
        words
            .get(at)
            .and_then(|word| lexicon().number(word))
            .map(|number| 1 << number)
    };
    let mut parts = 0_u16;
    if let ([_], Some(bit)) = (words, number(0))
        && !kept.is_empty()
    {
        return bit;
    }
    let (mut at, and) = (0, lexicon().and.id);
    while let Some(word) = words.get(at) {
        let before = parts;
        let mut next = at + 1;
        while let Some(bit) = number(next).filter(|_| word.senses.has(Senses::PART)) {
            parts |= bit;
            next += 1;
            if words.get(next).is_some_and(|word| word.id == and) && number(next + 1).is_some() {
                next += 1;
            }
        }
        if parts == before {
            kept.push(*word);
        }
        at = next;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::fold::Folded;
    use super::*;

    fn versions(text: &str) -> Vec<Version> {
        match Addition::of(Folded::of(text).words()) {
            Addition::Version(versions) => versions.iter().collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn addition_determines_its_version() {
        for (text, version) in [
            ("Live", Version::Live),
            ("Live at Wembley Stadium / July 1986", Version::Live),
            ("na żywo", Version::Live),
            ("Wersja koncertowa", Version::Live),
            ("라이브", Version::Live),
            ("ライブ", Version::Live),
            ("Karaoke Version", Version::Karaoke),
            ("Originally Performed By Adele", Version::Cover),
            ("A Tribute to Queen", Version::Tribute),
            ("slowed + reverb", Version::Slowed),
            ("8D Audio", Version::EightD),
            ("Imanbek Remix", Version::Remix),
            ("Todd Terje Edit", Version::Remix),
            ("Sunship Mix", Version::Remix),
            ("Alesso vs OneRepublic", Version::Remix),
            ("wersja akustyczna", Version::Acoustic),
            ("Stripped Back", Version::Acoustic),
            ("Demo", Version::Demo),
            ("Taylor's Version", Version::ReRecorded),
            ("Re-Recorded 2011", Version::ReRecorded),
            ("Radio Edit", Version::RadioEdit),
            ("Extended Mix", Version::Extended),
            ("Spotify Singles", Version::Session),
            ("A COLORS SHOW", Version::Session),
            ("Top Gear / 1964", Version::Session),
            ("triple j Like A Version", Version::Session),
            ("Take 2", Version::Alternate),
            ("Reprise 1", Version::Alternate),
            ("Rehearsal", Version::Alternate),
            ("Commentary", Version::Spoken),
            ("Mixed", Version::Mixed),
            ("Japanese Ver.", Version::Language),
            ("po polsku", Version::Language),
            ("Solo Piano Version", Version::Arranged),
            ("Home Grown Version", Version::Other),
            ("Wedding Edition", Version::Other),
            ("2004 Version", Version::Other),
            ("Version 2", Version::Other),
        ] {
            assert!(
                versions(text).contains(&version),
                "{text}: {:?}",
                versions(text)
            );
        }
        assert!(versions("Audien Radio Edit").contains(&Version::Remix));
    }

    #[test]
    fn recognises_names_of_the_studio_recording() {
        for text in [
            "2011 Remaster",
            "2003 Remastered Version",
            "Mono",
            "Deluxe Edition",
            "Single Version",
            "Original Mix",
            "2015 Mix",
            "7\" Version",
            "From \"Frozen\"/Soundtrack Version",
            "Full Length Version; 2015 Remaster",
            "Long Live",
            "Live Your Life",
            "Take Me Home",
        ] {
            assert_eq!(versions(text), [], "{text}");
        }
    }

    #[test]
    fn recognises_live_albums() {
        let is_live = |album: &str| is_live_album(Folded::of(album).words());
        for album in [
            "Live at Leeds",
            "Live",
            "Live in Paris",
            "Alchemy: Live",
            "Live 1975-85",
        ] {
            assert!(is_live(album), "{album}");
        }
        for album in [
            "Live Through This",
            "Live and Let Die",
            "Born to Live",
            "Live in the Moment",
            "Keep It Live",
            "Alive",
        ] {
            assert!(!is_live(album), "{album}");
        }
    }
}
