//! The page's types: TypeScript for the schemas that the page reads and sends.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use shared::Code;

use crate::MARK;
use crate::node::Node;

const OF_THE_PAGE: [&str; 21] = [
    "AccountDeletion",
    "AppUrl",
    "CheckoutRequest",
    "Error",
    "ExportRequest",
    "Exported",
    "FoundTrack",
    "GeneratedPlaylist",
    "Market",
    "MissData",
    "PlaylistRequest",
    "PortalRequest",
    "PriceResponse",
    "Quota",
    "SearchResponse",
    "Song",
    "SpotifyAuthorization",
    "SpotifyLink",
    "SpotifyLinkCompletion",
    "StageData",
    "StripePage",
];

/// The members of a track that are no columns of `playlist_tracks`.
const OF_ONE_GENERATION: [&str; 2] = ["index", "score"];

/// web/src/api/generated.ts
pub fn types(document: &Node) -> Result<String> {
    let schemas = document
        .get("components")
        .and_then(|it| it.get("schemas"))
        .context("no schemas")?;
    let mut text = format!(
        "// {MARK}\n\n/** The closed list of the functions' codes that a client can see. */\n"
    );
    let codes = Code::ALL
        .iter()
        .filter(|code| !code.operations().is_empty());
    let codes: String = codes
        .map(|code| format!("  '{}',\n", code.as_str()))
        .collect();
    write!(
        text,
        "export const FUNCTION_CODES = [\n{codes}] as const;\n\n"
    )?;
    text.push_str("export type ErrorCode = (typeof FUNCTION_CODES)[number];\n");
    let track = schemas
        .get("Track")
        .and_then(|it| it.get("properties"))
        .and_then(Node::map);
    let columns: Vec<_> = track
        .context("there is no Track")?
        .keys()
        .map(String::as_str)
        .filter(|name| !OF_ONE_GENERATION.contains(name))
        .collect();
    write!(
        text,
        "\n/** The columns of `playlist_tracks` that the page reads and writes. */\nexport const TRACK_COLUMNS =\n  '{}';\n",
        columns.join(", ")
    )?;
    for name in OF_THE_PAGE.iter().copied().chain(["Track", "TrackUri"]) {
        let schema = schemas
            .get(name)
            .with_context(|| format!("there is no {name}"))?;
        write!(
            text,
            "\n{}export type {name} = {};\n",
            comment(schema, ""),
            of(schema, "")?
        )?;
    }
    Ok(text)
}

fn comment(schema: &Node, indent: &str) -> String {
    let text = schema
        .get("description")
        .and_then(Node::text)
        .unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        text
    } else {
        format!("{indent}/** {text} */\n")
    }
}

fn of(schema: &Node, indent: &str) -> Result<String> {
    let text = |name| schema.get(name).and_then(Node::text);
    if let Some(name) = text("$ref").and_then(|it| it.rsplit('/').next()) {
        return Ok(name.to_owned());
    }
    for options in ["oneOf", "enum"] {
        if let Some(Node::List(options)) = schema.get(options) {
            let options: Result<Vec<_>> = options
                .iter()
                .map(|option| option_of(option, indent))
                .collect();
            return Ok(options?.join(" | "));
        }
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Node::List(kinds)) => kinds.iter().filter_map(Node::text).collect(),
        kind => kind.and_then(Node::text).into_iter().collect(),
    };
    let kinds: Result<Vec<_>> = kinds
        .into_iter()
        .map(|kind| kind_of(kind, schema, indent))
        .collect();
    Ok(kinds?.join(" | "))
}

fn option_of(option: &Node, indent: &str) -> Result<String> {
    match option {
        Node::Text(word) => Ok(format!("'{word}'")),
        Node::Null => Ok("null".to_owned()),
        schema => of(schema, indent),
    }
}

fn kind_of(kind: &str, schema: &Node, indent: &str) -> Result<String> {
    Ok(match kind {
        "integer" | "number" => "number".to_owned(),
        "string" | "boolean" | "null" => kind.to_owned(),
        "array" => {
            let item = of(schema.get("items").context("a list without items")?, indent)?;
            if item.contains(' ') {
                format!("Array<{item}>")
            } else {
                format!("{item}[]")
            }
        }
        "object" => {
            let required: Vec<_> = schema
                .get("required")
                .map(Node::list)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .collect();
            let deeper = format!("{indent}  ");
            let mut text = "{\n".to_owned();
            for (name, member) in schema
                .get("properties")
                .and_then(Node::map)
                .into_iter()
                .flatten()
            {
                let mark = if required.contains(&name.as_str()) {
                    ""
                } else {
                    "?"
                };
                text.push_str(&comment(member, &deeper));
                writeln!(text, "{deeper}{name}{mark}: {};", of(member, &deeper)?)?;
            }
            text + indent + "}"
        }
        other => bail!("TypeScript has no {other}"),
    })
}
