//! Parses and validates the request.

use shared::Error;
use shared::api::AccountDeletion;
use shared::request::{parse_json, text};

/// The longest e-mail address (RFC 5321, 4.5.3.1); phone numbers and ids are shorter.
const MAX_CONFIRMATION_CHARS: usize = 254;

/// Parses the body; returns the trimmed confirmation.
///
/// # Errors
/// Returns 400 `invalid_json` or 422 `invalid_request`.
pub fn parse(body: &[u8]) -> Result<String, Error> {
    let deletion: AccountDeletion = parse_json(body)?;
    text("confirm", &deletion.confirm, MAX_CONFIRMATION_CHARS)
}

#[cfg(test)]
mod tests {
    use shared::Code;

    use super::*;

    #[test]
    fn deletion_requires_exactly_one_confirmation() {
        assert_eq!(
            parse(br#"{"confirm":" Ann@Example.com "}"#).unwrap(),
            "Ann@Example.com"
        );
        assert_eq!(
            parse(br#"{"confirm":"+48 123 456 789"}"#).unwrap(),
            "+48 123 456 789"
        );
        for (body, code) in [
            ("", Code::InvalidJson),
            ("{}", Code::InvalidRequest),
            (r#"{"confirm":""}"#, Code::InvalidRequest),
            (r#"{"confirm":true}"#, Code::InvalidRequest),
            (r#"{"confirm":"a@b","user_id":"x"}"#, Code::InvalidRequest),
            (
                &format!(r#"{{"confirm":"{}"}}"#, "x".repeat(255)),
                Code::InvalidRequest,
            ),
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().code(), code, "{body}");
        }
    }
}
