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

fn inside_quotes(json: &str) -> String {
    json.strip_prefix('"').unwrap().strip_suffix('"').unwrap().to_owned()
}

proptest! {
    #[test]
    fn a_document_whose_texts_are_broken_is_read_as_one_whose_texts_are_whole(
        texts in vec(vec(prop_oneof![
            "[a\\PC]{0,3}".prop_map(|text| (inside_quotes(&Value::from(text.as_str()).to_string()), text)),
            Just((r"\ud83e\uDD43".to_owned(), "🥃".to_owned())),
            Just((r"\\ud83e".to_owned(), r"\ud83e".to_owned())),
            Just((r"\uDD43 ".to_owned(), "\u{fffd} ".to_owned())),
            (0xd800..=0xdbff_u16).prop_map(|high| (format!(r"\u{high:x} "), "\u{fffd} ".to_owned())),
        ], 0..8), 0..6),
    ) {
        let join = |of: fn(&(String, String)) -> &str| -> Vec<String> {
            texts.iter().map(|parts| parts.iter().map(of).collect()).collect()
        };
        let document = format!("[{}]", join(|part| &part.0).iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(","));
        let read: Vec<String> = super::from_slice_lenient(document.as_bytes()).unwrap();
        prop_assert_eq!(read, join(|part| &part.1), "{}", document);
    }

    #[test]
    fn a_document_that_was_read_is_read_the_same_and_others_stay_refused_or_become_text(
        bytes in prop_oneof![mutated("spotify-answers"), mutated("request-bodies")],
    ) {
        let read = super::from_slice_lenient::<Value>(&bytes);
        if let Ok(strict) = serde_json::from_slice::<Value>(&bytes) {
            prop_assert_eq!(read.unwrap(), strict);
        }
        let mended = super::mended(&bytes);
        prop_assert!(std::str::from_utf8(&mended).is_ok());
        prop_assert_eq!(&super::mended(&mended), &mended);
    }
}
