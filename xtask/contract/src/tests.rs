//! Compares the document with routes, sizes of bodies and limits, which no type expresses.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::Code;
use shared::runtime::cors::AllowedOrigins;
use shared::runtime::endpoint::Endpoint;
use spotify_oauth::callback::Reason;

const APP: &str = "https://app.example";
const METHODS: [&str; 4] = ["get", "post", "delete", "head"];

/// A method of a path that a function has for itself.
struct Operation<'a> {
    function: &'a str,
    route: String,
    method: String,
    node: &'a Value,
}

fn document() -> Value {
    serde_json::to_value(crate::document::document().unwrap()).unwrap()
}

/// All operations but those of health and of the gateway.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap().iter();
    let own =
        paths.filter(|(path, item)| !path.ends_with("/health") && item.get("servers").is_none());
    own.flat_map(|(path, item)| {
        let (function, route) = path
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or((path.trim_start_matches('/'), ""));
        METHODS.iter().filter_map(move |method| {
            let node = item.get(method)?;
            let route = if route.is_empty() {
                String::new()
            } else {
                format!("/{route}")
            };
            Some(Operation {
                function,
                route,
                method: method.to_uppercase(),
                node,
            })
        })
    })
    .collect()
}

fn resolved<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let target = node.get("$ref").and_then(Value::as_str);
    target.map_or(node, |target| {
        document.pointer(target.trim_start_matches('#')).unwrap()
    })
}

#[test]
fn describes_routes_methods_and_body_sizes_of_every_function() {
    let document = document();
    let operations = operations(&document);
    assert!(operations.iter().all(|it| {
        functions::ALL
            .iter()
            .any(|(endpoint, _)| endpoint.name == it.function)
    }));
    for (
        Endpoint {
            name,
            routes,
            max_body_bytes,
            ..
        },
        _,
    ) in functions::ALL
    {
        let described: Vec<_> = operations.iter().filter(|it| it.function == name).collect();
        let all: BTreeSet<_> = described
            .iter()
            .map(|it| (it.route.as_str(), it.method.as_str()))
            .collect();
        let declared = routes.iter().flat_map(|(path, methods)| {
            methods
                .split(", ")
                .map(|method| (path.trim_end_matches('/'), method))
        });
        assert_eq!(all, declared.collect(), "{name}");
        let kb = max_body_bytes / 1024;
        let size = if kb < 1024 {
            format!("{kb} KB")
        } else {
            format!("1 MB ({max_body_bytes} bytes)")
        };
        for Operation {
            node,
            method,
            route,
            ..
        } in described.into_iter().filter(|it| it.method != "GET")
        {
            let text = node
                .pointer("/requestBody/description")
                .or(node.get("description"));
            let text = text.and_then(Value::as_str).unwrap_or_default();
            let is_told = text.starts_with(&format!("At most {size}."))
                || text.contains(&format!("it may have {size}."));
            assert!(is_told, "{method} {name}{route}: {size}: {text}");
        }
    }
}

#[test]
fn requires_user_token_except_at_callback_webhook_and_price() {
    let document = document();
    let security = |node: &Value| {
        node.get("security").unwrap_or(&document["security"]) == &json!([{"user": []}])
    };
    let others: Vec<_> = operations(&document)
        .into_iter()
        .filter(|it| !security(it.node))
        .map(|it| format!("{}{}", it.function, it.route))
        .collect();
    assert_eq!(
        others,
        ["billing/price", "spotify-oauth/callback", "stripe-webhook"]
    );
}

/// A value that a schema allows.
fn sample(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    if let Some(one) = schema.pointer("/oneOf/0") {
        return sample(document, one);
    }
    if let Some(value) = schema.pointer("/examples/0").or(schema.pointer("/enum/0")) {
        return value.clone();
    }
    let kind = schema.pointer("/type/0").unwrap_or(&schema["type"]);
    match kind.as_str().unwrap() {
        "object" => {
            let members = schema["properties"].as_object().unwrap().iter();
            members
                .map(|(name, member)| (name.clone(), sample(document, member)))
                .collect()
        }
        "array" => json!([sample(document, &schema["items"])]),
        "integer" => schema["minimum"].clone(),
        "boolean" => json!(true),
        _ if schema["format"] == "uuid" => json!("8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11"),
        _ if schema["pattern"]
            .as_str()
            .is_some_and(|pattern| pattern.starts_with("^http")) =>
        {
            json!(format!("{APP}/"))
        }
        _ => json!("a"),
    }
}

/// What stands at the limits of a schema, with whether the schema allows it.
fn at_its_limits(document: &Value, schema: &Value) -> Vec<(Value, bool)> {
    let schema = resolved(document, schema);
    let value = sample(document, schema);
    let is_nullable = ["type", "oneOf"].iter().any(|it| {
        schema
            .get(it)
            .is_some_and(|it| it.to_string().contains("null"))
    });
    let mut found = vec![(json!([[7]]), false), (Value::Null, is_nullable)];
    for (keyword, beyond) in [("minimum", -1), ("maximum", 1)] {
        if let Some(limit) = schema[keyword].as_i64() {
            found.extend([(json!(limit), true), (json!(limit + beyond), false)]);
        }
    }
    if let Some(limit) = schema["maxLength"]
        .as_u64()
        .map(|limit| usize::try_from(limit).unwrap())
    {
        let text = value.as_str().unwrap();
        let padded = |length: usize| json!(format!("{text}{}", "a".repeat(length - text.len())));
        found.extend([(padded(limit), true), (padded(limit + 1), false)]);
    }
    if schema["minLength"] == 1 {
        found.extend([(json!(""), false), (json!(" \t\u{85}"), false)]);
    }
    if let Some(limit) = schema["maxItems"]
        .as_u64()
        .map(|limit| usize::try_from(limit).unwrap())
    {
        let item = &value[0];
        found.extend([
            (json!(vec![item; limit]), true),
            (json!(vec![item; limit + 1]), false),
        ]);
        found.extend(
            at_its_limits(document, &schema["items"])
                .into_iter()
                .map(|(item, is_valid)| (json!([item]), is_valid)),
        );
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let is_needed = schema["required"]
            .as_array()
            .is_some_and(|needed| needed.contains(&json!(name)));
        let mut without = value.clone();
        without.as_object_mut().unwrap().remove(name);
        found.push((without, !is_needed));
        for (member, is_valid) in at_its_limits(document, member) {
            let mut with = value.clone();
            with[name] = member;
            found.push((with, is_valid));
        }
    }
    if let Value::Object(members) = &value {
        let more = members
            .clone()
            .into_iter()
            .chain([("more".to_owned(), json!(1))]);
        found.push((Value::Object(more.collect()), false));
    }
    found
}

/// No keyword says that two members exclude each other: `refine` names a saved playlist, or songs.
fn forms(body: Value) -> Vec<Value> {
    let Some(refine) = body["refine"].as_object() else {
        return vec![body];
    };
    let has = |name: &str| refine.get(name).is_some_and(|member| !member.is_null());
    let mut found = Vec::new();
    for (is_complete, others) in [
        (has("playlist_id"), &["previous"] as &[_]),
        (
            has("previous") && has("instruction"),
            &["playlist_id", "keep"],
        ),
    ] {
        let mut form = body.clone();
        form["refine"]
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !others.contains(&name.as_str()));
        found.extend(is_complete.then_some(form));
    }
    found
}

fn accepts(name: &str, body: &[u8]) -> bool {
    let origins = AllowedOrigins::parse(APP).unwrap();
    match name {
        "PlaylistRequest" => ai_playlist::request::parse(body).is_ok(),
        "ExportRequest" => spotify_export::request::parse(body).is_ok(),
        "CheckoutRequest" => billing::request::parse_checkout(body, &origins).is_ok(),
        "PortalRequest" => billing::request::parse_portal(body, &origins).is_ok(),
        "AccountDeletion" => account::request::parse(body).is_ok(),
        "SpotifyLinkCompletion" => spotify_oauth::request::parse(body).is_ok(),
        other => panic!("what reads {other}?"),
    }
}

#[test]
fn functions_refuse_exactly_the_bodies_that_schemas_refuse() {
    let document = document();
    for Operation { node, .. } in operations(&document) {
        let schema = node
            .pointer("/requestBody/content/application~1json/schema/$ref")
            .and_then(Value::as_str);
        let Some(name) = schema.map(|schema| schema.trim_start_matches("#/components/schemas/"))
        else {
            continue;
        };
        // Stripe may send new members and new types at any time.
        if name == "StripeEvent" {
            continue;
        }
        let schema = document
            .pointer(&format!("/components/schemas/{name}"))
            .unwrap();
        for (body, is_valid) in at_its_limits(&document, schema) {
            // No keyword says that one number is not above another.
            let year = |end: &str| body.pointer(end).and_then(Value::as_i64);
            if year("/era/from")
                .zip(year("/era/to"))
                .is_some_and(|(from, to)| from > to)
            {
                continue;
            }
            let kept = body
                .pointer("/refine/keep")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            if body["target_count"].as_u64().unwrap_or(20) <= kept as u64 {
                continue;
            }
            let start: String = body.to_string().chars().take(300).collect();
            let is_accepted = forms(body)
                .iter()
                .all(|body| accepts(name, body.to_string().as_bytes()));
            assert_eq!(is_accepted, is_valid, "{name}: {start}");
        }
    }
}

#[test]
fn search_refuses_exactly_the_parameters_that_schemas_refuse() {
    let document = document();
    for parameter in document
        .pointer("/paths/~1spotify-search/get/parameters")
        .unwrap()
        .as_array()
        .unwrap()
    {
        let name = parameter["name"].as_str().unwrap();
        for (value, is_valid) in at_its_limits(&document, &parameter["schema"]) {
            // Without a value a parameter counts as missing.
            let Some(text) = value
                .as_str()
                .map(str::to_owned)
                .or(value.as_i64().map(|it| it.to_string()))
            else {
                continue;
            };
            if !text.trim().is_empty() {
                let other = if name == "title" { "artist" } else { "title" };
                let accepted =
                    spotify_search::request::parse(&format!("{other}=a&{name}={text}")).is_ok();
                assert_eq!(accepted, is_valid, "{name}={text}");
            }
        }
    }
}

#[test]
fn callback_reasons_are_those_of_the_code() {
    let document = document();
    let location = document.pointer(
        "/paths/~1spotify-oauth~1callback/get/responses/302/headers/Location/schema/pattern",
    );
    let reasons = [
        Reason::AccessDenied,
        Reason::InvalidState,
        Reason::ExpiredState,
        Reason::SpotifyError,
    ];
    let reasons = reasons.map(Reason::as_str).join("|");
    assert!(
        location
            .unwrap()
            .as_str()
            .unwrap()
            .contains(&format!("error=({reasons})")),
        "{location:?}"
    );
}

#[test]
fn openapi_has_every_code_under_its_status_for_each_of_its_operations() {
    let (document, template) = (document(), crate::document::template().unwrap());
    let template = serde_json::to_value(template).unwrap();
    let mut known = BTreeSet::from(["stream", "health"]);
    for (described, operation) in operations(&template).iter().zip(operations(&document)) {
        let id = operation.node["operationId"].as_str().unwrap();
        assert_eq!(described.node["operationId"], id);
        let words = described.node["x-fails"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap());
        let words: Vec<_> = words.chain([id]).collect();
        for (status, codes) in crate::errors::by_status(&words) {
            let response = resolved(&document, &operation.node["responses"][status.to_string()]);
            let codes = codes.iter().map(|code| code.as_str()).collect::<Vec<_>>();
            let listed = response.pointer("/content/application~1json/schema/properties/code/enum");
            assert_eq!(listed, Some(&json!(codes)), "{id} {status}");
        }
        let is_of_a_code = |word: &str| {
            Code::ALL
                .iter()
                .any(|code| code.operations().contains(&word))
        };
        assert!(
            words.iter().all(|word| *word == id || is_of_a_code(word)),
            "{id}: {words:?}"
        );
        known.extend(words);
    }
    let mut words = Code::ALL.iter().flat_map(|code| code.operations());
    assert_eq!(
        words.find(|word| !known.contains(*word)),
        None,
        "no operation has this word"
    );
}
