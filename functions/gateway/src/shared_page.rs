//! Builds the document of a shared playlist: the page with metadata for previews of links.

use serde_json::Value;

/// The number of songs that a preview names if the playlist has no description.
const NAMED_SONGS: usize = 5;

/// Returns whether a text has the form of a share's id, which is a UUID.
pub fn is_share_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Returns the page's document with the playlist's name and description, and closed to search engines. `playlist` is
/// `None` if there is no such playlist, or it could not be read.
pub fn document(html: &str, playlist: Option<&Value>) -> String {
    let mut document = html.replacen(
        "</head>",
        "<meta name=\"robots\" content=\"noindex\"></head>",
        1,
    );
    let Some(playlist) = playlist else {
        return document;
    };
    let text = |of: &Value, name: &str| {
        of.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let name = text(playlist, "name");
    let songs = || {
        let tracks = playlist
            .get("tracks")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let songs = tracks.map(|track| (text(track, "artist"), text(track, "title")));
        let songs = songs.filter(|(artist, title)| !artist.is_empty() && !title.is_empty());
        let songs: Vec<_> = songs
            .take(NAMED_SONGS)
            .map(|(artist, title)| format!("{artist} – {title}"))
            .collect();
        songs.join(" · ")
    };
    let description = Some(text(playlist, "description"))
        .filter(|text| !text.is_empty())
        .unwrap_or_else(songs);
    for (before, after, value) in [
        (
            "<title>",
            "</title>",
            format!("{name} – Sound Whiskers").as_str(),
        ),
        ("<meta property=\"og:title\" content=\"", "\"", &name),
        (
            "<meta property=\"og:description\" content=\"",
            "\"",
            &description,
        ),
        ("<meta name=\"description\" content=\"", "\"", &description),
    ] {
        document = replaced(&document, before, after, &escaped(value)).unwrap_or(document);
    }
    document
}

/// Replaces the text between the two marks.
fn replaced(text: &str, before: &str, after: &str, value: &str) -> Option<String> {
    let (head, rest) = text.split_once(before)?;
    let (_, tail) = rest.split_once(after)?;
    Some(format!("{head}{before}{value}{after}{tail}"))
}

/// Escapes a text for HTML, in an element or in an attribute with quotation marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAGE: &str = include_str!("../../../web/index.html");

    #[test]
    fn preview_shows_name_and_description_or_first_songs() {
        let tracks = json!([
            {"title": "Falling Slowly", "artist": "Glen Hansard"}, {"title": null, "artist": "X"},
            {"title": "Zostań", "artist": "Kortez"},
        ]);
        for (description, shown) in [
            (json!("For the window seat."), "For the window seat."),
            (
                json!(null),
                "Glen Hansard – Falling Slowly · Kortez – Zostań",
            ),
        ] {
            let playlist = json!({"name": "Deszcz", "description": description, "tracks": tracks});
            let html = document(PAGE, Some(&playlist));
            for part in [
                "<title>Deszcz – Sound Whiskers</title>".to_owned(),
                "<meta property=\"og:title\" content=\"Deszcz\">".to_owned(),
                format!("<meta property=\"og:description\" content=\"{shown}\">"),
                format!("<meta name=\"description\" content=\"{shown}\">"),
                "<meta name=\"robots\" content=\"noindex\">".to_owned(),
            ] {
                assert!(html.contains(&part), "{part}: {html}");
            }
        }
    }

    #[test]
    fn escapes_the_playlists_name() {
        let name = "\"><script>alert('1')</script>&amp;</title>";
        let html = document(PAGE, Some(&json!({"name": name, "tracks": []})));
        let shown =
            "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;&lt;/title&gt;";
        assert!(
            html.contains(&format!("og:title\" content=\"{shown}\">")),
            "{html}"
        );
        assert!(
            html.contains(&format!("<title>{shown} – Sound Whiskers</title>")),
            "{html}"
        );
    }

    #[test]
    fn missing_playlist_leaves_the_page_unchanged_but_unindexed() {
        let noindex = "<meta name=\"robots\" content=\"noindex\">";
        assert_eq!(document(PAGE, None).replace(noindex, ""), PAGE);
    }

    #[test]
    fn share_id_is_a_uuid() {
        assert!(is_share_id("1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"));
        for id in [
            "",
            "1b4e28ba",
            "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633",
            "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633&",
        ] {
            assert!(!is_share_id(id), "{id}");
        }
    }
}
