//! Parses and validates the request.

use shared::Error;
pub use shared::api::ExportRequest;
use shared::request::{is_blank, parse_json, text};

const MAX_NAME_CHARS: usize = 200;
const MAX_DESCRIPTION_CHARS: usize = 1_000;

/// Parses the body.
///
/// # Errors
/// Returns 400 `invalid_json`, or 422 `invalid_request` with a message that names the field.
pub fn parse(body: &[u8]) -> Result<ExportRequest, Error> {
    let raw: ExportRequest = parse_json(body)?;
    let name = raw
        .name
        .map(|name| text("name", &name, MAX_NAME_CHARS))
        .transpose()?;
    // An empty description is valid; the copy then has none.
    let description = match raw
        .description
        .as_deref()
        .map(|text| text.trim_matches(is_blank))
    {
        None => None,
        Some("") => Some(String::new()),
        Some(description) => Some(text("description", description, MAX_DESCRIPTION_CHARS)?),
    };
    Ok(ExportRequest {
        playlist_id: raw.playlist_id,
        name,
        description,
        new_copy: raw.new_copy,
    })
}

#[cfg(test)]
mod tests {
    use shared::Code;

    use super::*;

    const ID: &str = "8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11";

    #[test]
    fn accepts_a_playlist_alone() {
        let request = parse(format!(r#"{{"playlist_id":"{ID}"}}"#).as_bytes()).unwrap();
        assert_eq!(request.playlist_id.to_string(), ID);
        assert_eq!((request.name, request.description), (None, None));
        assert!(!request.new_copy);
        let another = format!(r#"{{"playlist_id":"{ID}","new_copy":true}}"#);
        assert!(parse(another.as_bytes()).unwrap().new_copy);
    }

    #[test]
    fn empty_description_is_none_and_empty_name_is_refused() {
        let body = |field: &str| format!(r#"{{"playlist_id":"{ID}","{field}":"  "}}"#);
        assert_eq!(
            parse(body("description").as_bytes())
                .unwrap()
                .description
                .as_deref(),
            Some("")
        );
        assert_eq!(
            parse(body("name").as_bytes()).unwrap_err().to_string(),
            "name is empty."
        );
        for nothing in [r"\u0001", r"\u200b\ufeff"] {
            let body = body("description").replace("  ", nothing);
            assert_eq!(
                parse(body.as_bytes()).unwrap().description.as_deref(),
                Some("")
            );
        }
    }

    #[test]
    fn refuses_malformed_requests() {
        for (body, code) in [
            ("", Code::InvalidJson),
            ("{", Code::InvalidJson),
            ("[]", Code::InvalidRequest),
            ("{}", Code::InvalidRequest),
            (r#"{"playlist_id":"1"}"#, Code::InvalidRequest),
            (
                r#"{"playlist_id":"8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11","public":true}"#,
                Code::InvalidRequest,
            ),
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().code(), code, "{body}");
        }
        let long = format!(r#"{{"playlist_id":"{ID}","name":"{}"}}"#, "x".repeat(201));
        assert!(
            parse(long.as_bytes())
                .unwrap_err()
                .to_string()
                .starts_with("name is longer")
        );
    }
}
