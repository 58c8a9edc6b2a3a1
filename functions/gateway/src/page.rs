//! The page's configuration and the headers of its files.

/// The origin of Turnstile's script and frame.
const TURNSTILE: &str = "https://challenges.cloudflare.com";
const IMAGES: &str = "https://i.scdn.co";
const PLAYER: &str = "https://open.spotify.com";

/// The page's configuration; all of it is public.
pub struct Page {
    /// The variable `SUPABASE_URL`.
    pub supabase_url: String,
    /// The variable `SUPABASE_PUBLISHABLE_KEY`.
    pub publishable_key: String,
    /// The variable `TURNSTILE_SITE_KEY`; set only if Auth requires Turnstile's tokens.
    pub turnstile_site_key: Option<String>,
    /// The variable `SPOTIFY_IMAGE_ORIGIN`, the origin of Spotify's pictures.
    pub image_origin: String,
    /// The variable `SPOTIFY_PLAYER_ORIGIN`, the origin of Spotify's player.
    pub player_origin: String,
    /// Whether the variable `ANONYMOUS_SIGN_INS` is `true`; set only if Auth allows them.
    pub anonymous_sign_ins: bool,
    /// The variables `CONTACT_URL`, `TERMS_URL` and `PRIVACY_URL`, where they are set.
    pub links: Vec<(&'static str, String)>,
}

const LINKS: [(&str, &str); 3] = [
    ("contact_url", "CONTACT_URL"),
    ("terms_url", "TERMS_URL"),
    ("privacy_url", "PRIVACY_URL"),
];

impl Page {
    /// Reads the variables; returns `None` if one is missing or invalid.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let value = |name| env(name).filter(|value| !value.is_empty());
        let page = Self {
            supabase_url: value("SUPABASE_URL")?.trim_end_matches('/').to_owned(),
            // Every visitor gets it.
            publishable_key: value("SUPABASE_PUBLISHABLE_KEY")
                .filter(|key| !key.starts_with("sb_secret_"))?,
            turnstile_site_key: value("TURNSTILE_SITE_KEY"),
            image_origin: safe_origin(
                &value("SPOTIFY_IMAGE_ORIGIN").unwrap_or_else(|| IMAGES.into()),
            )?,
            player_origin: safe_origin(
                &value("SPOTIFY_PLAYER_ORIGIN").unwrap_or_else(|| PLAYER.into()),
            )?,
            anonymous_sign_ins: value("ANONYMOUS_SIGN_INS").as_deref() == Some("true"),
            links: LINKS
                .into_iter()
                .filter_map(|(name, variable)| Some((name, value(variable)?)))
                .collect(),
        };
        safe_origin(&page.supabase_url).is_some().then_some(page)
    }

    /// Returns the body of `GET /config.json`; `origin` is the gateway's own.
    pub fn config(&self, origin: &str) -> String {
        let mut config = serde_json::json!({
            "anonymous_sign_ins": self.anonymous_sign_ins,
            "functions_url": format!("{origin}/functions/v1"),
            "spotify_player_origin": self.player_origin,
            "supabase_publishable_key": self.publishable_key,
            "supabase_url": self.supabase_url,
        });
        let site_key = self
            .turnstile_site_key
            .iter()
            .map(|key| ("turnstile_site_key", key));
        let links = self.links.iter().map(|(name, url)| (*name, url));
        if let Some(config) = config.as_object_mut() {
            config.extend(
                site_key
                    .chain(links)
                    .map(|(name, value)| (name.to_owned(), value.as_str().into())),
            );
        }
        serde_json::to_string(&config).unwrap_or_default()
    }
}

/// Returns a URL's origin. It becomes part of a header, where a separator would inject a directive.
fn safe_origin(url: &str) -> Option<String> {
    let is_safe = |b: u8| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'\'');
    origin_of(url)
        .filter(|origin| origin.bytes().all(is_safe))
        .map(str::to_owned)
}

/// Returns the scheme, host and port of an http URL.
pub fn origin_of(url: &str) -> Option<&str> {
    let host_at = url.find("://")? + 3;
    let host = url
        .get(host_at..)?
        .split(['/', '?', '#'])
        .next()
        .filter(|host| !host.is_empty())?;
    url.starts_with("http")
        .then(|| url.get(..host_at + host.len()))?
}

/// Returns the headers of the page's files in addition to those of every response. The policy allows only the page's
/// own content, Spotify's pictures and its player, and connections only to the functions and to Supabase; of trusted types
/// only the one that names the service worker. Every file has it, so no spelling of a path avoids it.
pub fn page_headers(page: Option<&Page>) -> [(&'static str, String); 1] {
    let supabase = page
        .and_then(|page| safe_origin(&page.supabase_url))
        .map(|origin| format!(" {origin}"));
    let images = page.map_or(IMAGES, |page| &page.image_origin);
    let player = page.map_or(PLAYER, |page| &page.player_origin);
    // Cloudflare does not promise that its script works with trusted types.
    let (turnstile, last) = match page.and_then(|page| page.turnstile_site_key.as_ref()) {
        Some(_) => (format!(" {TURNSTILE}"), ""),
        None => (
            String::new(),
            "; require-trusted-types-for 'script'; trusted-types worker",
        ),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'{turnstile}; style-src 'self'; font-src 'self'; img-src 'self' {images}; \
         manifest-src 'self'; worker-src 'self'; connect-src 'self'{}; frame-src {player}{turnstile}; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'{last}",
        supabase.unwrap_or_default()
    );
    [("content-security-policy", policy)]
}

/// Returns `Cache-Control` for files whose names hold a hash, which never change. The others keep Cloudflare's header,
/// which requires revalidation.
pub fn cache_control(path: &str, status: u16) -> Option<&'static str> {
    (status == 200 && path.starts_with("/assets/")).then_some("public, max-age=31536000, immutable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_only_hashed_files_for_ever() {
        for (path, status, is_kept) in [
            ("/assets/main-ABC.js", 200, true),
            ("/assets/main-ABC.js", 404, false),
            ("/", 200, false),
            ("/index.html", 200, false),
            ("/icon.svg", 200, false),
        ] {
            assert_eq!(cache_control(path, status).is_some(), is_kept, "{path}");
        }
    }

    fn page(url: &str) -> Option<Page> {
        page_with(url, None)
    }

    fn page_with(url: &str, turnstile_site_key: Option<&str>) -> Option<Page> {
        Page::from_env(|name| match name {
            "SUPABASE_URL" => Some(url.to_owned()),
            "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".to_owned()),
            "TURNSTILE_SITE_KEY" => turnstile_site_key.map(str::to_owned),
            _ => None,
        })
    }

    #[test]
    fn config_names_the_addresses_of_all_services() {
        let config = page("https://x.supabase.co/")
            .unwrap()
            .config("https://app.example");
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        assert_eq!(
            config,
            serde_json::json!({
                "anonymous_sign_ins": false,
                "functions_url": "https://app.example/functions/v1",
                "spotify_player_origin": "https://open.spotify.com",
                "supabase_publishable_key": "sb_publishable_x",
                "supabase_url": "https://x.supabase.co",
            })
        );
    }

    #[test]
    fn a_secret_key_is_not_published() {
        let page = Page::from_env(|name| match name {
            "SUPABASE_URL" => Some("https://x.supabase.co".to_owned()),
            "SUPABASE_PUBLISHABLE_KEY" => Some("sb_secret_x".to_owned()),
            _ => None,
        });
        assert!(page.is_none());
    }

    #[test]
    fn policy_allows_only_supabase_and_spotifys_pictures_and_player() {
        let [(name, policy)] = page_headers(page("http://127.0.0.1:54321/").as_ref());
        assert_eq!(name, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(
            policy.contains("; frame-ancestors 'none'; require-trusted-types-for 'script';"),
            "{policy}"
        );
        assert!(
            policy.contains("connect-src 'self' http://127.0.0.1:54321;"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && policy.ends_with("trusted-types worker"),
            "{policy}"
        );
        assert!(page_headers(None)[0].1.contains("connect-src 'self';"));
        for page in [None, page("https://x.supabase.co")] {
            let policy = page_headers(page.as_ref())[0].1.clone();
            assert!(
                policy.contains("; img-src 'self' https://i.scdn.co;"),
                "{policy}"
            );
            assert!(
                policy.contains("; frame-src https://open.spotify.com;"),
                "{policy}"
            );
        }
    }

    #[test]
    fn origins_of_pictures_and_player_are_configurable() {
        let page = |value: &'static str| {
            Page::from_env(|name| match name {
                "SUPABASE_URL" => Some("https://x.supabase.co".to_owned()),
                "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".to_owned()),
                "SPOTIFY_IMAGE_ORIGIN" | "SPOTIFY_PLAYER_ORIGIN" => Some(value.to_owned()),
                _ => None,
            })
        };
        let policy = page_headers(page("http://127.0.0.1:4/").as_ref())[0]
            .1
            .clone();
        assert!(
            policy.contains("img-src 'self' http://127.0.0.1:4;"),
            "{policy}"
        );
        assert!(policy.contains("frame-src http://127.0.0.1:4;"), "{policy}");
        assert!(page("https://x; script-src *").is_none());
    }

    #[test]
    fn policy_allows_turnstile_only_if_configured() {
        for (key, is_on) in [
            (Some("1x00000000000000000000AA"), true),
            (Some(""), false),
            (None, false),
        ] {
            let page = page_with("https://x.supabase.co", key).unwrap();
            let policy = page_headers(Some(&page))[0].1.clone();
            let from = "https://challenges.cloudflare.com;";
            assert_eq!(
                policy.contains(&format!("script-src 'self' {from}")),
                is_on,
                "{policy}"
            );
            assert_eq!(
                policy.contains(&format!("frame-src https://open.spotify.com {from}")),
                is_on,
                "{policy}"
            );
            assert_eq!(
                policy.contains("require-trusted-types-for 'script'"),
                !is_on,
                "{policy}"
            );
            let config: serde_json::Value =
                serde_json::from_str(&page.config("https://app.example")).unwrap();
            assert_eq!(
                config
                    .get("turnstile_site_key")
                    .and_then(|key| key.as_str()),
                key.filter(|_| is_on)
            );
        }
    }

    #[test]
    fn invalid_url_configures_nothing() {
        for url in [
            "",
            "x.supabase.co",
            "https://",
            "ftp://x",
            "https://x; script-src *",
            "https://a'b",
        ] {
            assert!(page(url).is_none(), "{url}");
        }
        assert!(Page::from_env(|_| None).is_none());
    }

    #[test]
    fn origin_is_a_url_without_its_path() {
        assert_eq!(
            origin_of("https://app.example/config.json?x"),
            Some("https://app.example")
        );
        assert_eq!(
            origin_of("http://127.0.0.1:8787"),
            Some("http://127.0.0.1:8787")
        );
    }
}
