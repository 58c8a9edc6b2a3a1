//! The names that models use for the members of the completion.

use crate::words::{Words, words};

words! {include_str!("words.txt");
    KIND = "field-kind";
    LANGUAGE = "field-language";
    NAME = "field-name";
    DESCRIPTION = "field-description";
    SUMMARY = "field-summary";
    ARTIST = "field-artist";
    TITLE = "field-title";
    YEAR = "field-year";
    WHY = "field-why";
    SONGS = "field-songs";
    ECHO = "field-echo";
    /// Parts of other names for the performer, in many languages.
    ARTIST_STEMS = "stems-artist";
    /// Parts of other names for the title.
    TITLE_STEMS = "stems-title";
}

const FIELDS: [(Field, Words); 11] = [
    (Field::Kind, KIND),
    (Field::Language, LANGUAGE),
    (Field::Name, NAME),
    (Field::Description, DESCRIPTION),
    (Field::Summary, SUMMARY),
    (Field::Artist, ARTIST),
    (Field::Title, TITLE),
    (Field::Year, YEAR),
    (Field::Why, WHY),
    (Field::Songs, SONGS),
    (Field::Echo, ECHO),
];

/// The meaning of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Kind,
    Language,
    /// A playlist's name; a song's title if the song has no other title.
    Name,
    Description,
    Summary,
    Artist,
    Title,
    Year,
    Why,
    Songs,
    /// A member of our request that the model repeats.
    Echo,
}

/// Returns the meaning of the member `key`. Case and punctuation are ignored.
pub(super) fn of(key: &str) -> Option<Field> {
    let name = normalised(key);
    FIELDS
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(field, _)| *field)
}

/// Returns the likely meaning of a member with an unknown name, such as `song_artist` or `titre`.
pub(super) fn guess(key: &str) -> Option<Field> {
    let name = normalised(key);
    let stems = [
        (Field::Why, WHY),
        (Field::Artist, ARTIST_STEMS),
        (Field::Title, TITLE_STEMS),
    ];
    stems
        .iter()
        .find(|(_, stems)| stems.iter().any(|stem| name.contains(stem)))
        .map(|(field, _)| *field)
}

fn normalised(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
