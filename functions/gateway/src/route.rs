//! Decides which worker handles a path.

/// The binding of the page's files.
pub const ASSETS: &str = "ASSETS";

/// The destination of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// A function, by the name of its service binding, such as `AI_PLAYLIST`.
    Function(String),
    /// The health of all functions.
    Health,
    /// A path below `/functions/` with a name that no function can have.
    Nowhere,
    /// The page's configuration.
    Config,
    /// The page with a shared playlist, by what the address gives as its id.
    Shared(String),
    /// A static asset.
    Asset,
}

/// Returns the destination of a URL's path and query.
pub fn route(path: &str, query: &str) -> Route {
    if path == "/health" {
        return Route::Health;
    }
    let Some(rest) = path.strip_prefix("/functions/") else {
        return page_route(path, query);
    };
    let name = rest
        .strip_prefix("v1/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    // The binding of the page's files is no function.
    let valid = !name.eq_ignore_ascii_case(ASSETS)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if valid {
        Route::Function(name.replace('-', "_").to_ascii_uppercase())
    } else {
        Route::Nowhere
    }
}

fn page_route(path: &str, query: &str) -> Route {
    let shared = || query.split('&').find_map(|pair| pair.strip_prefix("p="));
    match path {
        "/config.json" => Route::Config,
        "/" | "/index.html" => shared().map_or(Route::Asset, |id| Route::Shared(id.to_owned())),
        _ => Route::Asset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_a_function_by_its_name() {
        for path in [
            "/functions/v1/ai-playlist",
            "/functions/v1/ai-playlist/",
            "/functions/v1/ai-playlist/x",
        ] {
            assert_eq!(
                route(path, ""),
                Route::Function("AI_PLAYLIST".into()),
                "{path}"
            );
        }
    }

    #[test]
    fn invalid_function_name_has_no_route() {
        for path in [
            "/functions/",
            "/functions/v1/",
            "/functions/v2/ai-playlist",
            "/functions/v1/AI_PLAYLIST",
            "/functions/v1/__proto__",
            "/functions/v1/..%2fassets",
            "/functions/v1/assets",
            "/functions/v1/assets/x",
            "/functions/v1/-",
        ] {
            assert_eq!(route(path, ""), Route::Nowhere, "{path}");
        }
    }

    #[test]
    fn health_has_one_path() {
        assert_eq!(route("/health", ""), Route::Health);
    }

    #[test]
    fn serves_the_configuration_itself() {
        assert_eq!(route("/config.json", "p=x"), Route::Config);
    }

    #[test]
    fn page_with_an_id_is_a_shared_playlist() {
        for (path, query, id) in [
            ("/", "p=1b4e28ba", Some("1b4e28ba")),
            ("/", "utm_source=x&p=1b4e28ba", Some("1b4e28ba")),
            ("/index.html", "p=", Some("")),
            ("/", "", None),
            ("/", "q=1&xp=2", None),
            ("/icon.svg", "p=1b4e28ba", None),
        ] {
            let expected = id.map_or(Route::Asset, |id| Route::Shared(id.to_owned()));
            assert_eq!(route(path, query), expected, "{path}?{query}");
        }
    }

    #[test]
    fn other_paths_are_assets() {
        for path in [
            "/",
            "/index.html",
            "//index.html",
            "/assets/main-ABC.js",
            "/functions",
            "/function/v1/x",
            "/x/config.json",
            "/health/",
            "/healthy",
        ] {
            assert_eq!(route(path, ""), Route::Asset, "{path}");
        }
    }
}
