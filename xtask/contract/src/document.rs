//! docs/openapi.yaml: the template with the schemas, the errors of each operation, and the health of each function.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use indexmap::IndexSet;
use shared::Code;

use crate::node::{Map, Node};
use crate::{errors, schemas};

const TEMPLATE: &str = include_str!("openapi.yaml");
const METHODS: [&str; 4] = ["get", "post", "delete", "head"];

/// The parts of the document that types cannot express.
pub fn template() -> Result<Node> {
    Ok(serde_saphyr::from_str(TEMPLATE)?)
}

pub fn document() -> Result<Node> {
    let mut document = template()?;
    add_health(&mut document)?;
    add_errors(&mut document)?;
    let template = std::mem::replace(document.at(&["components", "schemas"])?, Node::Null);
    *document.at(&["components", "schemas"])? = schemas::schemas(template)?;
    let of_stream = Node::of(serde_json::json!({"code": {"enum": errors::of_stream()}}))?;
    let streamed = document.at(&["components", "schemas", "ErrorEvent", "properties", "data"])?;
    streamed
        .map_mut()?
        .insert("properties".to_owned(), of_stream);
    Ok(document)
}

/// Adds `/<function>/health` for every function.
fn add_health(document: &mut Node) -> Result<()> {
    let item = document
        .map_mut()?
        .shift_remove("functionHealth")
        .context("no functionHealth")?;
    let paths = document.at(&["paths"])?.map_mut()?;
    let gateway = paths.shift_remove("/health").context("no /health")?;
    let functions: IndexSet<String> = paths
        .keys()
        .filter_map(|path| Some(path.split('/').nth(1)?.to_owned()))
        .collect();
    for function in functions {
        let mut item = item.clone();
        let name: String = function.split('-').map(capitalised).collect();
        for (method, end) in [("get", ""), ("head", "ByHead")] {
            let operation = item.at(&[method])?.map_mut()?;
            operation.insert(
                "operationId".to_owned(),
                Node::Text(format!("askHealthOf{name}{end}")),
            );
            operation.insert(
                "tags".to_owned(),
                Node::List(vec![function.as_str().into()]),
            );
        }
        paths.insert(format!("/{function}/health"), item);
    }
    paths.insert("/health".to_owned(), gateway);
    Ok(())
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or_default();
    first.to_uppercase() + rest
}

/// Adds its errors to every operation; errors that several operations share become a named response.
fn add_errors(document: &mut Node) -> Result<()> {
    let mut uses = BTreeMap::<Vec<&str>, usize>::new();
    let words = |codes: &[Code]| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>();
    let mut shared = Map::new();
    each_operation(document, |by_status, _| {
        for codes in by_status.values() {
            let times = uses.entry(words(codes)).or_default();
            *times += 1;
            if *times == 2 || errors::is_named(codes) {
                shared.insert(errors::name(codes), errors::response(codes)?);
            }
        }
        Ok(())
    })?;
    document
        .at(&["components", "responses"])?
        .merge(Node::Map(shared));
    each_operation(document, |by_status, operation| {
        operation.shift_remove("x-fails");
        let responses = operation
            .get_mut("responses")
            .context("no responses")?
            .map_mut()?;
        for (status, codes) in by_status {
            let response = match uses.get(&words(codes)) {
                Some(1) if !errors::is_named(codes) => errors::response(codes)?,
                _ => Node::of(
                    serde_json::json!({"$ref": format!("#/components/responses/{}", errors::name(codes))}),
                )?,
            };
            responses.insert(status.to_string(), response);
        }
        responses.sort_keys();
        Ok(())
    })
}

/// Calls `what` with the codes of each operation by status, and with the operation.
fn each_operation(
    document: &mut Node,
    mut what: impl FnMut(&BTreeMap<u16, Vec<Code>>, &mut Map) -> Result<()>,
) -> Result<()> {
    for item in document.at(&["paths"])?.map_mut()?.values_mut() {
        for (_, operation) in item
            .map_mut()?
            .iter_mut()
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
        {
            let id = operation
                .get("operationId")
                .and_then(Node::text)
                .context("no operationId")?;
            let words = operation.get("x-fails").map(Node::list).unwrap_or_default();
            let words: Vec<_> = words.iter().filter_map(Node::text).chain([id]).collect();
            what(&errors::by_status(&words), operation.map_mut()?)?;
        }
    }
    Ok(())
}
