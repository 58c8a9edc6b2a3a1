//! Checks of requests that several functions share.

mod body;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;

use http::{HeaderMap, header};
use uuid::Uuid;

use crate::error::{Code, Error};
use crate::runtime::http_client::IDEMPOTENCY_KEY;
use crate::text::is_invisible;

pub use body::{Whole, parse_json};

/// Returns the UUID of the header `Idempotency-Key`, if the client sent one. The header's standardisation (an Internet-Draft)
/// puts it in quotation marks.
///
/// # Errors
/// Returns [`Code::InvalidHeader`] if it is not a UUID.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<Uuid>, Error> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| Uuid::try_parse(unquoted(text.trim())).ok())
        .filter(|id| !id.is_nil())
        .map(Some)
        .ok_or_else(|| Error::of(Code::InvalidHeader))
}

fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// Checks that the body is declared as JSON.
///
/// # Errors
/// Returns [`Code::UnsupportedMediaType`] if it is not declared as `application/json`.
pub fn require_json(headers: &HeaderMap) -> Result<(), Error> {
    let declared = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Error::of(Code::UnsupportedMediaType))
}

/// Returns a trimmed text of 1 to `max_chars` characters; control characters other than line breaks become spaces. A
/// text of invisible characters only is refused.
///
/// # Errors
/// Returns [`Code::InvalidRequest`] with a message that names the field if nothing visible remains, or more than
/// `max_chars` characters.
pub fn text(field: &str, value: &str, max_chars: usize) -> Result<String, Error> {
    let clean: String = value
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect();
    let clean = clean.trim_matches(is_blank);
    if clean.is_empty() {
        return Err(Error::invalid(format!("{field} is empty.")));
    }
    if clean.chars().count() > max_chars {
        return Err(Error::invalid(format!(
            "{field} is longer than {max_chars} characters."
        )));
    }
    Ok(clean.to_owned())
}

/// Returns whether a character is invisible. Such characters are trimmed, and a text of nothing else is refused.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_invisible(c)
}

/// Returns a market (ISO 3166-1 alpha-2) in upper case.
///
/// # Errors
/// Returns [`Code::InvalidRequest`] if it does not consist of two letters.
pub fn market(code: &str) -> Result<String, Error> {
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Ok(code.to_ascii_uppercase());
    }
    Err(Error::invalid(
        "market must be a country code of two letters (ISO 3166-1), such as PL.",
    ))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn idempotency_key_is_a_uuid_or_absent() {
        let key = |value: &str| idempotency_key(&headers(IDEMPOTENCY_KEY, value));
        let id = "0b7a4b0e-3c1e-4f9b-9a39-6d1f0d7b6d11";
        for value in [id.to_owned(), format!(" {id} "), format!("\"{id}\"")] {
            assert_eq!(key(&value).unwrap().unwrap().to_string(), id, "{value}");
        }
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        for value in [
            "",
            "1",
            "not-a-uuid",
            "\"",
            "\"0b7a4b0e-3c1e-4f9b-9a39-6d1f0d7b6d11",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(
                key(value).unwrap_err().code(),
                Code::InvalidHeader,
                "{value}"
            );
        }
    }

    #[test]
    fn requires_a_json_content_type() {
        for (value, ok) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(
                require_json(&headers(header::CONTENT_TYPE, value)).is_ok(),
                ok,
                "{value}"
            );
        }
    }

    #[test]
    fn trims_texts_and_limits_their_characters() {
        assert_eq!(text("name", "  żółć\u{7}ć ", 6).unwrap(), "żółć ć");
        for nothing in [" \u{0} ", "\u{200b}", "\u{feff}\n\u{202e} "] {
            assert_eq!(
                text("name", nothing, 5).unwrap_err().to_string(),
                "name is empty."
            );
        }
        assert_eq!(
            text("name", "abcdef", 5).unwrap_err().to_string(),
            "name is longer than 5 characters."
        );
    }

    #[test]
    fn market_has_two_letters() {
        assert_eq!(market("pl").unwrap(), "PL");
        for code in ["", "P", "POL", "P1", "Ż", "p "] {
            assert!(market(code).is_err(), "{code}");
        }
    }
}
