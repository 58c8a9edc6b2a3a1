//! What belongs to the page besides its files: the policy of its files, and where everything is.

/// What the page is told; all of it is public.
pub struct Page {
    /// The variable `SUPABASE_URL`.
    pub supabase_url: String,
    /// The variable `SUPABASE_PUBLISHABLE_KEY`.
    pub publishable_key: String,
}

impl Page {
    /// Reads the variables; `None` where one is missing or is not what it should be.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let value = |name| lookup(name).filter(|value| !value.is_empty());
        let page = Self {
            supabase_url: value("SUPABASE_URL")?.trim_end_matches('/').to_owned(),
            publishable_key: value("SUPABASE_PUBLISHABLE_KEY")?,
        };
        page.supabase_origin().is_some().then_some(page)
    }

    /// What `GET /config.json` answers; `origin` is the gateway's own.
    pub fn config(&self, origin: &str) -> String {
        serde_json::json!({
            "functions_url": format!("{origin}/functions/v1"),
            "supabase_publishable_key": self.publishable_key,
            "supabase_url": self.supabase_url,
        })
        .to_string()
    }

    fn supabase_origin(&self) -> Option<&str> {
        let origin = origin_of(&self.supabase_url)?;
        // It becomes a part of a header, between other words.
        origin.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'\'')).then_some(origin)
    }
}

/// The scheme, the host and the port of an http URL.
pub fn origin_of(url: &str) -> Option<&str> {
    let host_at = url.find("://")? + 3;
    let host = url.get(host_at..)?.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
    url.starts_with("http").then(|| url.get(..host_at + host.len()))?
}

/// The headers of the page's files beside those of every answer. The policy lets nothing in that is not the page's own, and
/// nothing out but to the functions and to Supabase. It is that of every file, so that no spelling of a path leads past it.
pub fn page_headers(page: Option<&Page>) -> [(&'static str, String); 1] {
    let supabase = page.and_then(Page::supabase_origin).map(|origin| format!(" {origin}"));
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{}; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        supabase.unwrap_or_default()
    );
    [("content-security-policy", policy)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(url: &str) -> Option<Page> {
        Page::from_lookup(|name| {
            Some(if name == "SUPABASE_URL" { url.to_owned() } else { "sb_publishable_x".to_owned() })
        })
    }

    #[test]
    fn the_page_is_told_where_everything_is() {
        let config = page("https://x.supabase.co/").unwrap().config("https://app.example");
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        assert_eq!(
            config,
            serde_json::json!({
                "functions_url": "https://app.example/functions/v1",
                "supabase_publishable_key": "sb_publishable_x",
                "supabase_url": "https://x.supabase.co",
            })
        );
    }

    #[test]
    fn the_policy_names_supabase_and_nothing_else_outside() {
        let [(name, policy)] = page_headers(page("http://127.0.0.1:54321/").as_ref());
        assert_eq!(name, "content-security-policy");
        assert!(policy.contains("connect-src 'self' http://127.0.0.1:54321;"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.ends_with("trusted-types 'none'"), "{policy}");
        assert!(page_headers(None)[0].1.contains("connect-src 'self';"));
    }

    #[test]
    fn what_is_no_url_configures_nothing() {
        for url in ["", "x.supabase.co", "https://", "ftp://x", "https://x; script-src *", "https://a'b"] {
            assert!(page(url).is_none(), "{url}");
        }
        assert!(Page::from_lookup(|_| None).is_none());
    }

    #[test]
    fn an_origin_is_a_url_without_its_path() {
        assert_eq!(origin_of("https://app.example/config.json?x"), Some("https://app.example"));
        assert_eq!(origin_of("http://127.0.0.1:8787"), Some("http://127.0.0.1:8787"));
    }
}
