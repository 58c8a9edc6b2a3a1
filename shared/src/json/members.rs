use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Returns the wanted members of an object in their order; the values of all others are not kept. A document that is not
/// an object has none.
///
/// # Errors
/// Returns serde's error if the document is not JSON.
pub fn members(
    document: &[u8],
    is_wanted: &dyn Fn(&str) -> bool,
) -> serde_json::Result<Vec<(String, Value)>> {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let members = Members(is_wanted).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(members)
}

struct Members<'a>(&'a dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<(String, Value)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

// The methods' defaults describe the unexpected value in an error, which takes 20 KB of wasm for numbers.
impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if (self.0)(&name) {
                members.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn returns_an_objects_members_in_order() {
        let found = members(br#"{"b":1,"skip":{"x":[2]},"a":null}"#, &|name| {
            name != "skip"
        })
        .unwrap();
        assert_eq!(
            found,
            [("b".to_owned(), json!(1)), ("a".to_owned(), Value::Null)]
        );
        for other in ["[1,[2]]", "true", "-1", "1", "1.5", "\"a\"", "null"] {
            assert_eq!(members(other.as_bytes(), &|_| true).unwrap(), [], "{other}");
        }
        for broken in ["", "{", "{\"a\":1}}", "[1", "{\"skip\":}"] {
            assert!(members(broken.as_bytes(), &|_| false).is_err(), "{broken}");
        }
    }
}
