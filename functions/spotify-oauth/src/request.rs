//! Parses and validates bodies and query strings.

use std::collections::BTreeMap;

use shared::api::SpotifyLinkCompletion;
use shared::request::parse_json;
use shared::{Code, Error};

/// The longest code; Spotify's have a few hundred characters.
const MAX_CODE_BYTES: usize = 2_048;
const MAX_STATE_BYTES: usize = 512;

/// Parses the body of `POST /complete`.
///
/// # Errors
/// Returns 400 `invalid_json`, `invalid_code` or `invalid_state`, or 422 `invalid_request`.
pub fn parse(body: &[u8]) -> Result<SpotifyLinkCompletion, Error> {
    let completion: SpotifyLinkCompletion = parse_json(body)?;
    if !is_code(&completion.code) {
        return Err(invalid_code());
    }
    if completion.state.len() > MAX_STATE_BYTES {
        return Err(Error::of(Code::InvalidState));
    }
    Ok(completion)
}

/// Returns the error for a code that Spotify does not accept.
pub fn invalid_code() -> Error {
    Error::of(Code::InvalidCode)
}

/// Returns whether a text may be a code of Spotify: visible ASCII.
pub fn is_code(code: &str) -> bool {
    (1..=MAX_CODE_BYTES).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic())
}

/// Parses the parameters of a query string. A parameter that is given twice counts as missing, because either may be
/// meant.
pub fn parse_query(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Some(value.into_owned());
        parameters
            .entry(name.into_owned())
            .and_modify(|given| *given = None)
            .or_insert(value);
    }
    parameters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_code_and_state() {
        assert_eq!(parse(br#"{"code":"a","state":"b"}"#).unwrap().code, "a");
        for (body, code) in [
            ("", Code::InvalidJson),
            ("{}", Code::InvalidRequest),
            (r#"{"code":"a"}"#, Code::InvalidRequest),
            (r#"{"code":"","state":"b"}"#, Code::InvalidCode),
            (r#"{"code":"a b","state":"b"}"#, Code::InvalidCode),
            (
                r#"{"code":"a","state":"b","user_id":"c"}"#,
                Code::InvalidRequest,
            ),
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().code(), code, "{body}");
        }
        let long = format!(r#"{{"code":"a","state":"{}"}}"#, "x".repeat(513));
        assert_eq!(
            parse(long.as_bytes()).unwrap_err().code(),
            Code::InvalidState
        );
    }

    #[test]
    fn ignores_repeated_parameters() {
        let parameters = parse_query("a=1&b=2&a=3");
        assert_eq!(
            parameters.into_iter().collect::<Vec<_>>(),
            [("b".to_owned(), "2".to_owned())]
        );
    }
}
