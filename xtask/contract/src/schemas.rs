//! The schemas of the types in `shared::api`, in the form that the document has had from its beginning.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use shared::api::{Code, schemas as types};

use crate::node::{Map, Node};

/// At least one character that shows something.
const NOT_BLANK: &str =
    r"[^\s\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]";

/// The schemas by their names, with what the template adds to them.
pub fn schemas(template: Node) -> Result<Node> {
    let types: Node = serde_json::from_str(&types().to_json()?)?;
    let mut schemas = types
        .get("components")
        .and_then(|it| it.get("schemas"))
        .context("no schemas")?
        .clone();
    for schema in schemas.map_mut()?.values_mut() {
        reshape(schema);
    }
    flatten(schemas.map_mut()?)?;
    schemas.merge(template);
    let codes = Code::ALL
        .iter()
        .filter(|code| !code.operations().is_empty());
    let codes = Node::List(codes.map(|code| code.as_str().into()).collect());
    schemas
        .at(&["ErrorCode"])?
        .map_mut()?
        .insert("enum".to_owned(), codes);
    for schema in schemas.map_mut()?.values_mut() {
        finish(schema);
    }
    Ok(schemas)
}

/// Makes one object of a type with flattened members, for which utoipa writes `allOf: [of the members, the rest]`. The
/// schemas of such members have no other use.
fn flatten(schemas: &mut Map) -> Result<()> {
    let named = schemas.clone();
    let mut flattened = BTreeSet::new();
    for schema in schemas.values_mut() {
        let map = schema.map_mut()?;
        let Some(Node::List(parts)) = map.shift_remove("allOf") else {
            continue;
        };
        let (mut required, mut properties) = (Vec::new(), Map::new());
        for part in &parts {
            let name = part
                .get("$ref")
                .and_then(Node::text)
                .and_then(|it| it.rsplit('/').next());
            let part = match name {
                Some(name) => named
                    .get(name)
                    .with_context(|| format!("there is no {name}"))?,
                None => part,
            };
            flattened.extend(name.map(str::to_owned));
            required.extend(
                part.get("required")
                    .map(Node::list)
                    .unwrap_or_default()
                    .to_vec(),
            );
            properties.extend(
                part.get("properties")
                    .and_then(Node::map)
                    .cloned()
                    .unwrap_or_default(),
            );
        }
        let description = map.shift_remove("description");
        map.insert("type".to_owned(), "object".into());
        map.extend(description.map(|text| ("description".to_owned(), text)));
        map.insert("required".to_owned(), Node::List(required));
        map.insert("properties".to_owned(), Node::Map(properties));
        map.insert("additionalProperties".to_owned(), Node::Bool(false));
    }
    schemas.retain(|name, _| !flattened.contains(name));
    Ok(())
}

/// Brings what utoipa writes into the document's form: objects are closed, a number has no machine's format, what may be
/// null says so in its `type`.
fn reshape(schema: &mut Node) {
    if let Node::List(list) = schema {
        list.iter_mut().for_each(reshape);
    }
    let Node::Map(map) = schema else { return };
    map.values_mut().for_each(reshape);
    if map.contains_key("properties")
        && map
            .get("type")
            .is_some_and(|it| it.text() != Some("string"))
    {
        map.entry("additionalProperties".to_owned())
            .or_insert(Node::Bool(false));
    }
    if map
        .get("format")
        .and_then(Node::text)
        .is_some_and(|it| ["int32", "int64", "double"].contains(&it))
    {
        map.shift_remove("format");
    }
    if map.get("oneOf").is_some_and(|it| it.list().len() <= 2) {
        inlined(map);
    }
}

/// `oneOf: [X]` as X, and `oneOf: [null, X]` as X with one more type, or, where X is a reference, with null at the end.
fn inlined(map: &mut Map) {
    let Some(Node::List(mut options)) = map.shift_remove("oneOf") else {
        return;
    };
    let is_null = |option: &Node| option.get("type").and_then(Node::text) == Some("null");
    options.sort_by_key(is_null);
    match options.as_mut_slice() {
        [Node::Map(inline)] => take_over(map, inline),
        [Node::Map(inline), null] if is_null(null) && !inline.contains_key("$ref") => {
            if let Some(Node::List(words)) = inline.get_mut("enum") {
                words.push(Node::Null);
            }
            let kind = inline.get("type").cloned().unwrap_or(Node::Null);
            inline.insert("type".to_owned(), Node::List(vec![kind, "null".into()]));
            take_over(map, inline);
        }
        [Node::Map(reference), null] if is_null(null) => {
            // It describes the member and stands beside the reference.
            if let Some(description) = reference.shift_remove("description") {
                map.insert("description".to_owned(), description);
            }
            map.insert("oneOf".to_owned(), Node::List(options));
        }
        _ => drop(map.insert("oneOf".to_owned(), Node::List(options))),
    }
}

/// Adds what a type says to what its member says; the member's own description stays.
fn take_over(map: &mut Map, inline: &mut Map) {
    let described = map.shift_remove("description");
    map.append(inline);
    if let Some(described) = described {
        map.insert("description".to_owned(), described);
    }
}

/// Puts in the pattern of texts, and leaves out the type of an `enum`, which says itself what its values are.
fn finish(schema: &mut Node) {
    match schema {
        Node::List(list) => list.iter_mut().for_each(finish),
        Node::Map(map) => {
            map.values_mut().for_each(finish);
            if map.get("pattern").and_then(Node::text) == Some("NOT_BLANK") {
                map.insert("pattern".to_owned(), NOT_BLANK.into());
            }
            let is_of_words = map
                .get("enum")
                .is_some_and(|it| it.list().iter().any(|it| it.text().is_some()));
            if is_of_words && map.get("type").is_some_and(|it| it.text().is_some()) {
                map.shift_remove("type");
            }
        }
        _ => {}
    }
}
