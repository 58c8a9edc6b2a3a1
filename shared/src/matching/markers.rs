//! The words by which titles, albums and artists' names tell a version.

use super::version::{Version, Versions};

/// What single words in an addition to a title say ("- Acoustic", "(Demo)").
fn by_word(word: &str) -> Option<Version> {
    Some(match word {
        "karaoke" | "カラオケ" => Version::Karaoke,
        "tribute" | "tributes" => Version::Tribute,
        "cover" | "covers" | "covered" | "covery" | "coverow" | "rendition" | "renditions" => Version::Cover,
        "nightcore" | "przyspieszona" | "przyspieszone" => Version::SpedUp,
        "slowed" | "spowolniona" | "spowolnione" | "zwolniona" => Version::Slowed,
        "8d" => Version::EightD,
        "remix" | "remixes" | "remixed" | "rmx" | "remiks" | "rework" | "reworked" | "bootleg" | "mashup"
        | "flip" | "dub" | "vip" | "mix" | "edit" => Version::Remix,
        "acoustic" | "acoustically" | "stripped" | "akustycznie" | "akustyczna" | "akustyczny"
        | "akustyczne" | "acustico" | "acustica" | "acoustique" | "unplugged" => Version::Acoustic,
        "demo" | "demos" => Version::Demo,
        "rerecorded" | "rerecording" => Version::ReRecorded,
        "instrumental" | "instrumentals" | "instrumentalna" | "instrumentalnie" | "instrumentalny" => {
            Version::Instrumental
        }
        "alternate" | "alternative" | "outtake" | "outtakes" | "rehearsal" | "orchestral" | "symphonic"
        | "piano" | "acapella" | "cappella" | "lullaby" | "reprise" => Version::Alternate,
        "extended" => Version::Extended,
        _ => return None,
    })
}

/// What phrases say, wherever they stand.
const BY_PHRASE: &[(&str, Version)] = &[
    ("backing track", Version::Karaoke),
    ("minus one", Version::Karaoke),
    ("off vocal", Version::Karaoke),
    ("sing along version", Version::Karaoke),
    ("without vocals", Version::Karaoke),
    ("originally performed", Version::Cover),
    ("originally by", Version::Cover),
    ("originally recorded by", Version::Cover),
    ("made famous by", Version::Cover),
    ("made popular by", Version::Cover),
    ("in the style of", Version::Cover),
    ("w stylu", Version::Cover),
    ("8 bit", Version::Cover),
    ("lullaby version", Version::Cover),
    ("lullaby rendition", Version::Cover),
    ("lullaby renditions", Version::Cover),
    ("cover band", Version::Cover),
    ("cover version", Version::Cover),
    ("cover versions", Version::Cover),
    ("hommage a", Version::Tribute),
    ("tribute to", Version::Tribute),
    ("tribute album", Version::Tribute),
    ("tribute band", Version::Tribute),
    ("sped up", Version::SpedUp),
    ("speed up", Version::SpedUp),
    ("spedup", Version::SpedUp),
    ("slow and reverb", Version::Slowed),
    ("slowed down", Version::Slowed),
    ("8 d audio", Version::EightD),
    ("re recorded", Version::ReRecorded),
    ("re recording", Version::ReRecorded),
    ("new recording", Version::ReRecorded),
    ("nowa wersja", Version::ReRecorded),
    ("taylors version", Version::ReRecorded),
    ("radio edit", Version::RadioEdit),
    ("radio mix", Version::RadioEdit),
    ("radio version", Version::RadioEdit),
    ("video edit", Version::RadioEdit),
    ("12 version", Version::Extended),
    ("12 mix", Version::Extended),
    ("12 inch", Version::Extended),
    ("a cappella", Version::Alternate),
    ("early take", Version::Demo),
    ("early version", Version::Demo),
    ("home recording", Version::Demo),
    ("spanish version", Version::Alternate),
    ("english version", Version::Alternate),
    ("german version", Version::Alternate),
    ("french version", Version::Alternate),
    ("japanese version", Version::Alternate),
    ("korean version", Version::Alternate),
    ("wersja angielska", Version::Alternate),
    ("10 minute version", Version::Alternate),
];

const LIVE_PHRASES: &[&str] = &[
    "na zywo",
    "en vivo",
    "ao vivo",
    "dal vivo",
    "en directo",
    "en concert",
    "in concert",
    "live lounge",
    "tiny desk",
    "peel session",
    "peel sessions",
    "bbc session",
    "bbc sessions",
    "at the bbc",
    "recorded at",
    "unplugged",
    "z koncertu",
    "ライフ\u{3099}",
    "\u{1105}\u{1161}\u{110b}\u{1175}\u{1107}\u{1173}",
];

/// The versions named by an addition to a title: a bracket, what follows a dash, trailing words.
pub(super) fn in_addition(words: &[String]) -> Versions {
    let text = words.join(" ");
    let mut found = in_phrases(&text);
    found = found.union(words.iter().filter_map(|word| by_word(word)).collect());
    if is_live_addition(words)
        || has_any(&text, LIVE_PHRASES)
        || words.iter().any(|w| w.starts_with("koncert"))
    {
        found.insert(Version::Live);
    }
    without_plain_mixes(found, words)
}

/// The versions that an album's own name gives away ("Live at Leeds"), not its additions.
pub(super) fn in_album(words: &[String]) -> Versions {
    let text = words.join(" ");
    let mut found = unmistakable(words);
    let wishes = has_phrase(&text, "koncert zyczen");
    let concert = words.iter().any(|w| w == "koncert" || w.starts_with("koncertow")) && !wishes;
    if is_live_album(words) || concert || has_any(&text, LIVE_PHRASES) {
        found.insert(Version::Live);
    }
    if has_phrase(&text, "unplugged") {
        found.insert(Version::Acoustic);
    }
    if has_phrase(&text, "demos") {
        found.insert(Version::Demo);
    }
    found
}

/// The versions named by words that have no other meaning in a name: neither "Tribute" nor "Take
/// Cover" is said only of imitations, "Karaoke", "Covers" and "Tribute to" are.
pub(super) fn unmistakable(words: &[String]) -> Versions {
    let single = words
        .iter()
        .filter(|word| !matches!(word.as_str(), "cover" | "covered" | "tribute" | "rendition"))
        .filter_map(|word| by_word(word))
        .filter(|version| version.must_be_asked_for());
    let phrases = in_phrases(&words.join(" "));
    single.chain(phrases.iter().filter(|version| version.must_be_asked_for())).collect()
}

fn in_phrases(text: &str) -> Versions {
    BY_PHRASE.iter().filter(|(phrase, _)| has_phrase(text, phrase)).map(|(_, version)| *version).collect()
}

/// "Mix" and "edit" alone, or with a year, a single's size or "original", mean the studio recording.
fn without_plain_mixes(found: Versions, words: &[String]) -> Versions {
    let says = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let plain = says(&["mix", "edit"])
        && !says(&[
            "remix", "remixed", "remixes", "rmx", "dub", "bootleg", "mashup", "rework", "flip", "vip",
        ])
        && (says(&[
            "original",
            "stereo",
            "mono",
            "album",
            "single",
            "extended",
            "radio",
            "video",
            "anniversary",
            "ultimate",
        ]) || words
            .iter()
            .all(|word| is_year(word) || matches!(word.as_str(), "mix" | "edit" | "inch" | "7" | "12")));
    found.iter().filter(|version| !(plain && *version == Version::Remix)).collect()
}

pub(super) fn is_year(word: &str) -> bool {
    word.len() == 4
        && (word.starts_with("19") || word.starts_with("20"))
        && word.bytes().all(|b| b.is_ascii_digit())
}

/// Words before which, or after which, "live" is the verb.
const BEFORE_VERB: &[&str] = &[
    "long", "to", "we", "i", "you", "they", "people", "who", "let", "lets", "how", "can", "cant", "will",
    "must", "only", "never",
];
const AFTER_VERB: &[&str] = &[
    "your", "my", "it", "and", "to", "forever", "life", "like", "by", "free", "laugh", "love", "without",
    "while", "fast", "die", "me", "this", "wire", "or", "again", "now", "for", "is", "a", "the", "through",
    "more", "well",
];

/// Each "live" with the word before and the words after it.
fn lives(words: &[String]) -> impl Iterator<Item = (&str, &[String])> {
    words.iter().enumerate().filter(|(_, word)| *word == "live").map(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
        (before, words.get(at + 1..).unwrap_or_default())
    })
}

fn is_live_addition(words: &[String]) -> bool {
    lives(words).any(|(before, after)| {
        let next = after.first().map_or("", String::as_str);
        let paired = next == "and" && after.get(1).is_some_and(|word| by_word(word).is_some());
        (!BEFORE_VERB.contains(&before) && !AFTER_VERB.contains(&next)) || paired
    })
}

fn is_live_album(words: &[String]) -> bool {
    lives(words).any(|(before, after)| {
        let next = after.first().map_or("", String::as_str);
        let place = after.get(1).is_some_and(|word| !AFTER_VERB.contains(&word.as_str()));
        match next {
            "" => !BEFORE_VERB.contains(&before),
            "at" | "from" | "on" => after.len() > 1,
            "in" => place,
            "tour" | "album" | "session" | "sessions" | "recording" | "recordings" | "version"
            | "versions" | "bootleg" | "ep" | "aid" | "lounge" => true,
            next => next.chars().all(char::is_numeric),
        }
    })
}

fn has_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| has_phrase(text, phrase))
}

/// Whether the phrase stands in the text as whole words.
pub(super) fn has_phrase(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + phrase.len()..).and_then(|tail| tail.chars().next());
        before.is_none_or(|c| c == ' ') && after.is_none_or(|c| c == ' ')
    })
}

#[cfg(test)]
mod tests {
    use super::super::normalise::words;
    use super::*;

    fn addition(text: &str) -> Vec<Version> {
        in_addition(&words(text)).iter().collect()
    }

    #[test]
    fn an_addition_names_its_version() {
        for (text, version) in [
            ("Live", Version::Live),
            ("Live at Wembley Stadium / July 1986", Version::Live),
            ("Recorded at Spotify Studios NYC", Version::Live),
            ("na żywo", Version::Live),
            ("Wersja koncertowa", Version::Live),
            ("En Vivo", Version::Live),
            ("라이브", Version::Live),
            ("ライブ", Version::Live),
            ("Karaoke Version", Version::Karaoke),
            ("カラオケ", Version::Karaoke),
            ("Originally Performed By Adele", Version::Cover),
            ("Radiohead Cover", Version::Cover),
            ("A Tribute to Queen", Version::Tribute),
            ("Sped Up", Version::SpedUp),
            ("slowed + reverb", Version::Slowed),
            ("8D Audio", Version::EightD),
            ("Imanbek Remix", Version::Remix),
            ("Todd Terje Edit", Version::Remix),
            ("wersja akustyczna", Version::Acoustic),
            ("Demo", Version::Demo),
            ("Taylor's Version", Version::ReRecorded),
            ("Radio Edit", Version::RadioEdit),
            ("Extended Mix", Version::Extended),
        ] {
            assert_eq!(addition(text), vec![version], "{text}");
        }
    }

    #[test]
    fn the_studio_recording_goes_by_many_names() {
        for text in [
            "2011 Remaster",
            "Mono",
            "Deluxe Edition",
            "Single Version",
            "Original Mix",
            "2015 Mix",
            "Long Live",
            "Live Your Life",
        ] {
            assert_eq!(addition(text), vec![], "{text}");
        }
    }

    #[test]
    fn an_album_gives_a_concert_away_unless_it_is_a_play_on_the_word() {
        let live = |album: &str| in_album(&words(album)).contains(Version::Live);
        for album in [
            "Live at Leeds",
            "Live",
            "MTV Unplugged in New York",
            "Live in Paris",
            "Alchemy: Live",
            "Koncert w Trójce",
            "Live 1975-85",
            "Męskie Granie na żywo",
        ] {
            assert!(live(album), "{album}");
        }
        for album in [
            "Live Through This",
            "Live and Let Die",
            "Born to Live",
            "Live in the Moment",
            "Live Your Life",
            "Alive",
            "Deliver",
        ] {
            assert!(!live(album), "{album}");
        }
    }
}
