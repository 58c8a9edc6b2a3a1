//! JSON schemas in the subset that every strict mode accepts.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON schema that is strict by construction.
///
/// Every property is required, no other is allowed, and there are no limits, which strict modes refuse. Properties
/// are serialised in order, because models write their completion in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// Any text.
    Text,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An integer. There is no `null`, because not every strict mode accepts a list of types.
    Integer,
    /// A list of such elements.
    List(&'static Schema),
    /// An object with these properties.
    Object(&'static [(&'static str, Schema)]),
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Text => map.serialize_entry("type", "string")?,
            Self::OneOf(texts) => {
                map.serialize_entry("type", "string")?;
                map.serialize_entry("enum", texts)?;
            }
            Self::Integer => map.serialize_entry("type", "integer")?,
            Self::List(element) => {
                map.serialize_entry("type", "array")?;
                map.serialize_entry("items", element)?;
            }
            Self::Object(properties) => {
                let names: Vec<_> = properties.iter().map(|(name, _)| name).collect();
                map.serialize_entry("type", "object")?;
                map.serialize_entry("properties", &Properties(properties))?;
                map.serialize_entry("required", &names)?;
                map.serialize_entry("additionalProperties", &false)?;
            }
        }
        map.end()
    }
}

struct Properties(&'static [(&'static str, Schema)]);

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, schema)| (name, schema)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_keep_their_order_and_are_required() {
        const SCHEMA: Schema = Schema::Object(&[
            ("z", Schema::OneOf(&["x", "y"])),
            (
                "a",
                Schema::List(&Schema::Object(&[("year", Schema::Integer)])),
            ),
            ("m", Schema::Text),
        ]);
        assert_eq!(
            serde_json::to_string(&SCHEMA).unwrap(),
            concat!(
                r#"{"type":"object","properties":{"z":{"type":"string","enum":["x","y"]},"#,
                r#""a":{"type":"array","items":{"type":"object","properties":"#,
                r#"{"year":{"type":"integer"}},"required":["year"],"additionalProperties":false}},"#,
                r#""m":{"type":"string"}},"required":["z","a","m"],"additionalProperties":false}"#,
            )
        );
    }
}
