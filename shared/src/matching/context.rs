//! Determines the versions that a word of the prompt asks for, given the words around it.

use super::{Version, version::Versions};
use crate::words::words;

words! {include_str!("prompt.txt");
    /// Words after which "live" is the verb, or the last word of a name.
    BEFORE_VERB = "before-the-verb-live";
    /// Words before which "live" is the adjective.
    RECORDED = "recordings";
    /// Words that begin a clause with a verb: "the city where I grew up and live".
    ASKING = "clause-openings";
    /// Words after "tribute" that make it a kind of recording or performer.
    TRIBUTES = "tributes";
    /// Forms of "demo".
    DEMOS = "demos";
    /// Words before "koncertu" that make it the place of a recording.
    BEFORE_CONCERT_RECORDING = "before-concert-recordings";
    /// Words before "koncertow…" that make it a hall, a tour or an evening.
    BEFORE_CONCERT_EVENT = "before-concert-events";
    /// Words before "koncert" that make it an event.
    BEFORE_CONCERT = "before-concerts";
    /// Words after "concert" that make it a recording.
    CONCERT_RECORDINGS = "concert-recordings";
    /// Words after "karaoke" that make it an evening.
    KARAOKE_EVENINGS = "karaoke-evenings";
    /// Words before "karaoke" that make it an occasion.
    KARAOKE_OCCASIONS = "karaoke-occasions";
    /// Words before "cover" that make it a sleeve or the verb.
    BEFORE_SLEEVE = "before-sleeves-and-verbs";
    /// Words after "cover" that make it the verb.
    AFTER_VERB = "after-the-verb-cover";
    /// Forms of "cover" in Polish.
    POLISH_COVERS = "polish-covers";
    /// Beginnings of words after "koncert" that make it a composition.
    CONCERTOS = "concertos";
}

/// A word of the prompt with the words around it, within its clause.
pub(super) struct Context<'a> {
    /// The word, folded.
    pub word: &'a str,
    /// The words before it, in order.
    pub before: &'a [String],
    /// The words after it, in order.
    pub after: &'a [String],
    /// Whether one of the words before begins a clause with a verb.
    pub is_asked: bool,
}

/// Returns whether a word begins a clause with a verb.
pub(super) fn asks(word: &str) -> bool {
    ASKING.contains(word)
}

impl Context<'_> {
    /// Returns the versions that this word asks for in its context.
    pub(super) fn named(&self) -> Versions {
        let word = self.word;
        let next = self.next();
        let previous = self.previous();
        let mut found = Versions::default();
        let mut add = |says: bool, version: Version| {
            if says {
                found.insert(version);
            }
        };
        add(word == "live" && self.is_live(), Version::Live);
        add(word == "zywo" && previous == "na", Version::Live);
        add(self.is_concert(), Version::Live);
        add(word == "unplugged", Version::Live);
        add(
            word == "unplugged" || word == "acoustic" || word.starts_with("akustyczn"),
            Version::Acoustic,
        );
        add(
            word.starts_with("karaoke") && self.is_karaoke(),
            Version::Karaoke,
        );
        add(self.is_cover(), Version::Cover);
        add(
            matches!(word, "tribute" | "tributes") && TRIBUTES.contains(next),
            Version::Tribute,
        );
        add(
            word.starts_with("remix") || word.starts_with("remiks"),
            Version::Remix,
        );
        add(DEMOS.contains(word), Version::Demo);
        add(
            word.starts_with("instrumental") && !(previous == "was" || next == "in"),
            Version::Instrumental,
        );
        add(
            word == "nightcore" || word.starts_with("przyspieszon"),
            Version::SpedUp,
        );
        add(
            matches!(word, "sped" | "speed" | "speeded") && next == "up" && previous != "to",
            Version::SpedUp,
        );
        add(
            word == "slowed" || word.starts_with("spowolnion") || word.starts_with("zwolnion"),
            Version::Slowed,
        );
        add(word == "8d", Version::EightD);
        add(
            word == "rerecorded"
                || word == "rerecordings"
                || (word == "re" && next.starts_with("record")),
            Version::ReRecorded,
        );
        add(
            word == "extended" && matches!(next, "mix" | "mixes" | "version" | "versions"),
            Version::Extended,
        );
        found
    }

    /// Returns whether "live" is an adjective: before a noun for a recording, or at the end of a clause without room
    /// for a verb.
    fn is_live(&self) -> bool {
        let next = self.next();
        let closes = next.is_empty() && !self.before.is_empty();
        !BEFORE_VERB.contains(self.previous())
            && (RECORDED.contains(next) || ((closes || next == "from") && !self.is_asked))
    }

    /// Returns whether the word asks for a concert recording: Polish "koncertowe wersje", "z koncertu"; English "in
    /// concert"; not a concert that the user attends.
    fn is_concert(&self) -> bool {
        let next = self.next();
        let previous = self.previous();
        match self.word {
            "koncert" | "koncerty" => {
                let event = BEFORE_CONCERT.contains(previous);
                !event && !CONCERTOS.iter().any(|kind| next.starts_with(kind))
            }
            "koncertu" | "koncertow" => BEFORE_CONCERT_RECORDING.contains(previous),
            word if word.starts_with("koncertow") => !BEFORE_CONCERT_EVENT.contains(previous),
            "concert" => previous == "in" || CONCERT_RECORDINGS.contains(next),
            _ => false,
        }
    }

    /// Returns whether the word asks for karaoke tracks, not for songs for a karaoke night.
    fn is_karaoke(&self) -> bool {
        let next = self.next();
        let previous = self.previous();
        let evening = KARAOKE_EVENINGS.contains(next);
        let occasion = KARAOKE_OCCASIONS.contains(previous);
        !evening && !occasion
    }

    /// Returns whether the word asks for cover versions, and is neither an album's cover nor the verb.
    fn is_cover(&self) -> bool {
        let next = self.next();
        let previous = self.previous();
        let is_sleeve = BEFORE_SLEEVE.contains(previous);
        let is_verb = AFTER_VERB.contains(next);
        match self.word {
            "cover" | "covers" => !is_sleeve && !is_verb,
            "covered" => next == "by",
            word => POLISH_COVERS.contains(word),
        }
    }

    fn next(&self) -> &str {
        self.after.first().map_or("", String::as_str)
    }

    fn previous(&self) -> &str {
        self.before.last().map_or("", String::as_str)
    }
}
