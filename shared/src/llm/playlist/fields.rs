//! The names that models use for the members of the answer.

/// The meaning of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Kind,
    Language,
    /// A playlist's name; a song's title if no other member is called so.
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
        "why" | "reason" | "rationale" | "explanation" | "note" | "comment" | "dlaczego" | "powód"
        | "uzasadnienie" => Field::Why,
        "tracks" | "songs" | "playlist" | "items" | "list" | "tracklist" | "songlist" | "suggestions"
        | "recommendations" | "results" | "data" | "music" | "utwory" | "piosenki" | "lista" => Field::Songs,
        "seeds" | "alreadysuggested" | "previous" | "refine" | "excludeartists" | "considered"
        | "excluded" | "rejected" => Field::Echo,
        _ => return None,
    })
}
