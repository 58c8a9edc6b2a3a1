//! Cross-origin requests: which pages may call the functions.
//!
//! Clients authenticate with bearer tokens, so no response allows credentials (cookies).

use http::{HeaderMap, HeaderValue, Method, header};

use crate::config::{ConfigError, required};

const VARIABLE: &str = "APP_ORIGINS";
const RULE: &str =
    "must list exact origins such as https://app.example, separated by commas, without paths";

/// The headers of supabase-js (`@supabase/supabase-js/cors`, and `x-region` for a function's region), of Sentry, and of
/// our own clients.
const REQUEST_HEADERS: &str = "authorization, x-client-info, apikey, content-type, x-region, x-retry-count, traceparent, \
     tracestate, baggage, sentry-trace, accept, idempotency-key";
const RESPONSE_HEADERS: &str = "X-Request-Id, Retry-After";
/// Two hours, Chromium's limit for caching a preflight response.
const MAX_AGE_SECONDS: &str = "7200";

/// The origins whose pages may read our responses; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    /// Reads the variable `APP_ORIGINS`.
    ///
    /// # Errors
    /// As [`AllowedOrigins::parse`], and if the variable is missing.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::parse(&required(env, VARIABLE)?)
    }

    /// Parses origins separated by commas, each exactly as browsers send it.
    ///
    /// # Errors
    /// [`ConfigError`] for an origin that no browser sends and that would therefore never match (with a path, a trailing
    /// slash, upper case or a default port), and for `*`.
    pub fn parse(list: &str) -> Result<Self, ConfigError> {
        list.split(',')
            .map(|origin| parse_origin(origin.trim()))
            .collect::<Option<_>>()
            .map_or_else(
                || Err(ConfigError::invalid(VARIABLE, RULE)),
                |origins| Ok(Self(origins)),
            )
    }

    /// Returns the app's own origin, the first of the list.
    pub fn first(&self) -> &str {
        self.0
            .first()
            .and_then(|origin| origin.to_str().ok())
            .unwrap_or_default()
    }

    /// Returns whether a URL belongs to one of the origins: the origin itself, alone or followed by a path, a query or a
    /// fragment.
    pub fn has_url(&self, url: &str) -> bool {
        self.0.iter().any(|origin| {
            let rest = origin
                .to_str()
                .ok()
                .and_then(|origin| url.strip_prefix(origin));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        })
    }

    /// Returns the headers of the response (204 without a body) to an `OPTIONS` request; `None` for other methods.
    ///
    /// `methods` is the value of `Access-Control-Allow-Methods`. Other origins get no CORS headers but `Vary`.
    pub fn preflight(
        &self,
        headers: &HeaderMap,
        method: &Method,
        methods: impl FnOnce() -> String,
    ) -> Option<HeaderMap> {
        if method != Method::OPTIONS {
            return None;
        }
        let mut answer = self.headers_for(headers);
        if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS),
            ] {
                answer.insert(name, HeaderValue::from_static(value));
            }
            let methods = HeaderValue::from_str(&methods());
            answer.extend(methods.map(|methods| (header::ACCESS_CONTROL_ALLOW_METHODS, methods)));
        }
        Some(answer)
    }

    /// Returns the CORS headers of a response, errors included.
    ///
    /// They always include `Vary: Origin`, so that no cache serves the response of one origin to another.
    pub fn headers_for(&self, headers: &HeaderMap) -> HeaderMap {
        let mut answer = HeaderMap::new();
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
        let origin = headers
            .get(header::ORIGIN)
            .filter(|origin| self.0.contains(origin));
        if let Some(origin) = origin {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(RESPONSE_HEADERS),
            );
        }
        answer
    }
}

fn parse_origin(origin: &str) -> Option<HeaderValue> {
    let (scheme, authority) = origin.split_once("://")?;
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if let Some(port) = port {
        let number: u16 = port.parse().ok()?;
        // Browsers write neither a default port nor leading zeros.
        if number == 0 || number == default_port || number.to_string() != port {
            return None;
        }
    }
    is_host(host)
        .then(|| HeaderValue::from_str(origin).ok())
        .flatten()
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address.contains(':')
            && address
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b':'));
    }
    !host.is_empty()
        && host
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: &str = "POST, DELETE";

    fn methods() -> String {
        METHODS.to_owned()
    }

    fn origins() -> AllowedOrigins {
        AllowedOrigins::parse("https://a.example, http://127.0.0.1:3000").unwrap()
    }

    fn from(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_str(origin).unwrap())])
    }

    #[test]
    fn allowed_origin_may_read_the_response() {
        for origin in ["https://a.example", "http://127.0.0.1:3000"] {
            let headers = origins().headers_for(&from(origin));
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            assert_eq!(
                headers[header::ACCESS_CONTROL_EXPOSE_HEADERS],
                "X-Request-Id, Retry-After"
            );
            assert_eq!(headers[header::VARY], "Origin");
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }

    #[test]
    fn other_origins_get_only_vary() {
        for origin in [
            "https://b.example",
            "http://a.example",
            "https://a.example:8443",
            "https://a.example.evil.example",
            "https://evil.example/https://a.example",
            "https://A.example",
            "null",
            "*",
            "",
        ] {
            let headers = origins().headers_for(&from(origin));
            assert_eq!(
                headers,
                HeaderMap::from_iter([(header::VARY, HeaderValue::from_static("Origin"))])
            );
        }
        assert_eq!(origins().headers_for(&HeaderMap::new()).len(), 1);
        assert_eq!(
            AllowedOrigins::default()
                .headers_for(&from("https://a.example"))
                .len(),
            1
        );
    }

    #[test]
    fn preflight_of_an_allowed_origin_names_methods_and_headers() {
        let answer = origins()
            .preflight(&from("https://a.example"), &Method::OPTIONS, methods)
            .unwrap();
        assert_eq!(
            answer[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            "https://a.example"
        );
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_METHODS], METHODS);
        let headers = answer[header::ACCESS_CONTROL_ALLOW_HEADERS]
            .to_str()
            .unwrap();
        for name in [
            "authorization",
            "x-client-info",
            "apikey",
            "content-type",
            "accept",
            "idempotency-key",
            "x-region",
            "x-retry-count",
            "traceparent",
            "tracestate",
            "baggage",
            "sentry-trace",
        ] {
            assert!(headers.split(", ").any(|known| known == name), "{name}");
        }
        assert_eq!(answer[header::ACCESS_CONTROL_MAX_AGE], "7200");
        assert_eq!(answer[header::VARY], "Origin");
    }

    #[test]
    fn preflight_of_another_origin_gets_no_permission() {
        let answer = origins()
            .preflight(&from("https://b.example"), &Method::OPTIONS, methods)
            .unwrap();
        assert_eq!(answer.len(), 1);
        assert!(answer.contains_key(header::VARY));
    }

    #[test]
    fn preflight_succeeds_whatever_it_requests() {
        let bare = origins()
            .preflight(&HeaderMap::new(), &Method::OPTIONS, methods)
            .unwrap();
        assert_eq!(
            bare,
            HeaderMap::from_iter([(header::VARY, HeaderValue::from_static("Origin"))])
        );
        let mut odd = from("https://a.example");
        odd.insert(
            header::ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("PATCH"),
        );
        odd.insert(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static("x-unknown"),
        );
        let usual = origins().preflight(&from("https://a.example"), &Method::OPTIONS, methods);
        assert_eq!(origins().preflight(&odd, &Method::OPTIONS, methods), usual);
    }

    #[test]
    fn only_options_requests_are_preflights() {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::HEAD] {
            assert_eq!(
                origins().preflight(&from("https://a.example"), &method, methods),
                None
            );
        }
    }

    #[test]
    fn refuses_origins_that_no_browser_sends() {
        for list in [
            "",
            "*",
            "null",
            "a.example",
            "https://",
            "https://a.example/",
            "https://a.example/app",
            "https://*.example",
            "https://user@a.example",
            "https://a.example?x",
            "https://a.example#x",
            "https://A.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:080",
            "https://a.example:65536",
            "ftp://a.example",
            "https://a b.example",
            "https://a.example https://b.example",
            "https://a.example,",
            "https://a.example,*",
            "http://[::1",
            "http://[evil]",
        ] {
            assert!(AllowedOrigins::parse(list).is_err(), "{list}");
        }
    }

    #[test]
    fn accepts_an_ipv6_origin() {
        for origin in ["http://[::1]:3000", "http://[::1]"] {
            let headers = AllowedOrigins::parse(origin)
                .unwrap()
                .headers_for(&from(origin));
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        }
    }

    #[test]
    fn names_a_missing_variable() {
        assert_eq!(
            AllowedOrigins::from_env(|_| None),
            Err(ConfigError::missing("APP_ORIGINS"))
        );
    }
}
