//! Parses and validates the requests.

use shared::Error;
use shared::api::{CheckoutRequest, PortalRequest};
use shared::request::parse_json;
use shared::runtime::cors::AllowedOrigins;

/// The longest URL, which all browsers and Stripe support.
const MAX_URL_BYTES: usize = 2_048;

/// Parses the body of `POST /checkout`.
///
/// # Errors
/// Returns 400 `invalid_json`, or 422 `invalid_request` with a message that names the field.
pub fn parse_checkout(body: &[u8], origins: &AllowedOrigins) -> Result<CheckoutRequest, Error> {
    let urls: CheckoutRequest = parse_json(body)?;
    check("success_url", &urls.success_url, origins)?;
    check("cancel_url", &urls.cancel_url, origins)?;
    Ok(urls)
}

/// Parses the body of `POST /portal`.
///
/// # Errors
/// Returns the errors of [`parse_checkout`].
pub fn parse_portal(body: &[u8], origins: &AllowedOrigins) -> Result<PortalRequest, Error> {
    let urls: PortalRequest = parse_json(body)?;
    check("return_url", &urls.return_url, origins)?;
    Ok(urls)
}

/// Checks that a URL belongs to the app, so that an attacker who sends a user a payment link cannot choose where it
/// leads.
fn check(field: &str, url: &str, origins: &AllowedOrigins) -> Result<(), Error> {
    if url.len() > MAX_URL_BYTES {
        return Err(Error::invalid(format!(
            "{field} is longer than {MAX_URL_BYTES} characters."
        )));
    }
    // Browsers read a backslash as a slash and drop white space.
    let is_plain = url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if !is_plain || !origins.has_url(url) {
        return Err(Error::invalid(format!("{field} must be a URL of the app.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use shared::Code;

    use super::*;

    fn origins() -> AllowedOrigins {
        AllowedOrigins::parse("https://app.example,http://127.0.0.1:8787").unwrap()
    }

    fn portal(url: &str) -> Result<PortalRequest, Error> {
        parse_portal(
            serde_json::json!({ "return_url": url })
                .to_string()
                .as_bytes(),
            &origins(),
        )
    }

    #[test]
    fn accepts_urls_of_the_apps_origins() {
        for url in [
            "https://app.example",
            "https://app.example/",
            "https://app.example/plan?paid={CHECKOUT_SESSION_ID}#x",
            "https://app.example?x",
            "https://app.example#x",
            "http://127.0.0.1:8787/a//b",
        ] {
            assert!(portal(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn refuses_urls_of_other_origins() {
        let long = format!("https://app.example/{}", "x".repeat(MAX_URL_BYTES));
        for url in [
            "",
            "/plan",
            "app.example",
            "//app.example",
            "http://app.example",
            "https://app.example.evil.example",
            "https://app.example@evil.example",
            "https://app.example:pw@evil.example",
            "https://app.example:8443/",
            "https://app.example\\@evil.example",
            "https://app.example/\\evil.example",
            "https://app.exampl",
            "https://evil.example/https://app.example",
            "https://evil.example/?https://app.example",
            " https://app.example",
            "https://app.example/a b",
            "https://app.example/\n",
            "https://app.example/ż",
            "HTTPS://APP.EXAMPLE/",
            "javascript:alert(1)//https://app.example",
            "http://127.0.0.1:87871/",
            &long,
        ] {
            assert_eq!(
                portal(url).unwrap_err().code(),
                Code::InvalidRequest,
                "{url}"
            );
        }
    }

    #[test]
    fn checkout_requires_exactly_two_urls() {
        let good =
            r#""success_url":"https://app.example/paid","cancel_url":"https://app.example/plan""#;
        let parse = |body: &str| parse_checkout(body.as_bytes(), &origins());
        assert_eq!(
            parse(&format!("{{{good}}}")).unwrap().cancel_url,
            "https://app.example/plan"
        );
        for (body, code) in [
            ("", Code::InvalidJson),
            ("{", Code::InvalidJson),
            ("null", Code::InvalidRequest),
            ("{}", Code::InvalidRequest),
            (
                r#"{"success_url":"https://app.example/paid"}"#,
                Code::InvalidRequest,
            ),
            (
                &format!(r#"{{{good},"price":"price_cheap"}}"#),
                Code::InvalidRequest,
            ),
            (
                r#"{"success_url":"https://app.example/","cancel_url":"https://evil.example/"}"#,
                Code::InvalidRequest,
            ),
            (
                r#"{"success_url":1,"cancel_url":"https://app.example/"}"#,
                Code::InvalidRequest,
            ),
        ] {
            assert_eq!(parse(body).unwrap_err().code(), code, "{body}");
        }
    }
}
