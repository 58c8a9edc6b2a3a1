//! Reads JSON documents with broken texts and intact structure.

use std::borrow::Cow;

use serde_json::Value;

const BACKSLASH: u8 = b'\\';
/// An escape of four hexadecimal digits: `\uD83E`.
const ESCAPE_BYTES: usize = 6;

/// Reads a document as `serde_json::from_slice` does, after [`mended`].
///
/// # Errors
/// Returns the error of `serde_json::from_slice` for the mended document.
pub fn from_slice_lenient(document: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(&mended(document))
}

/// Replaces bytes that are not UTF-8, and escaped halves of a surrogate pair, by U+FFFD, so that one text that another
/// program has cut does not make the whole document unreadable. Takes linear time, and copies the document only if
/// something is replaced.
pub fn mended(document: &[u8]) -> Cow<'_, [u8]> {
    match String::from_utf8_lossy(document) {
        Cow::Borrowed(_) => replace_lone_surrogates(document),
        Cow::Owned(text) => Cow::Owned(replace_lone_surrogates(text.as_bytes()).into_owned()),
    }
}

/// Replaces each escaped half of a surrogate pair without its other half by U+FFFD. Browsers write such escapes for a
/// text that was cut within an emoji.
pub fn replace_lone_surrogates(document: &[u8]) -> Cow<'_, [u8]> {
    replace_lone_surrogates_by(document, |_| char::REPLACEMENT_CHARACTER)
}

/// Replaces each such half by the character that `replacement` returns, which must not need an escape.
pub fn replace_lone_surrogates_by(
    document: &[u8],
    replacement: impl Fn(u16) -> char,
) -> Cow<'_, [u8]> {
    replaced(document, replacement).map_or(Cow::Borrowed(document), Cow::Owned)
}

/// Returns the document with the replacements, or `None` if there are none.
fn replaced(document: &[u8], replacement: impl Fn(u16) -> char) -> Option<Vec<u8>> {
    let mut mended: Option<Vec<u8>> = None;
    // Bytes before `read` have been read, and bytes before `copied` have been copied.
    let (mut read, mut copied) = (0, 0);
    while let Some(found) = document
        .get(read..)?
        .iter()
        .position(|byte| *byte == BACKSLASH)
    {
        let at = read + found;
        read = at
            + match (half_at(document, at), half_at(document, at + ESCAPE_BYTES)) {
                (None, _) => 2,
                (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE_BYTES,
                (Some(half), _) => {
                    let mended = mended.get_or_insert_default();
                    mended.extend_from_slice(document.get(copied..at).unwrap_or_default());
                    mended.extend_from_slice(replacement(half).encode_utf8(&mut [0; 4]).as_bytes());
                    copied = at + ESCAPE_BYTES;
                    ESCAPE_BYTES
                }
            };
    }
    let mut mended = mended?;
    mended.extend_from_slice(document.get(copied..).unwrap_or_default());
    Some(mended)
}

/// Returns the half of a surrogate pair that is escaped at `at`.
fn half_at(document: &[u8], at: usize) -> Option<u16> {
    let digits = document.get(at..at + ESCAPE_BYTES)?.strip_prefix(br"\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xD800..=0xDFFF).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(document: &[u8]) -> Value {
        from_slice_lenient(document).unwrap()
    }

    #[test]
    fn replaces_lone_surrogates_and_keeps_everything_else() {
        for (escaped, expected) in [
            (r"\ud83e", "\u{fffd}"),
            (r"\uDD43", "\u{fffd}"),
            (r"\ud83e\udd43", "🥃"),
            (r"\uD83E\uDD43", "🥃"),
            (r"\udd43\ud83e", "\u{fffd}\u{fffd}"),
            (r"\ud83e\ud83e\udd43", "\u{fffd}🥃"),
            (r"\ud83e\udd43\udd43", "🥃\u{fffd}"),
            (r"\ud83ex\udd43", "\u{fffd}x\u{fffd}"),
            (r"\ud83e\n", "\u{fffd}\n"),
            (r"\ud83e\\udd43", "\u{fffd}\\udd43"),
            (r"\\ud83e", "\\ud83e"),
            (r"\\\ud83e", "\\\u{fffd}"),
            (r"\u00e9\ud7ff\ue000", "é\u{d7ff}\u{e000}"),
        ] {
            let document = format!(r#"{{"name":"a {escaped} b","other":1}}"#);
            let value = read(document.as_bytes());
            assert_eq!(value["name"], format!("a {expected} b"), "{escaped}");
            assert_eq!(value["other"], 1, "{escaped}");
        }
        assert_eq!(read(br#"{"\ud83e":1}"#)["\u{fffd}"], 1);
    }

    #[test]
    fn replaces_invalid_utf_8() {
        assert_eq!(
            read(b"[\"a\xff\", \"\xc5\", \"\xed\xa0\x80\"]")[0],
            "a\u{fffd}"
        );
        assert_eq!(read(b"[\"\xc5\\ud83e\"]")[0], "\u{fffd}\u{fffd}");
    }

    #[test]
    fn does_not_copy_an_intact_document() {
        for document in [
            "",
            "{}",
            r#"{"a":"\ud83e\udd43 \\ud83e \u00e9 🥃"}"#,
            r"\",
            r"\u",
            r"\ud83",
        ] {
            assert!(
                matches!(mended(document.as_bytes()), Cow::Borrowed(_)),
                "{document}"
            );
        }
    }

    #[test]
    fn invalid_json_stays_invalid() {
        for document in [
            &b""[..],
            b"{",
            b"\xff",
            br#"{"a":"\ud83"}"#,
            br#"{"a":"\u"}"#,
            br#"{"a":"\ud83"#,
        ] {
            assert!(from_slice_lenient(document).is_err(), "{document:?}");
        }
    }
}
