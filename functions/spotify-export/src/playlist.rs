//! Reads the playlist to export, and builds the copy's name and description.

use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::supabase::AsUser;
use shared::{Code, Error};
use uuid::Uuid;

use crate::request::ExportRequest;

const COLUMNS: &str = "name,description,playlist_tracks(position,track_uri)";

/// Spotify's limit for a name, in UTF-16 units. It refuses longer names, and line breaks in names and descriptions.
const MAX_NAME: usize = 100;
/// Spotify's limit for a description, in UTF-16 units.
const MAX_DESCRIPTION: usize = 300;
/// The attribution at the end of every description.
const ATTRIBUTION: &str = "Made with Sound Whiskers";
/// The name of a copy whose playlist has no usable one.
const UNNAMED: &str = "Playlist";

/// A playlist of the user, with its tracks in order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Playlist {
    name: String,
    description: Option<String>,
    #[serde(rename = "playlist_tracks")]
    tracks: Vec<Track>,
}

/// A track of a playlist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Track {
    /// Its position, from 1.
    pub position: usize,
    /// `spotify:track:…`
    pub track_uri: String,
}

/// Reads a playlist as its owner.
///
/// # Errors
/// Returns 404 `playlist_not_found` if the user has no playlist with that id, 403 `profile_not_found` if the account
/// was deleted, 409 `playlist_empty` if there are no tracks, or 503 `database_unavailable`.
pub async fn read(database: &AsUser<'_>, owner_id: Uuid, id: Uuid) -> Result<Playlist, Error> {
    let id = id.to_string();
    let rows: Vec<Playlist> = database
        .query(|db| {
            db.from("playlists")
                .select(COLUMNS)
                .eq("id", id)
                .eq("is_deleted", "false")
        })
        .await?;
    let Some(mut playlist) = rows.into_iter().next() else {
        return Err(if has_profile(database, owner_id).await? {
            Error::of(Code::PlaylistNotFound)
        } else {
            Error::of(Code::ProfileNotFound)
        });
    };
    if playlist.tracks.is_empty() {
        return Err(Error::of(Code::PlaylistEmpty));
    }
    playlist.tracks.sort_by_key(|track| track.position);
    Ok(playlist)
}

/// Returns whether the account exists: a token stays valid for a while after the account's deletion.
async fn has_profile(database: &AsUser<'_>, user_id: Uuid) -> Result<bool, Error> {
    let rows: Vec<IgnoredAny> = database
        .query(|db| {
            db.from("profiles")
                .select("user_id")
                .eq("user_id", user_id.to_string())
        })
        .await?;
    Ok(!rows.is_empty())
}

impl Playlist {
    /// Returns the tracks in order.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Returns the copy's name in Spotify's limits.
    pub fn copy_name(&self, request: &ExportRequest) -> String {
        let name = fit(request.name.as_deref().unwrap_or(&self.name), MAX_NAME);
        if name.is_empty() {
            UNNAMED.to_owned()
        } else {
            name
        }
    }

    /// Returns the copy's description in Spotify's limits, with the attribution.
    pub fn copy_description(&self, request: &ExportRequest) -> String {
        let own = request
            .description
            .as_deref()
            .or(self.description.as_deref())
            .unwrap_or_default();
        let separator = " · ";
        let room = MAX_DESCRIPTION - length(ATTRIBUTION) - length(separator);
        match fit(own, room) {
            own if own.is_empty() => ATTRIBUTION.to_owned(),
            own => format!("{own}{separator}{ATTRIBUTION}"),
        }
    }
}

/// Counts UTF-16 code units. If Spotify counts characters, this is on the safe side, because an emoji counts twice.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Returns one line of at most `max` units, cut after a whole word if possible, with an ellipsis.
fn fit(text: &str, max: usize) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if is_break(c) { ' ' } else { c })
        .collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if length(&line) <= max {
        return line;
    }
    let mut units = 1; // The ellipsis.
    let kept: String = line
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= max
        })
        .collect();
    let whole_words = kept.rsplit_once(' ').map_or("", |(before, _)| before);
    let kept = if length(whole_words) * 2 > max {
        whole_words
    } else {
        &kept
    };
    // A joiner of the removed character would be left alone.
    format!(
        "{}…",
        kept.trim_end_matches(['\u{200d}', '\u{fe0f}', ' ', ',', ';', ':', '-'])
    )
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn playlist(name: &str, description: Option<&str>) -> Playlist {
        Playlist {
            name: name.to_owned(),
            description: description.map(Into::into),
            tracks: Vec::new(),
        }
    }

    fn request(name: Option<&str>, description: Option<&str>) -> ExportRequest {
        ExportRequest {
            playlist_id: Uuid::nil(),
            name: name.map(Into::into),
            description: description.map(Into::into),
            new_copy: false,
        }
    }

    #[test]
    fn export_defaults_to_the_playlists_own_texts() {
        let own = playlist("Deszczowy wieczór", Some("Cicho i ciepło."));
        assert_eq!(own.copy_name(&request(None, None)), "Deszczowy wieczór");
        assert_eq!(own.copy_name(&request(Some("Rain"), None)), "Rain");
        let description = |request| own.copy_description(&request);
        assert_eq!(
            description(request(None, None)),
            "Cicho i ciepło. · Made with Sound Whiskers"
        );
        assert_eq!(
            description(request(None, Some("Calm"))),
            "Calm · Made with Sound Whiskers"
        );
        assert_eq!(
            description(request(None, Some(""))),
            "Made with Sound Whiskers"
        );
        assert_eq!(
            playlist("x", None).copy_description(&request(None, None)),
            "Made with Sound Whiskers"
        );
    }

    #[test]
    fn texts_fit_on_one_line_within_the_limits() {
        let wild = "a\r\nb\u{2028}c\t\u{0}d";
        assert_eq!(
            playlist(wild, None).copy_name(&request(None, None)),
            "a b c d"
        );
        for text in [
            "x".repeat(500),
            "słowo ".repeat(100),
            "👩‍👩‍👧‍👦".repeat(60),
            "🎵".repeat(300),
        ] {
            let long = playlist(&text, Some(&text));
            let (name, description) = (
                long.copy_name(&request(None, None)),
                long.copy_description(&request(None, None)),
            );
            assert!(length(&name) <= 100 && name.ends_with('…'), "{name}");
            assert!(
                length(&description) <= 300 && description.ends_with(ATTRIBUTION),
                "{description}"
            );
            assert!(length(&name) > 50, "{name}");
        }
    }

    #[test]
    fn cuts_a_long_name_after_a_word() {
        let name = playlist(&"wieczór ".repeat(20), None).copy_name(&request(None, None));
        assert!(name.ends_with("wieczór…"), "{name}");
    }

    #[test]
    fn copy_always_has_a_name() {
        assert_eq!(
            playlist("\u{2028}", None).copy_name(&request(None, None)),
            "Playlist"
        );
    }
}
