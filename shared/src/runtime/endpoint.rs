//! What an endpoint accepts: its paths, methods and limits.

use http::{Method, Request};

use crate::error::Error;

/// The path of every function's health check.
pub(super) const HEALTH: &str = "/health";

/// A function's contract with its clients.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The function's name, the last segment of its URL.
    pub name: &'static str,
    /// Each path below its URL (`/` for the URL itself) with the methods of that path.
    pub routes: &'static [(&'static str, &'static str)],
    /// The largest request body that it accepts, in bytes.
    pub max_body_bytes: usize,
    /// Whether it uses the database, which its health check then includes.
    pub has_database: bool,
    /// Whether pages of `APP_ORIGINS` may call it from a browser.
    pub serves_pages: bool,
}

impl Endpoint {
    /// Returns the path of a request below the endpoint's URL.
    pub fn path<'a, B>(&self, request: &'a Request<B>) -> &'a str {
        route(request.uri().path(), self.name).unwrap_or_default()
    }

    /// Checks that the request's path has a route and that the route allows the method.
    ///
    /// # Errors
    /// Returns 404 `not_found` or 405 `method_not_allowed`.
    pub fn check_route<B>(&self, request: &Request<B>) -> Result<(), Error> {
        let path = self.path(request);
        let Some((_, methods)) = self.routes.iter().find(|(known, _)| *known == path) else {
            return Err(Error::not_found());
        };
        match allows(methods, request.method().as_str()) {
            true => Ok(()),
            false => Err(Error::method_not_allowed(methods)),
        }
    }

    /// Returns whether any route allows the method.
    pub(super) fn allows(&self, method: &Method) -> bool {
        self.routes
            .iter()
            .any(|(_, methods)| allows(methods, method.as_str()))
    }

    /// Returns the methods of all routes, in the form of the `Allow` header.
    pub fn methods(&self) -> String {
        let all = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        let allowed: Vec<&str> = all
            .iter()
            .filter(|method| self.allows(method))
            .map(Method::as_str)
            .collect();
        allowed.join(", ")
    }
}

fn allows(methods: &str, method: &str) -> bool {
    methods.split(", ").any(|allowed| allowed == method)
}

/// Returns the path below the function's URL, at least `/`, without one trailing slash.
///
/// Cloudflare passes `/functions/v1/<name>/…` to the function, Supabase's runtime `/<name>/…`.
pub fn route<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let path = path.strip_prefix("/functions/v1").unwrap_or(path);
    match path.strip_prefix('/')?.strip_prefix(name)? {
        "" | "/" => Some("/"),
        rest if rest.starts_with('/') => Some(rest.strip_suffix('/').unwrap_or(rest)),
        _ => None,
    }
}
