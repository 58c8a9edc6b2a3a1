//! Reads JSON into types, with errors in plain words.
//!
//! `serde_json` reads into types, too, but its errors describe the value that was found, which takes 20 KB of wasm for
//! numbers alone, and each type brings a copy of the parser.

use std::fmt;
use std::slice::Iter;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Number, Value, map};

use super::members;

/// Reads a document into a type; `None` if it is not JSON or has another shape.
pub fn read<T: DeserializeOwned>(document: &[u8]) -> Option<T> {
    read_value(&serde_json::from_slice(document).ok()?).ok()
}

/// Reads members of an object into a type; the values of all others are skipped. `None` also if one is given twice.
pub fn read_members<T: DeserializeOwned>(document: &[u8], names: &[&str]) -> Option<T> {
    let mut object = Map::new();
    for (name, value) in members(document, &|name| names.contains(&name)).ok()? {
        if object.insert(name, value).is_some() {
            return None;
        }
    }
    read_value(&Value::Object(object)).ok()
}

/// Reads a value into a type. A struct is read from an object only, never from a list.
///
/// # Errors
/// Returns the first member that does not fit.
pub fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Unfit> {
    T::deserialize(Reader(value))
}

/// A member that does not fit the type, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The members that lead to it, such as `refine.previous.artist`; empty for the whole document.
    path: String,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Missing,
    Unknown,
    /// What it has to be.
    Not(String),
}

impl Unfit {
    fn not(expected: String) -> Self {
        let path = String::new();
        let problem = Problem::Not(expected);
        Self { path, problem }
    }

    fn of(expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        Self::not(match expected.as_str() {
            "a string" => "a text".to_owned(),
            "a boolean" => "true or false".to_owned(),
            "a sequence" => "a list".to_owned(),
            other if other.starts_with("struct ") => "an object".to_owned(),
            other if other.contains("UUID") => "a UUID".to_owned(),
            _ => expected,
        })
    }

    fn member(name: &str, problem: Problem) -> Self {
        let path = name.to_owned();
        Self { path, problem }
    }

    fn within(mut self, member: &str) -> Self {
        if !self.path.is_empty() {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, member);
        self
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.as_str() {
            "" => "The body",
            path => path,
        };
        match &self.problem {
            Problem::Missing => write!(f, "{path} is missing."),
            Problem::Unknown => write!(f, "There is no field {path}."),
            Problem::Not(expected) => write!(f, "{path} must be {expected}."),
        }
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        // The errors of our own types say "not a …".
        let message = message.to_string();
        let expected = message.strip_prefix("not ").unwrap_or("another value");
        Self::not(
            if message.contains("UUID") {
                "a UUID"
            } else {
                expected
            }
            .to_owned(),
        )
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(expected)
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::of(expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::not(format!("one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::member(field, Problem::Unknown)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::member(field, Problem::Missing)
    }
}

struct Reader<'a>(&'a Value);

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => visit_number(number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter())),
            Value::Object(members) => visitor.visit_map(Members::of(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(Unfit::of(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items(items.iter())),
            _ => Err(Unfit::of(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::of(members)),
            _ => Err(Unfit::of(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            _ => Err(Unfit::of(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Unfit> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => visitor.visit_u64(number),
        (None, Some(number)) => visitor.visit_i64(number),
        (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
    }
}

struct Items<'a>(Iter<'a, Value>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unfit> {
        self.0
            .next()
            .map(|item| seed.deserialize(Reader(item)))
            .transpose()
    }
}

struct Members<'a> {
    left: map::Iter<'a>,
    /// The member whose value is read next.
    current: Option<(&'a str, &'a Value)>,
}

impl<'a> Members<'a> {
    fn of(members: &'a Map<String, Value>) -> Self {
        let left = members.iter();
        let current = None;
        Self { left, current }
    }
}

impl<'de> de::MapAccess<'de> for Members<'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unfit> {
        self.current = self.left.next().map(|(name, value)| (name.as_str(), value));
        let name = self.current.map(|(name, _)| name);
        name.map(|name| seed.deserialize(BorrowedStrDeserializer::new(name)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        let (name, value) = self.current.unwrap_or(("", &Value::Null));
        seed.deserialize(Reader(value))
            .map_err(|unfit| unfit.within(name))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;
    use uuid::Uuid;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        TwoWords,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner(u32);

    #[derive(Debug, PartialEq, Deserialize)]
    struct All {
        text: String,
        kind: Kind,
        id: Option<Uuid>,
        float: f64,
        signed: i64,
        list: Vec<Inner>,
        any: Value,
        #[serde(default)]
        is_set: bool,
    }

    fn all() -> Value {
        json!({"text": "Łódź", "kind": "two_words", "id": Uuid::nil(), "float": 7, "signed": -7, "list": [1, 2],
            "any": {"a": [null, 1.5, u64::MAX, "x"]}, "more": [{"text": 1}]})
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let expected = All {
            text: "Łódź".to_owned(),
            kind: Kind::TwoWords,
            id: Some(Uuid::nil()),
            float: 7.0,
            signed: -7,
            list: vec![Inner(1), Inner(2)],
            any: json!({"a": [null, 1.5, u64::MAX, "x"]}),
            is_set: false,
        };
        assert_eq!(serde_json::from_value::<All>(all()).unwrap(), expected);
        assert_eq!(read(all().to_string().as_bytes()), Some(expected));
        assert_eq!(read::<Option<All>>(b"null"), Some(None));
        assert_eq!(read::<()>(b"null"), Some(()));
        assert_eq!(
            read::<Vec<Value>>(b"[{}, 1]"),
            Some(vec![json!({}), json!(1)])
        );
    }

    #[test]
    fn refuses_what_does_not_fit_and_names_it() {
        for (member, value, expected) in [
            ("text", json!(1), "text must be a text."),
            (
                "kind",
                json!("three"),
                "kind must be one of one, two_words.",
            ),
            ("kind", json!(1), "kind must be enum Kind."),
            ("id", json!("x"), "id must be a UUID."),
            ("float", json!("1"), "float must be f64."),
            ("signed", json!(u64::MAX), "signed must be i64."),
            ("list", json!({}), "list must be a list."),
            ("list", json!([1, -1]), "list must be u32."),
            ("is_set", json!(null), "is_set must be true or false."),
        ] {
            let mut document = all();
            document[member] = value;
            let unfit = read_value::<All>(&document).unwrap_err();
            assert_eq!(unfit.to_string(), expected);
            assert!(
                serde_json::from_value::<All>(document).is_err(),
                "{expected}"
            );
        }
        let unfit = |document| read_value::<All>(&document).unwrap_err().to_string();
        assert_eq!(unfit(json!({})), "text is missing.");
        assert_eq!(unfit(json!(["Łódź"])), "The body must be an object.");
        assert_eq!(read::<Value>(b"{"), None);
    }

    #[test]
    fn skips_members_that_are_not_wanted_and_refuses_a_repeated_one() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Wanted {
            a: u32,
        }
        for (document, expected) in [
            (r#"{"b":1e999,"a":1,"b":"\ud83d"}"#, Some(Wanted { a: 1 })),
            (r#"{"a":1,"a":1}"#, None),
            (r#"{"b":1}"#, None),
            ("[1]", None),
        ] {
            assert_eq!(
                read_members(document.as_bytes(), &["a"]),
                expected,
                "{document}"
            );
        }
    }
}
