//! A title taken apart: the song's own name, and what is said about this recording of it.

use std::iter::repeat;

use super::{
    markers::{in_addition, is_year, unmistakable},
    normalise::{MAX_CHARS, cut, normalise, words},
    script,
    similarity::title_similarity,
    version::Versions,
};

/// A title's parts, all normalised.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Title {
    /// The name without anything in brackets or after a dash; part numbers stay.
    pub main: String,
    /// The name with its subtitles, where it has any.
    pub full: String,
    /// The subtitles alone.
    pub subtitle: String,
    /// What the piece is better known by: its nickname or its movement's own name.
    pub known_as: Vec<String>,
    pub featured: Vec<String>,
    pub versions: Versions,
    /// The words that name the version ("imanbek remix"), each group behind a space.
    pub version_text: String,
    /// Artists of whom a karaoke or cover track says that it imitates them.
    pub imitated: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Main,
    Addition,
}

impl Title {
    pub(super) fn parse(text: &str) -> Self {
        let mut title = Self::default();
        let (mut main, mut full, mut subtitle) = (Vec::new(), Vec::new(), Vec::new());
        for (place, piece) in pieces(cut(text)) {
            let piece_words = words(&piece);
            let (own, featured) = without_featured(&piece_words, place);
            title.featured.extend(featured);
            match (place, Addition::of(own)) {
                _ if own.is_empty() => {}
                (Place::Main, _) | (Place::Addition, Addition::Part) => {
                    main.extend_from_slice(own);
                    full.extend_from_slice(own);
                }
                (Place::Addition, Addition::Subtitle) => {
                    full.extend_from_slice(own);
                    subtitle.extend_from_slice(own);
                }
                (Place::Addition, Addition::Version(versions)) => {
                    title.versions = title.versions.union(versions);
                    title.version_text = [title.version_text, own.join(" ")].join(" ");
                    title.imitated.extend(imitated(own));
                }
                (Place::Addition, Addition::Neutral) => {}
            }
        }
        title.known_as = known_as(cut(text));
        title.main = if main.is_empty() { normalise(text) } else { normalise(&main.join(" ")) };
        title.full = if full.is_empty() { title.main.clone() } else { normalise(&full.join(" ")) };
        title.subtitle = subtitle.join(" ");
        title
    }

    /// Says how alike two songs' names are; a subtitle may be missing on one side.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        let mut best = title_similarity(&self.full, &other.full);
        if self.subtitle.is_empty() || other.subtitle.is_empty() {
            let mains = [(&self.main, &other.main), (&self.full, &other.main), (&self.main, &other.full)];
            for (mine, theirs) in mains {
                if (mine, theirs) != (&self.full, &other.full) {
                    best = best.max(0.98 * title_similarity(mine, theirs));
                }
            }
            // "봄날 (Spring Day)" and "I'm Gonna Be (500 Miles)" are known by either name.
            let mut other_name = |subtitle: &str, hosting: &str, name: &str| {
                if script::differ(hosting, name) || subtitle.contains(' ') {
                    best = best.max(0.95 * title_similarity(subtitle, name));
                }
            };
            other_name(&other.subtitle, &other.main, &self.main);
            other_name(&self.subtitle, &self.main, &other.main);
        }
        let (mine, theirs) =
            (self.known_as.iter().zip(repeat(other)), other.known_as.iter().zip(repeat(self)));
        for (name, title) in mine.chain(theirs) {
            best = best.max(0.95 * title_similarity(name, &title.full));
        }
        best
    }

    /// The versions named by bare words behind the other's name: "Creep live at Glastonbury".
    ///
    /// The words are moved out of this title's name, so that the two compare as the same song.
    pub(super) fn split_off_version(&mut self, name: &str) {
        let Some(rest) = self.main.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')) else {
            return;
        };
        if let Addition::Version(versions) = Addition::of(&words(rest)) {
            self.versions = self.versions.union(versions);
            self.version_text = [rest, &self.version_text].join(" ");
            self.full = self.full.replacen(&self.main, name, 1);
            name.clone_into(&mut self.main);
        }
    }
}

/// The names in "Bagatelle No. 25 "Für Elise"" and "Suite bergamasque: III. Clair de lune".
fn known_as(text: &str) -> Vec<String> {
    let own = pieces(text).into_iter().next().map_or_else(String::new, |(_, own)| own);
    let quoted = match own.split(['"', '“', '”']).collect::<Vec<_>>().as_slice() {
        [before, quoted, _, ..] if before.chars().any(char::is_alphanumeric) => Some(normalise(quoted)),
        _ => None,
    };
    let is_numeral = |word: &str| !word.is_empty() && word.chars().all(|c| matches!(c, 'I' | 'V' | 'X'));
    let movement = own
        .rsplit_once(": ")
        .and_then(|(_, movement)| movement.split_once(". "))
        .filter(|(numeral, _)| is_numeral(numeral))
        .map(|(_, name)| normalise(name))
        .filter(|name| name.contains(' '));
    quoted.into_iter().chain(movement).filter(|name| !name.is_empty()).collect()
}

/// The title in its own spelling, without guests and versions; part numbers and subtitles stay.
pub(super) fn bare_title(text: &str) -> String {
    let text = cut(text);
    let mut bare = Vec::new();
    for (place, piece) in pieces(text) {
        let piece_words = words(&piece);
        let (own, _) = without_featured(&piece_words, place);
        let stays = place == Place::Main || matches!(Addition::of(own), Addition::Part | Addition::Subtitle);
        if stays && !own.is_empty() {
            // Guests stand last.
            let guests = own.len() < piece_words.len();
            let kept: Vec<&str> =
                piece.split_whitespace().take_while(|word| !guests || !is_feat_word(word)).collect();
            bare.push(kept.join(" "));
        }
    }
    if bare.is_empty() { text.to_owned() } else { bare.join(" ") }
}

fn is_feat_word(word: &str) -> bool {
    matches!(word.trim_end_matches('.').to_lowercase().as_str(), "feat" | "ft" | "featuring")
}

/// What a bracket, or the words behind a dash, are about.
enum Addition {
    Version(Versions),
    /// Another name of the studio recording: remaster, mono, bonus track, "From …".
    Neutral,
    /// "Part 2" tells songs apart.
    Part,
    Subtitle,
}

impl Addition {
    fn of(words: &[String]) -> Self {
        let Some(first) = words.first() else { return Self::Neutral };
        if words.len() == 1 && is_year(first) {
            return Self::Neutral;
        }
        let versions = in_addition(words);
        if !versions.is_empty() {
            return Self::Version(versions);
        }
        if words.iter().any(|word| is_neutral(word))
            || matches!(first.as_str(), "from" | "z" | "prod" | "produced")
        {
            return Self::Neutral;
        }
        let is_part = matches!(
            first.as_str(),
            "part" | "vol" | "volume" | "chapter" | "cz" | "czesc" | "no" | "nr" | "act"
        );
        let is_number =
            words.len() == 1 && first.chars().all(|c| c.is_numeric() || matches!(c, 'i' | 'v' | 'x'));
        if is_part || is_number { Self::Part } else { Self::Subtitle }
    }
}

fn is_neutral(word: &str) -> bool {
    word.starts_with("remaster")
        || matches!(
            word,
            "deluxe"
                | "mono"
                | "stereo"
                | "anniversary"
                | "edition"
                | "version"
                | "wersja"
                | "bonus"
                | "explicit"
                | "clean"
                | "original"
                | "soundtrack"
                | "ost"
                | "single"
                | "album"
                | "edycja"
                | "zremasterowana"
                | "zremasterowany"
                | "mix"
                | "edit"
                | "reissue"
                | "dirty"
                | "digital"
                | "remastering"
        )
}

/// A title's pieces in order; brackets within brackets belong to the outer ones.
fn pieces(text: &str) -> Vec<(Place, String)> {
    let mut pieces = Vec::new();
    let (mut piece, mut place, mut depth) = (String::new(), Place::Main, 0_usize);
    // Where the text goes on when a bracket closes.
    let mut outside = Place::Main;
    let mut previous = ' ';
    let mut rest = text.chars().take(MAX_CHARS).peekable();
    while let Some(c) = rest.next() {
        let spaced = previous.is_whitespace() || rest.peek().is_none_or(|next| next.is_whitespace());
        previous = c;
        let next_place = match c {
            '(' | '[' | '{' | '（' | '【' | '［' => {
                depth += 1;
                if depth > 1 {
                    piece.push(' ');
                    continue;
                }
                Place::Addition
            }
            ')' | ']' | '}' | '）' | '】' | '］' if depth > 0 => {
                depth -= 1;
                if depth > 0 {
                    piece.push(' ');
                    continue;
                }
                outside
            }
            '-' | '–' | '—' if spaced && depth == 0 && has_words(&pieces, &piece) => Place::Addition,
            // "Live at Wembley / July 1986" is one addition.
            '/' | '|' | '~' if spaced && depth == 0 && place == Place::Main && has_words(&pieces, &piece) => {
                Place::Addition
            }
            '〜' | '～' if depth == 0 && has_words(&pieces, &piece) => Place::Addition,
            c => {
                piece.push(c);
                continue;
            }
        };
        pieces.push((place, std::mem::take(&mut piece)));
        place = next_place;
        if depth == 0 {
            outside = next_place;
        }
    }
    pieces.push((place, piece));
    pieces
}

/// A dash separates only what follows a name.
fn has_words(pieces: &[(Place, String)], piece: &str) -> bool {
    let is_word = |text: &str| text.chars().any(char::is_alphanumeric);
    is_word(piece) || pieces.iter().any(|(_, text)| is_word(text))
}

/// Splits "umbrella feat jay z" into the name and the artists; in a bracket "with" does it too.
fn without_featured(words: &[String], place: Place) -> (&[String], Vec<String>) {
    let opens = |at: usize, word: &str| match place {
        Place::Main => at > 0 && is_feat_word(word),
        Place::Addition => is_feat_word(word) || (at == 0 && word == "with"),
    };
    match words.iter().enumerate().find(|(at, word)| opens(*at, word)) {
        Some((at, _)) => {
            let (own, featured) = words.split_at(at);
            (own, artists_in(featured.get(1..).unwrap_or_default()))
        }
        None => (words, Vec::new()),
    }
}

/// The artists in "jay z and rihanna": each, and the whole.
fn artists_in(words: &[String]) -> Vec<String> {
    let mut artists: Vec<String> =
        words.split(|word| word == "and").map(|name| normalise(&name.join(" "))).collect();
    artists.push(normalise(&words.join(" ")));
    artists.retain(|artist| !artist.is_empty());
    artists.dedup();
    artists
}

/// The artist in "originally performed by adele karaoke version".
fn imitated(words: &[String]) -> Option<String> {
    let text = words.join(" ");
    let name = [
        "performed by ",
        "originally by ",
        "made famous by ",
        "made popular by ",
        "in the style of ",
        "tribute to ",
    ]
    .iter()
    .find_map(|phrase| text.split_once(phrase))
    .map(|(_, name)| name.trim_end_matches(" karaoke version").trim_end_matches(" version"))?;
    Some(normalise(name))
}

/// The versions that a parsed candidate is, by the words of its name that the song's own lacks.
pub(super) fn unmistakable_in(candidate: &Title, wanted_name: &Title) -> Versions {
    let extra: Vec<String> =
        words(&candidate.full).into_iter().filter(|word| !words(&wanted_name.full).contains(word)).collect();
    unmistakable(&extra)
}

#[cfg(test)]
mod tests {
    use super::super::Version;
    use super::*;

    #[test]
    fn a_title_is_taken_apart() {
        let title = Title::parse("Umbrella (feat. JAY-Z) - Live at Wembley");
        assert_eq!(title.main, "umbrella");
        assert_eq!(title.featured, ["jay z"]);
        assert!(title.versions.contains(Version::Live));

        let title = Title::parse("(I Can't Get No) Satisfaction - Mono Version");
        assert_eq!(
            (title.main.as_str(), title.full.as_str()),
            ("satisfaction", "i cant get no satisfaction")
        );
        assert!(title.versions.is_empty());

        let title = Title::parse("Another Brick in the Wall, Pt. 2 (2011 Remaster)");
        assert_eq!(title.main, "another brick in the wall part 2");
        assert_eq!(Title::parse("Another Brick in the Wall (Part 2)").main, title.main);
    }

    #[test]
    fn a_word_that_is_the_title_itself_is_no_version() {
        for name in [
            "Live and Let Die",
            "Live Forever",
            "Cover Me",
            "Demons",
            "Acoustic #3",
            "Remix to Ignition",
            "Karaoke",
            "Tribute",
            "Long Live",
            "Instrumental",
        ] {
            assert!(Title::parse(name).versions.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_subtitle_may_be_missing_but_not_differ() {
        let similarity = |a: &str, b: &str| Title::parse(a).similarity(&Title::parse(b));
        assert!(similarity("Running Up That Hill", "Running Up That Hill (A Deal With God)") > 0.95);
        assert!(similarity("Requiem - Lacrimosa", "Requiem - Dies irae") < 0.7);
        assert!(similarity("Spring Day", "봄날 (Spring Day)") > 0.9);
        assert!(similarity("Für Elise", "Bagatelle No. 25 in A Minor \"Für Elise\"") > 0.9);
        assert!(similarity("Clair de lune", "Suite bergamasque: III. Clair de lune") > 0.9);
    }

    #[test]
    fn bare_words_behind_the_name_are_split_off_when_they_name_a_version() {
        let mut title = Title::parse("Creep live at Glastonbury");
        title.split_off_version("creep");
        assert_eq!(title.main, "creep");
        assert!(title.versions.contains(Version::Live));

        let mut title = Title::parse("Live Forever");
        title.split_off_version("live");
        assert_eq!(title.main, "live forever");
    }
}
