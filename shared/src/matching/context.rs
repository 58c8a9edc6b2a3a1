//! Decides what a word of the prompt asks for, given the words around it.

use super::{Version, version::Versions};

/// Words after which "live" is the verb, or the last word of a name.
const BEFORE_VERB: &[&str] = &[
    "to", "i", "we", "you", "they", "she", "he", "people", "who", "that", "can", "could", "would", "will",
    "should", "must", "let", "lets", "dont", "cant", "how", "where", "long", "when", "night", "never",
    "just", "really", "truly", "wanna", "gonna", "by", "band", "parents", "friends",
];

/// Words before which "live" is the adjective.
const RECORDED: &str = "version versions recording recordings recorded album albums performance performances \
    session sessions concert concerts set sets show shows gig gigs track tracks take takes cut cuts cover covers \
    song songs music rock jazz blues acoustic unplugged bootleg bootlegs aid edition editions jam jams rendition \
    renditions only classics hits favourites favorites playlist at wersja wersje nagrania";

/// Words that begin a clause with a verb: "the city where I grew up and live".
const ASKING: &[&str] =
    &["where", "how", "who", "why", "when", "that", "which", "as", "than", "what", "i", "we", "you", "they"];

/// A word of the prompt with the words around it, within its clause.
pub(super) struct Context<'a> {
    pub word: &'a str,
    pub before: &'a [String],
    pub after: &'a [String],
    /// Whether one of the words before begins a clause with a verb.
    pub is_asked: bool,
}

/// Whether a word begins a clause with a verb.
pub(super) fn asks(word: &str) -> bool {
    ASKING.contains(&word)
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
        add(word == "unplugged" || word == "acoustic" || word.starts_with("akustyczn"), Version::Acoustic);
        add(word.starts_with("karaoke") && self.is_karaoke(), Version::Karaoke);
        add(self.is_cover(), Version::Cover);
        add(
            matches!(word, "tribute" | "tributes")
                && matches!(
                    next,
                    "band" | "bands" | "version" | "versions" | "album" | "albums" | "act" | "acts"
                ),
            Version::Tribute,
        );
        add(word.starts_with("remix") || word.starts_with("remiks"), Version::Remix);
        add(matches!(word, "demo" | "demos" | "demowki" | "demowek"), Version::Demo);
        add(word.starts_with("instrumental") && !(previous == "was" || next == "in"), Version::Instrumental);
        add(word == "nightcore" || word.starts_with("przyspieszon"), Version::SpedUp);
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
            word == "rerecorded" || word == "rerecordings" || (word == "re" && next.starts_with("record")),
            Version::ReRecorded,
        );
        add(
            word == "extended" && matches!(next, "mix" | "mixes" | "version" | "versions"),
            Version::Extended,
        );
        found
    }

    /// Whether "live" is an adjective: before a noun for a recording, or at the end of a clause without room for a
    /// verb.
    fn is_live(&self) -> bool {
        let next = self.next();
        let closes = next.is_empty() && !self.before.is_empty();
        !BEFORE_VERB.contains(&self.previous())
            && (RECORDED.split(' ').any(|word| word == next)
                || ((closes || next == "from") && !self.is_asked))
    }

    /// Polish "koncertowe wersje", "z koncertu"; English "in concert". Not the concert that the user goes to.
    fn is_concert(&self) -> bool {
        let next = self.next();
        let previous = self.previous();
        match self.word {
            "koncert" | "koncerty" => {
                let event = matches!(
                    previous,
                    "na" | "przed" | "po" | "przez" | "o" | "jak" | "moj" | "nasz" | "ten"
                );
                let concerto = ["fortepianow", "skrzypcow", "wiolonczelow", "brandenbur", "organow"];
                !event && !concerto.iter().any(|kind| next.starts_with(kind))
            }
            "koncertu" | "koncertow" => {
                matches!(previous, "z" | "nagrania" | "nagran" | "zapis" | "zapisy" | "wersje" | "wersja")
            }
            word if word.starts_with("koncertow") => {
                !matches!(previous, "sala" | "sali" | "trasa" | "trase" | "przed")
            }
            "concert" => {
                previous == "in"
                    || matches!(
                        next,
                        "recording" | "recordings" | "version" | "versions" | "album" | "albums"
                    )
            }
            _ => false,
        }
    }

    /// Karaoke tracks, not songs for a karaoke night.
    fn is_karaoke(&self) -> bool {
        let next = self.next();
        let previous = self.previous();
        let evening = matches!(
            next,
            "night" | "nights" | "party" | "bar" | "evening" | "classics" | "favourites" | "favorites"
        );
        let occasion =
            matches!(previous, "wieczor" | "impreza" | "impreze" | "noc" | "at" | "na" | "do" | "our" | "my");
        !evening && !occasion
    }

    /// A cover version, not an album's cover, nor the verb.
    fn is_cover(&self) -> bool {
        let next = self.next();
        let previous = self.previous();
        let is_sleeve = matches!(
            previous,
            "album"
                | "record"
                | "for"
                | "take"
                | "magazine"
                | "book"
                | "under"
                | "sleeve"
                | "front"
                | "to"
                | "should"
                | "will"
                | "must"
                | "that"
                | "which"
                | "it"
                | "playlist"
                | "mix"
                | "list"
                | "can"
                | "bed"
                | "cloud"
        );
        let is_verb = matches!(
            next,
            "the"
                | "all"
                | "everything"
                | "every"
                | "a"
                | "my"
                | "both"
                | "me"
                | "different"
                | "art"
                | "many"
                | "various"
                | "up"
                | "girl"
        );
        match self.word {
            "cover" | "covers" => !is_sleeve && !is_verb,
            "covered" => next == "by",
            "covery" | "coverow" | "coverach" | "coverami" | "coverowe" | "cowery" | "cowerow" => true,
            _ => false,
        }
    }

    fn next(&self) -> &str {
        self.after.first().map_or("", String::as_str)
    }

    fn previous(&self) -> &str {
        self.before.last().map_or("", String::as_str)
    }
}
