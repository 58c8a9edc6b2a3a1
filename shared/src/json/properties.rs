//! What holds for any document and any cuts, tried on many.

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{chunks, cuts, damaged, json_with, mutated};
use serde_json::Value;

use super::tests::{ANSWER, broken, element, member, scan_chunks};
use super::{ScanError, ScanEvent};

/// What is to be handed over of an object that is written as it stands.
fn events_of(object: &serde_json::Map<String, Value>) -> Vec<ScanEvent> {
    let mut events = Vec::new();
    for (key, value) in object {
        match value {
            Value::Array(items) if key == "tracks" => {
                events.extend(items.iter().map(|item| element(&item.to_string())))
            }
            Value::Array(_) | Value::Object(_) => {}
            scalar => events.push(member(key, &scalar.to_string())),
        }
    }
    events
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_however_it_is_cut(
        object in json_with(vec!["tracks", "name", "kind"]).prop_filter_map(
            "no object",
            |value| value.as_object().cloned(),
        ),
        tracks in vec(json_with(vec!["artist", "title"]), 0..6),
        before in "[^{]{0,12}\\{? ?",
        after in ".{0,12}",
        cuts in cuts(),
    ) {
        let mut object = object;
        object.entry("tracks").or_insert(Value::Array(tracks));
        let text = format!("{before}{}{after}", Value::Object(object.clone()));
        let (events, is_complete) = scan_chunks(chunks(text.as_bytes(), &cuts));
        prop_assert!(is_complete, "{}", text);
        prop_assert_eq!(events, events_of(&object), "{}", text);
    }

    #[test]
    fn where_the_chunks_are_cut_makes_no_difference(
        document in prop_oneof![damaged(ANSWER.as_bytes().to_vec()), mutated("llm-output")],
        cuts in cuts(),
    ) {
        let whole = scan_chunks([document.as_slice()]);
        prop_assert_eq!(&scan_chunks(chunks(&document, &cuts)), &whole);
        prop_assert_eq!(&scan_chunks(document.chunks(1)), &whole);
        let errors = whole.0.iter().filter(|event| matches!(event, ScanEvent::Broken(_))).count();
        prop_assert!(errors <= 1 && (errors == 0 || !whole.1));
    }

    #[test]
    fn whatever_is_handed_over_is_json(bytes in vec(prop_oneof![
        3 => prop::sample::select(&b"{}[]\"\\:,tracks 019.-eu\n"[..]),
        1 => any::<u8>(),
    ], 0..60)) {
        let document = [b"{\"tracks\":[", bytes.as_slice()].concat();
        for event in scan_chunks([document.as_slice()]).0 {
            match event {
                ScanEvent::Member { json, .. } | ScanEvent::Element(json) => {
                    prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{}", json);
                }
                ScanEvent::Broken(error) => prop_assert_eq!(broken(error), broken(ScanError::Malformed)),
            }
        }
    }
}
