//! What is fuzzed, and which properties belong to it.

pub struct Target {
    pub name: &'static str,
    /// How the properties' names begin, behind their package's name.
    properties: &'static [&'static str],
}

/// A property belongs to the first that names it; the last one takes all others.
pub const TARGETS: &[Target] = &[
    Target {
        name: "signature-header",
        properties: &[
            "shared stripe::properties::what_stripe_signed_",
            "shared stripe::properties::no_header_",
            "shared stripe::properties::another_body_",
        ],
    },
    Target {
        name: "jwks",
        properties: &[
            "shared auth::properties::any_set_of_keys_",
            "shared auth::properties::a_changed_set_of_keys_",
            "shared auth::properties::a_key_",
        ],
    },
    Target { name: "jwt", properties: &["shared auth::properties::"] },
    Target {
        name: "oauth-state",
        properties: &[
            "shared spotify::properties::a_state_",
            "shared spotify::properties::no_text_is_a_state",
            "spotify-oauth properties::a_browser_",
            "spotify-oauth properties::a_query_",
        ],
    },
    Target {
        name: "request-bodies",
        properties: &[
            "shared request::properties::",
            "shared stripe::properties::an_event_",
            "account ",
            "ai-playlist ",
            "billing ",
            "spotify-export ",
            "spotify-oauth properties::a_body_",
            "spotify-search ",
        ],
    },
    Target { name: "sse", properties: &["shared llm::properties::a_stream_"] },
    Target { name: "incremental-json", properties: &["shared json::properties::"] },
    Target { name: "llm-output", properties: &["shared llm::properties::"] },
    Target { name: "spotify-answers", properties: &["shared spotify::properties::a_search_"] },
    Target { name: "matching", properties: &["shared matching::"] },
    Target { name: "others", properties: &[""] },
];

impl Target {
    /// The target of a property of a package.
    pub fn of(package: &str, test: &str) -> Option<&'static Self> {
        let name = format!("{package} {test}");
        TARGETS.iter().find(|target| target.properties.iter().any(|start| name.starts_with(start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(package: &str, test: &str) -> &'static str {
        Target::of(package, test).unwrap().name
    }

    #[test]
    fn a_property_belongs_to_the_first_target_that_names_it() {
        assert_eq!(name_of("shared", "auth::properties::any_set_of_keys_is_read"), "jwks");
        assert_eq!(name_of("shared", "auth::properties::no_text_is_a_token"), "jwt");
        assert_eq!(name_of("billing", "properties::a_browser_is_sent"), "request-bodies");
    }

    #[test]
    fn what_no_target_names_is_fuzzed_too() {
        assert_eq!(name_of("gateway", "properties::any"), "others");
        assert_eq!(name_of("shared", "stripe::properties::a_plan"), "others");
    }
}
