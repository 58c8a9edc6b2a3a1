//! Builds the queries of a catalogue search.

use super::{bare_title::bare_title, fold::cut};
use crate::track::Suggestion;

/// The catalogue refuses longer queries.
const MAX_QUERY_CHARS: usize = 250;
/// The most characters of each of the two quoted fields, without quotes and field names.
const MAX_FIELD_CHARS: usize = 110;

/// Returns the precise query: `track:"…" artist:"…"`, without guests, version and quotes. An empty part is omitted.
#[must_use]
pub fn field_query(suggestion: &Suggestion) -> String {
    let field = |name: &str, text: &str| {
        let words: String = unquoted(text).chars().take(MAX_FIELD_CHARS).collect();
        Some(words.trim_end())
            .filter(|words| !words.is_empty())
            .map(|words| format!("{name}:\"{words}\""))
    };
    let title = field("track", &bare_title(&suggestion.title));
    let artist = field("artist", primary_artist(&suggestion.artist));
    title
        .into_iter()
        .chain(artist)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns the lenient query, for use if the precise one finds nothing: title and artist in plain words.
#[must_use]
pub fn free_query(suggestion: &Suggestion) -> String {
    let query = format!(
        "{} {}",
        unquoted(&bare_title(&suggestion.title)),
        unquoted(cut(&suggestion.artist))
    );
    query
        .chars()
        .take(MAX_QUERY_CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Removes characters with a meaning in queries. A word with an apostrophe finds nothing within a field filter, so
/// the apostrophe is removed and the word stays whole: the catalogue's index does the same.
fn unquoted(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '＇'))
        .map(|c| {
            if matches!(
                c,
                '"' | ':' | '“' | '”' | '„' | '«' | '»' | '＂' | '：' | '*'
            ) || c.is_control()
            {
                ' '
            } else {
                c
            }
        })
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the name before "feat.": the catalogue lists guests separately.
fn primary_artist(artist: &str) -> &str {
    let artist = cut(artist);
    // ASCII alone, so that positions stay the same.
    let lower = artist.to_ascii_lowercase();
    let end = [
        " feat. ",
        " feat ",
        " ft. ",
        " ft ",
        " featuring ",
        " (feat",
        " (ft",
    ]
    .iter()
    .filter_map(|guest| lower.find(guest))
    .min();
    end.and_then(|end| artist.get(..end)).unwrap_or(artist)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggestion(artist: &str, title: &str) -> Suggestion {
        Suggestion {
            artist: artist.to_owned(),
            title: title.to_owned(),
            year: None,
        }
    }

    #[test]
    fn field_query_has_the_bare_title_and_the_primary_artist() {
        for (artist, title, query) in [
            (
                "Queen",
                "Bohemian Rhapsody - Remastered 2011",
                r#"track:"Bohemian Rhapsody" artist:"Queen""#,
            ),
            (
                "Rihanna FEAT. JAY-Z",
                "Umbrella",
                r#"track:"Umbrella" artist:"Rihanna""#,
            ),
            (
                "Rihanna feat. JAY-Z",
                "Umbrella (feat. JAY-Z)",
                r#"track:"Umbrella" artist:"Rihanna""#,
            ),
            (
                "Dżem",
                "Sen o Victorii (na żywo)",
                r#"track:"Sen o Victorii" artist:"Dżem""#,
            ),
            (
                "Guns N' Roses",
                "Sweet Child O' Mine",
                r#"track:"Sweet Child O Mine" artist:"Guns N Roses""#,
            ),
            (
                "The Rolling Stones",
                "(I Can't Get No) Satisfaction",
                r#"track:"I Cant Get No Satisfaction" artist:"The Rolling Stones""#,
            ),
            (
                "A\" artist:\"B",
                "x\" OR year:1900",
                r#"track:"x OR year 1900" artist:"A artist B""#,
            ),
        ] {
            assert_eq!(field_query(&suggestion(artist, title)), query);
        }
    }

    #[test]
    fn field_query_omits_empty_parts() {
        assert_eq!(field_query(&suggestion("", "Arahja")), r#"track:"Arahja""#);
        assert_eq!(field_query(&suggestion("Kult", "")), r#"artist:"Kult""#);
        assert_eq!(field_query(&suggestion("\"", ":")), "");
        assert_eq!(free_query(&suggestion("Kult", "")), "Kult");
    }

    #[test]
    fn free_query_has_plain_words() {
        assert_eq!(
            free_query(&suggestion("Kult", "Polska - Live")),
            "Polska Kult"
        );
        assert_eq!(
            free_query(&suggestion("!!!", "***")),
            "*** !!!".replace('*', "").trim()
        );
    }

    #[test]
    fn queries_keep_the_length_limit() {
        let endless = suggestion(&"ż".repeat(5_000), &"ó ".repeat(5_000));
        assert!(field_query(&endless).chars().count() <= MAX_QUERY_CHARS);
        assert!(free_query(&endless).chars().count() <= MAX_QUERY_CHARS);
    }
}
