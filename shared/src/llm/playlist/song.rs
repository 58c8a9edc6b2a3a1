//! Parses one song in any form that models write.

use std::borrow::Cow;

use super::fields::{self, Field};
use crate::text::one_line;
use crate::track::Suggestion;
use crate::words::words;

const MAX_SONG_CHARACTERS: usize = 200;

/// The longest reason for a song, in characters (`playlist_tracks_why_length`).
const MAX_WHY_CHARACTERS: usize = 120;

/// The years of release that are plausible: recorded music in catalogues begins about 1900.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;

words! {include_str!("words.txt");
    /// The words of refusals. Lists after them are not songs.
    EXCUSES = "excuses";
    /// HTML entities that models write, and their characters.
    ENTITIES = "entities";
}

/// The separators between artist and title.
const DASHES: [&str; 4] = [" – ", " — ", " - ", " − "];

/// The separators that models use less often.
const OTHERS: [&str; 3] = [" -- ", " | ", " ~ "];

/// The separators that sentences have, too: "Mood: calm".
const DOUBTFUL: [&str; 5] = [" / ", "; ", "–", "—", ": "];

/// Creates a song; returns `None` if artist or title is empty.
pub(super) fn new(artist: &str, title: &str, year: Option<i32>) -> Option<Suggestion> {
    let (artist, title) = (plain(artist), plain(title));
    let artist = clean(artist, MAX_SONG_CHARACTERS);
    let title = clean(without_artist(title, &artist), MAX_SONG_CHARACTERS);
    (!artist.is_empty() && !title.is_empty()).then_some(Suggestion {
        artist,
        title,
        year,
    })
}

/// Returns the reason for a song, cut after a word; `None` if the model gives none.
pub(super) fn why(text: &str) -> Option<String> {
    let line = clean(
        text.trim_matches(['"', '*', '“', '”', '„', ' ']),
        MAX_WHY_CHARACTERS + 1,
    );
    if !line.contains(char::is_alphanumeric) {
        return None;
    }
    if line.chars().count() <= MAX_WHY_CHARACTERS {
        return Some(line);
    }
    let cut: String = line.chars().take(MAX_WHY_CHARACTERS - 1).collect();
    let words = cut
        .rsplit_once(' ')
        .map_or(cut.as_str(), |(words, _)| words);
    Some(format!(
        "{}…",
        words.trim_end_matches(|c: char| !c.is_alphanumeric())
    ))
}

/// Returns the text without a list number before it, a link's address, or marks around it.
fn plain(text: &str) -> &str {
    let text = text.trim();
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = rest.len() < text.len() && text.len() - rest.len() <= 2;
    let unnumbered = rest
        .strip_prefix(". ")
        .or_else(|| rest.strip_prefix(") "))
        .filter(|_| is_numbered);
    let text = unnumbered.unwrap_or(text).trim();
    let link = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]("));
    let text = link.map_or(text, |(shown, _)| shown);
    let marks = "\"“”„«»‘「」*_,: ";
    let unmarked = without_start(text, marks).trim_end_matches(|c| marks.contains(c));
    let is_quoted = unmarked.len() > 1 && unmarked.starts_with('\'') && unmarked.ends_with('\'');
    match unmarked {
        "" => text,
        quoted if is_quoted => quoted.trim_matches('\''),
        unmarked => unmarked.trim_end_matches('’'),
    }
}

/// Parses a year as models write it: `1979`, `1979.0`, `1979s`, `1979-05-01`.
pub(super) fn year(text: &str) -> Option<i32> {
    let digits: String = text
        .trim()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits
        .parse()
        .ok()
        .filter(|year| PLAUSIBLE_YEARS.contains(year))
}

/// Returns the songs of a completion without JSON: of a list, a table, labelled members (YAML, XML), or lines; at least
/// two of them.
pub(super) fn list(prose: &str) -> Vec<Suggestion> {
    let lower = prose.to_lowercase().replace('’', "'");
    if EXCUSES.iter().any(|excuse| lower.contains(excuse)) {
        return Vec::new();
    }
    let (mut marked, mut plain, mut lines) = (Vec::new(), Vec::new(), 0);
    for piece in prose.split(['\n', '<']) {
        // A tag may begin a line: "<li>".
        let text = match piece.split_once('>') {
            Some((tag, text)) if tag.len() < 4 => text.trim(),
            _ => piece.trim(),
        };
        lines += usize::from(!text.is_empty());
        marked.extend(without_marker(text).and_then(|text| split(text, &[])));
        let is_sentence = text.ends_with(['.', ':', '?', '!']);
        plain.extend(split(text, &[]).filter(|_| !is_sentence));
    }
    // Sentences have dashes, too.
    if plain.len() * 2 < lines {
        plain.clear();
    }
    [table(prose), labelled(prose), marked, plain]
        .into_iter()
        .find(|songs| songs.len() > 1)
        .unwrap_or_default()
}

/// Returns the songs of a table in Markdown or CSV, which names its columns.
fn table(prose: &str) -> Vec<Suggestion> {
    let mut songs = Vec::new();
    for separator in ['|', '\t', ';', ','] {
        let mut columns = None;
        for row in prose.lines() {
            let cells: Vec<&str> = row.split(separator).collect();
            let column = |field| {
                cells
                    .iter()
                    .position(|name| fields::of(name) == Some(field))
            };
            let Some((artist, title, year_at)) = columns else {
                let names = column(Field::Artist).zip(column(Field::Title));
                columns = names.map(|(artist, title)| (artist, title, column(Field::Year)));
                continue;
            };
            let (Some(artist), Some(title)) = (cells.get(artist), cells.get(title)) else {
                continue;
            };
            if title.contains(char::is_alphanumeric) {
                let year = year_at.and_then(|at| year(cells.get(at)?));
                songs.extend(new(artist, title, year));
            }
        }
        if !songs.is_empty() {
            break;
        }
    }
    songs
}

/// Returns the songs of lines or tags such as `artist: Dżem`, `title = "Whisky"`, `<title>Whisky</title>`.
fn labelled(prose: &str) -> Vec<Suggestion> {
    let (mut artist, mut title, mut songs) = (None, None, Vec::new());
    for piece in prose.split(['\n', '<']) {
        let Some((label, text)) = piece.split_once([':', '=', '>']) else {
            continue;
        };
        match fields::guess(label).filter(|_| label.len() < 24 && !text.trim().is_empty()) {
            Some(Field::Artist) => artist = Some(text),
            Some(Field::Title) => title = Some(text),
            _ => {}
        }
        if let (Some(by), Some(name)) = (artist, title) {
            songs.extend(new(by, name, None));
            (artist, title) = (None, None);
        }
    }
    songs
}

/// Parses a song in one line: `"Title" by Artist`, `**Artist** – Title (1979)`, `Artist: "Title"`.
pub(super) fn line(text: &str) -> Option<Suggestion> {
    split(text, &DOUBTFUL)
}

/// Parses a song in one line, with these doubtful separators as the last choice.
fn split(text: &str, doubtful: &[&str]) -> Option<Suggestion> {
    let text = text.trim();
    let text = without_marker(text).unwrap_or(text);
    // Bold is only the title in "**Title** by Artist".
    let bold = if text.contains("** by ") && !text.contains('"') {
        "\""
    } else {
        ""
    };
    let text = text.replace("**", bold).replace(['`', '\\'], "");
    let (text, year) = without_year(text.trim());
    if let Some((first, rest)) = quoted(text) {
        let rest = rest.trim_start();
        let other = without_start(rest, ", -–—−:");
        let other = other.strip_prefix("by ").unwrap_or(other);
        if other.len() == rest.len() {
            return None;
        }
        if let Some((title, _)) = quoted(other) {
            return new(first, title, year);
        }
        let end = remark_at(other).or(other.find(": ")).unwrap_or(other.len());
        let (artist, of_song) = without_year(other.get(..end)?);
        return new(artist, first, year.or(of_song));
    }
    let at = |dashes: &[&str]| dashes.iter().find_map(|dash| text.split_once(dash));
    if let Some((artist, title)) = at(&DASHES) {
        // "Artist - Title (1979) - a remark".
        let song = remark_at(title).and_then(|end| Some(without_year(title.get(..end)?)));
        let (title, year) = song
            .filter(|(_, year)| year.is_some())
            .unwrap_or((title, year));
        let title = quoted(title.trim()).map_or(title, |(title, _)| title);
        return new(artist, title, year);
    }
    if let Some((artist, title)) = text.split_once(['"', '“', '„'])
        && (!doubtful.is_empty() || artist.trim_end().ends_with(':'))
    {
        return new(artist, title, year);
    }
    let (artist, title) = text
        .rsplit_once(" by ")
        .map(|(title, artist)| (artist, title))
        .or_else(|| at(&OTHERS))
        .or_else(|| at(doubtful))?;
    new(artist, title, year)
}

/// Returns a quoted text at the beginning, and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let opening = text.chars().next()?;
    let closing = match opening {
        '"' | '*' | '_' => opening,
        '“' | '„' => '”',
        '‘' => '’',
        '«' => '»',
        '「' => '」',
        _ => return None,
    };
    text.get(opening.len_utf8()..)?.split_once(closing)
}

/// Returns where a remark after a dash begins.
fn remark_at(text: &str) -> Option<usize> {
    DASHES.iter().filter_map(|dash| text.find(dash)).min()
}

fn after_dash(text: &str) -> Option<&str> {
    DASHES.iter().find_map(|dash| text.strip_prefix(dash))
}

fn without_start<'t>(text: &'t str, marks: &str) -> &'t str {
    text.trim_start_matches(|c| marks.contains(c))
}

/// Returns the line without its number or bullet; `None` if it has none.
fn without_marker(line: &str) -> Option<&str> {
    let rest = without_start(line, " #>*-•–+◦·▪●♪🎵🎶");
    let before = line.get(..line.len() - rest.len()).unwrap_or_default();
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let marks: &[&str] = if before.starts_with('#') {
        &[".", ")", ":", " "]
    } else {
        &[".", ")", ":", " - "]
    };
    let numbered = marks
        .iter()
        .find_map(|mark| Some((mark, after.strip_prefix(mark)?)))
        // "311 - Amber" is a band and its song.
        .filter(|(mark, song)| **mark != " - " || song.contains(" - "))
        .map(|(_, song)| song)
        .filter(|_| matches!(rest.len() - after.len(), 1..=3));
    numbered
        .or(Some(rest).filter(|_| before.ends_with(' ')))
        .map(str::trim)
}

/// Returns the line without a year in brackets at its end, and that year.
fn without_year(line: &str) -> (&str, Option<i32>) {
    let parts = line
        .strip_suffix([')', ']'])
        .and_then(|line| line.rsplit_once(['(', '[']));
    match parts.and_then(|(rest, inside)| Some((rest, year(inside).filter(|_| inside.len() == 4)?)))
    {
        Some((rest, year)) => (rest.trim_end(), Some(year)),
        None => (line, None),
    }
}

/// Returns the title without the artist's name, which some models add before or after it.
fn without_artist<'a>(title: &'a str, artist: &str) -> &'a str {
    let Some(rest) = title.trim().strip_prefix(artist) else {
        let by = title
            .strip_suffix(artist)
            .and_then(|title| title.trim_end().strip_suffix(" by"));
        return by.filter(|title| !title.trim().is_empty()).unwrap_or(title);
    };
    after_dash(rest)
        .filter(|rest| !rest.trim().is_empty())
        .unwrap_or(title)
}

/// Returns the text on one line.
pub(super) fn clean(text: &str, max_characters: usize) -> String {
    one_line(&without_entities(text), max_characters)
}

/// Decodes the few HTML entities that models write.
fn without_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let decoded = ENTITIES
        .pairs()
        .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c));
    Cow::Owned(decoded)
}
