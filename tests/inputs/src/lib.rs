//! Generated inputs for the property tests: hostile texts, arbitrary JSON, almost valid values, arbitrary chunks.
//!
//! Each property is tried on 256 inputs; `PROPTEST_CASES` chooses another number. Proptest writes an input that fails
//! into the crate's `proptest-regressions/` and tries it first from then on; commit it.

mod corpus;

pub use corpus::{mutated, mutated_text};
pub use proptest;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Number, Value};

/// Texts that often break parsers.
const TRAPS: &[&str] = &[
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\"",
    "\\",
    "\\u",
    "\\ud83e",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    ";",
    "=",
    ".",
    "..",
    "/",
    "//",
    "\\\\",
    "%",
    "%2f",
    "%00",
    "&",
    "+",
    "#",
    "?",
    "@",
    "-",
    "_",
    "(",
    ")",
    "feat.",
    "- Live",
    "e9",
    "1e999",
    "-0",
    "null",
    "true",
    "data:",
    "UUID",
    "`",
    " at line 1 column 1",
    "expected ",
    "missing field",
    "struct ",
    "[DONE]",
    "\u{feff}",
    "\u{200d}",
    "\u{202e}",
    "\u{301}",
    "ß",
    "İ",
    "ﬃ",
    "ﷺ",
    "㎯",
    "가",
    "が",
    "🥃",
    "\u{10ffff}",
    "\u{85}",
    "\u{2028}",
];

/// The default number of inputs for each property.
const USUAL_CASES: u32 = 256;

/// The number of inputs for a property with slow cases: the requested number, otherwise an eighth of the default.
#[must_use]
pub fn costly() -> ProptestConfig {
    let usual = ProptestConfig::default();
    let cases = if usual.cases == USUAL_CASES { USUAL_CASES / 8 } else { usual.cases };
    ProptestConfig { cases, ..usual }
}

/// Any text, rich in characters that have a meaning to some parser.
pub fn text() -> impl Strategy<Value = String> + Clone {
    let piece = prop_oneof![
        2 => select(TRAPS).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        3 => "[a-zA-Z0-9 ]{1,6}",
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Any bytes, text or not.
pub fn bytes() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![vec(any::<u8>(), 0..200), text().prop_map(String::into_bytes)]
}

/// Any JSON value of a few levels.
pub fn json() -> impl Strategy<Value = Value> + Clone {
    json_with(Vec::new())
}

/// Any JSON value; the members of objects have these names or arbitrary ones.
pub fn json_with(names: Vec<&'static str>) -> impl Strategy<Value = Value> + Clone {
    let known = if names.is_empty() { vec!["id"] } else { names };
    let name = prop_oneof![3 => select(known).prop_map(str::to_owned), 1 => text()];
    scalar().prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn scalar() -> impl Strategy<Value = Value> + Clone {
    let float = any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number));
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3..3_000_i64).prop_map(Value::from),
        float,
        text().prop_map(Value::from),
    ]
}

/// A value of the right shape with up to three parts replaced or removed.
pub fn nearly(right: Value) -> impl Strategy<Value = Value> + Clone {
    let change = (
        any::<Index>(),
        prop_oneof![2 => text().prop_map(|text| Some(text.into())), 2 => json().prop_map(Some), 1 => Just(None)],
    );
    vec(change, 0..4).prop_map(move |changes| {
        let mut value = right.clone();
        for (which, instead) in changes {
            change_part(&mut value, which, instead);
        }
        value
    })
}

/// The bytes with up to three changed, removed or doubled, possibly truncated.
pub fn damaged(right: Vec<u8>) -> impl Strategy<Value = Vec<u8>> + Clone {
    let change = (any::<Index>(), prop_oneof![any::<u8>(), select(&b"\"\\{}[],:. =\r\n\xff"[..])], 0..3_u8);
    let end = prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)];
    (vec(change, 0..4), end).prop_map(move |(changes, end)| {
        let mut bytes = right.clone();
        for (at, byte, how) in changes.into_iter().filter(|_| !right.is_empty()) {
            let at = at.index(bytes.len().max(1));
            match (how, bytes.get_mut(at)) {
                (0, Some(place)) => *place = byte,
                (1, Some(_)) => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        bytes
    })
}

/// Where bytes are cut into chunks.
pub fn cuts() -> impl Strategy<Value = Vec<Index>> + Clone {
    vec(any::<Index>(), 0..8)
}

/// The chunks between the cuts, empty between equal cuts.
#[must_use]
pub fn chunks<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.extend([0, bytes.len()]);
    ends.sort_unstable();
    ends.iter().zip(ends.iter().skip(1)).filter_map(|(from, to)| bytes.get(*from..*to)).collect()
}

/// Replaces or removes one part of a value, the whole value included.
fn change_part(value: &mut Value, which: Index, instead: Option<Value>) {
    let mut pointers = Vec::new();
    collect_pointers(value, String::new(), &mut pointers);
    let pointer = which.get(&pointers);
    match (instead, pointer.rsplit_once('/')) {
        (Some(instead), _) => {
            if let Some(part) = value.pointer_mut(pointer) {
                *part = instead;
            }
        }
        (None, None) => *value = Value::Null,
        (None, Some((parent, name))) => match value.pointer_mut(parent) {
            Some(Value::Object(members)) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
            Some(Value::Array(items)) => {
                drop(name.parse().ok().filter(|at| *at < items.len()).map(|at: usize| items.remove(at)))
            }
            _ => {}
        },
    }
}

fn collect_pointers(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect_pointers(member, format!("{pointer}/{name}"), pointers);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect_pointers(item, format!("{pointer}/{at}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}
