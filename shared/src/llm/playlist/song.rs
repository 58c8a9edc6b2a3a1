//! Parses one song in any form that models write.

use std::borrow::Cow;

use super::fields::{self, Field};
use crate::text::one_line;
use crate::track::Suggestion;
use crate::words::{pairs, words};

const MAX_SONG_CHARACTERS: usize = 200;

/// The longest reason for a song, in characters (`playlist_tracks_why_length`).
const MAX_WHY_CHARACTERS: usize = 120;

/// The years of release that are plausible: recorded music in catalogues begins about 1900.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;

words! {include_str!("words.txt");
    /// The words of refusals. Lists after them are not songs.
    EXCUSES = "excuses";
    /// HTML entities that models write, and their characters.
    ENTITY_LIST = "entities";
}

const ENTITIES: [(&str, &str); 8] = pairs(ENTITY_LIST);

/// The separators between artist and title.
const DASHES: [&str; 4] = [" – ", " — ", " - ", " − "];

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

/// Returns the text without a list number before it or a link's address.
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
    link.map_or(text, |(shown, _)| shown)
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

/// Returns the songs of a completion without JSON: the lines of a list, at least two of them.
pub(super) fn list(prose: &str) -> Vec<Suggestion> {
    let lower = prose.to_lowercase().replace('’', "'");
    if EXCUSES.iter().any(|excuse| lower.contains(excuse)) {
        return Vec::new();
    }
    let marked = prose.lines().filter_map(|text| without_marker(text.trim()));
    let songs: Vec<_> = marked.filter_map(line).chain(table(prose)).collect();
    if songs.len() < 2 { Vec::new() } else { songs }
}

/// Returns the songs of a Markdown table, whose first row names the columns.
fn table(prose: &str) -> Vec<Suggestion> {
    let mut rows = prose
        .lines()
        .filter_map(|line| line.trim().strip_prefix('|'));
    let cells = |row: &str| {
        row.split('|')
            .map(|cell| cell.trim().replace("**", ""))
            .collect::<Vec<_>>()
    };
    let Some(head) = rows.next().map(cells) else {
        return Vec::new();
    };
    let column = |field| head.iter().position(|name| fields::of(name) == Some(field));
    let (Some(artist), Some(title)) = (column(Field::Artist), column(Field::Title)) else {
        return Vec::new();
    };
    let year_of = |row: &[String]| column(Field::Year).and_then(|at| year(row.get(at)?));
    let is_rule = |row: &[String]| {
        row.iter()
            .all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' ')))
    };
    let rows = rows.map(cells).filter(|row| !is_rule(row));
    rows.filter_map(|row| new(row.get(artist)?, row.get(title)?, year_of(&row)))
        .collect()
}

/// Parses a song in one line: `"Title" by Artist`, `**Artist** – Title (1979)`.
pub(super) fn line(text: &str) -> Option<Suggestion> {
    let text = text.trim();
    let text = without_marker(text)
        .unwrap_or(text)
        .replace("**", "")
        .replace('`', "");
    let (text, year) = without_year(text.trim());
    let (artist, title) = if let Some((title, rest)) = quoted(text) {
        (
            rest.trim_start()
                .strip_prefix("by ")
                .or_else(|| after_dash(rest))?,
            title,
        )
    } else if let Some((artist, title)) = DASHES.iter().find_map(|dash| text.split_once(dash)) {
        (
            artist,
            quoted(title.trim()).map_or(title, |(title, _)| title),
        )
    } else {
        let (title, artist) = text.rsplit_once(" by ")?;
        (artist, title)
    };
    new(artist.trim(), title.trim(), year)
}

/// Returns a quoted text at the beginning, and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let closing = match text.chars().next()? {
        '"' => '"',
        '“' | '„' => '”',
        '«' => '»',
        _ => return None,
    };
    let mut rest = text.chars();
    rest.next();
    rest.as_str().split_once(closing)
}

fn after_dash(text: &str) -> Option<&str> {
    DASHES.iter().find_map(|dash| text.strip_prefix(dash))
}

/// Returns the line without its number or bullet; `None` if it has none.
fn without_marker(line: &str) -> Option<&str> {
    let bullet = line
        .strip_prefix(['-', '*', '•', '–'])
        .filter(|rest| rest.starts_with(' '));
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let marked = rest.strip_prefix(['.', ')', ':'])?;
        (rest.len() < line.len()).then_some(marked)
    };
    bullet.or_else(numbered).map(str::trim)
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
        .iter()
        .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c));
    Cow::Owned(decoded)
}
