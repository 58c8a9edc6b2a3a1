//! Values of a track object of Spotify's Web API, within the limits of the database.

use serde_json::Value;

use crate::text::one_line;

/// The most characters of a title, an album or a list of artists that the database stores
/// (`playlist_tracks_title_length` and similar checks).
pub const MAX_TEXT_CHARS: usize = 200;
/// The longest duration in milliseconds that the database stores (`playlist_tracks_duration_ms_range`): a day.
pub const MAX_DURATION_MS: u32 = 86_400_000;
/// The longest image address that the database stores (`playlist_tracks_image_url_form`).
const MAX_IMAGE_URL_BYTES: usize = 300;
/// The page shows an image at 40 px, on most screens with two pixels for each.
const IMAGE_WIDTH: u64 = 80;

/// Returns the address of the smallest image that is large enough, otherwise of the largest.
pub(super) fn image_url(images: &Value, origin: &str) -> Option<String> {
    let is_ours = |url: &str| {
        url.strip_prefix(origin)
            .is_some_and(|path| path.starts_with('/'))
            && url.len() <= MAX_IMAGE_URL_BYTES
            && url.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let usable = images.as_array()?.iter().filter_map(|image| {
        let url = image.get("url")?.as_str().filter(|url| is_ours(url))?;
        Some((
            image
                .get("width")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
            url,
        ))
    });
    let (_, url) = usable.min_by_key(|(width, _)| match *width >= IMAGE_WIDTH {
        true => (false, *width),
        false => (true, u64::MAX - width),
    })?;
    Some(url.to_owned())
}

/// Returns whether the database would store the address; otherwise one remembered track would keep a whole playlist
/// from being saved.
pub(super) fn is_image_url(url: &str) -> bool {
    url.len() <= MAX_IMAGE_URL_BYTES
        && (url.starts_with("https://") || url.starts_with("http://127.0.0.1:"))
        && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns a text that can be shown and stored; `None` if nothing remains of it.
pub(super) fn display_text(text: &Value) -> Option<String> {
    Some(one_line(text.as_str()?, MAX_TEXT_CHARS)).filter(|text| !text.is_empty())
}

/// Returns milliseconds within the range that the database stores; 0 if it is not a number.
pub(super) fn duration(ms: &Value) -> u32 {
    // The cast saturates.
    (ms.as_f64().unwrap_or_default() as u32).min(MAX_DURATION_MS)
}

/// Returns the year of `2011`, `2011-05` or `2011-05-01`; Spotify writes `0000` for an unknown one.
pub(super) fn year(date: &str) -> Option<i32> {
    let year = date.split('-').next().filter(|year| year.len() == 4)?;
    year.parse::<u16>()
        .ok()
        .filter(|year| *year > 0)
        .map(i32::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ORIGIN: &str = "https://i.scdn.co";

    fn image(width: u32) -> Value {
        json!({ "url": format!("{ORIGIN}/image/{width}"), "width": width, "height": width })
    }

    #[test]
    fn the_image_is_the_smallest_that_suffices_and_from_spotifys_host() {
        let at = |url: &str| json!([{ "url": url, "width": 300 }]);
        for (images, expected) in [
            (json!([image(64), image(300), image(640)]), Some("300")),
            (json!([image(640), image(80), image(300)]), Some("80")),
            (json!([image(32), image(64)]), Some("64")),
            (
                json!([{ "url": "https://i.scdn.co/image/unsized", "width": null }]),
                Some("unsized"),
            ),
            (
                json!([{ "url": "https://i.scdn.co/image/unsized" }, image(64)]),
                Some("64"),
            ),
            (
                json!([null, {}, { "url": 7, "width": 300 }, image(640)]),
                Some("640"),
            ),
            (
                json!([{ "url": "https://elsewhere.example/image/300", "width": 300 }, image(640)]),
                Some("640"),
            ),
            (at("http://i.scdn.co/image/300"), None),
            (at("https://i.scdn.co.example/image/300"), None),
            (at("https://i.scdn.co@example.org/image/300"), None),
            (at("https://i.scdn.co/image/a b"), None),
            (
                at(&format!("https://i.scdn.co/image/{}", "x".repeat(300))),
                None,
            ),
            (json!([]), None),
            (json!("?"), None),
        ] {
            let expected = expected.map(|name| format!("{ORIGIN}/image/{name}"));
            assert_eq!(image_url(&images, ORIGIN), expected, "{images}");
        }
    }

    #[test]
    fn the_release_year_is_read_at_every_precision() {
        for (date, expected) in [
            ("2011", Some(2011)),
            ("2011-05", Some(2011)),
            ("2011-05-01", Some(2011)),
            ("0000", None),
            ("11-05", None),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(year(date), expected, "{date}");
        }
    }

    #[test]
    fn a_duration_is_one_of_at_most_a_day() {
        for (written, expected) in [
            (json!(213_000), 213_000),
            (json!(213_000.7), 213_000),
            (json!(25 * 3_600_000), 86_400_000),
            (json!(u64::MAX), 86_400_000),
            (json!(1e300), 86_400_000),
            (json!(-1), 0),
            (json!(-0.5), 0),
            (json!("213000"), 0),
            (json!(null), 0),
            (json!([1]), 0),
        ] {
            assert_eq!(duration(&written), expected, "{written}");
        }
    }
}
