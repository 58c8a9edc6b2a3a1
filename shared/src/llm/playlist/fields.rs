//! The names under which models write what they are asked for.

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Kind,
    Language,
    /// A playlist's name; a song's title where nothing else is called so.
    Name,
    Description,
    Summary,
    Artist,
    Title,
    Year,
    Songs,
    /// What we have sent ourselves and the model repeats.
    Echo,
}

/// What the member `key` holds. Case and punctuation make no difference.
pub(super) fn of(key: &str) -> Option<Field> {
    let name: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match name.as_str() {
        "kind" | "type" => Field::Kind,
        "language" | "lang" | "język" => Field::Language,
        "name" | "playlistname" | "playlisttitle" | "nazwa" => Field::Name,
        "description" | "playlistdescription" | "opis" => Field::Description,
        "summary" | "podsumowanie" => Field::Summary,
        "artist" | "artists" | "artistname" | "mainartist" | "performer" | "performers" | "performedby"
        | "band" | "singer" | "by" | "wykonawca" | "wykonawcy" | "artysta" | "zespół" => Field::Artist,
        "title" | "tracktitle" | "songtitle" | "trackname" | "songname" | "track" | "song" | "tytuł"
        | "utwór" | "piosenka" => Field::Title,
        "year" | "releaseyear" | "yearreleased" | "released" | "releasedate" | "rok" => Field::Year,
        "tracks" | "songs" | "playlist" | "items" | "list" | "tracklist" | "songlist" | "suggestions"
        | "recommendations" | "results" | "data" | "music" | "utwory" | "piosenki" | "lista" => Field::Songs,
        "seeds" | "alreadysuggested" | "previous" | "refine" | "excludeartists" | "considered"
        | "excluded" | "rejected" => Field::Echo,
        _ => return None,
    })
}
