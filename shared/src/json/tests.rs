//! What is handed over, and when.

use super::{ObjectScanner, ScanError, ScanEvent};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) fn scan_chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<ScanEvent>, bool) {
    let mut scanner = ObjectScanner::new("tracks");
    let events = chunks.into_iter().flat_map(|chunk| scanner.push(chunk)).collect();
    (events, scanner.is_complete())
}

fn scan(text: &str) -> (Vec<ScanEvent>, bool) {
    scan_chunks([text.as_bytes()])
}

pub(super) fn member(key: &str, json: &str) -> ScanEvent {
    ScanEvent::Member { key: key.to_owned(), json: json.to_owned() }
}

pub(super) fn element(json: &str) -> ScanEvent {
    ScanEvent::Element(json.to_owned())
}

pub(super) fn broken(error: ScanError) -> ScanEvent {
    ScanEvent::Broken(error)
}

pub(super) const ANSWER: &str = r#"Sure {here} it is:
```json
{ "kind" : "playlist", "na\u006de":"Zażółć \"gęślą\" \\ {[", "other": {"tracks": [1, "]}"], "x": {}},
  "tracks": [ {"artist":"Dżem","title":"Whisky \ud83e\udd43","year":1979}, {"a":[{"b":"}"}]},7, null,"x" ],
  "list": [[1]], "n":-1.5e3,"t":true , "end":null}
``` enjoy }{"#;

#[test]
fn members_and_elements_come_out_complete_and_in_order() {
    let (events, is_complete) = scan(ANSWER);
    assert_eq!(
        events,
        [
            member("kind", "\"playlist\""),
            member("name", r#""Zażółć \"gęślą\" \\ {[""#),
            element(r#"{"artist":"Dżem","title":"Whisky \ud83e\udd43","year":1979}"#),
            element(r#"{"a":[{"b":"}"}]}"#),
            element("7"),
            element("null"),
            element("\"x\""),
            member("n", "-1.5e3"),
            member("t", "true"),
            member("end", "null"),
        ]
    );
    assert!(is_complete);
}

#[test]
fn everything_comes_out_with_the_byte_that_completes_it() {
    let mut scanner = ObjectScanner::new("tracks");
    assert_eq!(scanner.push(br#"{"kind":"playlist"#), []);
    assert_eq!(scanner.push(b"\""), [member("kind", "\"playlist\"")]);
    assert_eq!(scanner.push(br#","tracks":[{"a":1"#), []);
    assert_eq!(scanner.push(b"}"), [element(r#"{"a":1}"#)]);
    assert!(!scanner.is_complete());
    assert_eq!(scanner.push(b"]}"), []);
    assert!(scanner.is_complete());
}

#[test]
fn empty_objects_and_arrays_are_complete() {
    for text in ["{}", "{\"tracks\":[]}", " { \"tracks\" : [ ] } ", "[{}]"] {
        assert_eq!(scan(text), (vec![], true), "{text}");
    }
}

#[test]
fn what_ends_too_early_is_not_complete() {
    let whole = r#"{"kind":"playlist","tracks":[{"a":1}]}"#;
    for end in 0..whole.len() {
        let (events, is_complete) = scan_chunks([&whole.as_bytes()[..end]]);
        assert!(!is_complete);
        assert!(!events.iter().any(|event| matches!(event, ScanEvent::Broken(_))), "{end}");
    }
    assert_eq!(scan("I cannot help with that."), (vec![], false));
}

#[test]
fn what_breaks_is_told_once_and_what_came_before_stays() {
    let start = r#"{"kind":"playlist","tracks":[{"a":1}"#;
    let before = [member("kind", "\"playlist\""), element(r#"{"a":1}"#)];
    for rest in [
        "}",
        " x",
        ",,",
        ",]",
        ",{\"a\":}]",
        ",{\"a\":01}]",
        ",[}",
        ",\"\n\"",
        ",nul]",
        ",'x'",
        ",\u{1}",
        ",{\"a\" 1}]",
        ",{\"a\":\"Say \"Hi\"\"}",
        "]]",
        "],}",
        "],\"k\"}",
        "],\"k\":}",
        "],k:1}",
        "] \"k\":1}",
        "],\"k\":tru}",
        "],\"\\x\":1}",
    ] {
        let (events, is_complete) = scan(&format!("{start}{rest} {{\"more\":1}}"));
        assert_eq!(events, [&before[..], &[broken(ScanError::Malformed)]].concat(), "{rest}");
        assert!(!is_complete);
    }
}

#[test]
fn text_that_is_not_utf_8_is_malformed() {
    assert_eq!(scan_chunks([&b"{\"a\":\"\xff\"}"[..]]).0, [broken(ScanError::Malformed)]);
    assert_eq!(scan_chunks([&b"{\"tracks\":[\"\xc5\"]}"[..]]).0, [broken(ScanError::Malformed)]);
}

#[test]
fn a_value_is_bounded() {
    for (before, after) in
        [("{\"a\":\"", "\"}"), ("{\"", "\":1}"), ("{\"tracks\":[[\"", "\"]]}"), ("{\"a\":", "}")]
    {
        let text = |length: usize| format!("{before}{}{after}", "1".repeat(length));
        assert_eq!(scan(&text(64 * 1024 + 1)).0, [broken(ScanError::TooLarge)], "{before}");
    }
    let (events, is_complete) = scan(&format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024 - 2)));
    assert!(is_complete && events.len() == 1);
}

#[test]
fn nesting_is_bounded() {
    for before in ["{\"tracks\":[", "{\"other\":"] {
        let text = |depth: usize| format!("{before}{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(scan(&text(33)).0, [broken(ScanError::TooDeep)]);
        assert!(!scan(&text(32)).0.contains(&broken(ScanError::TooDeep)));
    }
}

#[test]
fn what_is_passed_over_may_be_large() {
    let text = format!("{{\"other\":[{}1],\"a\":2}}", "1,".repeat(100_000));
    assert_eq!(scan(&text), (vec![member("a", "2")], true));
}

#[test]
fn a_repeated_member_comes_out_as_often_as_it_stands() {
    let (events, is_complete) =
        scan(r#"{"tracks":"x","a":1,"a":2,"tracks":[1],"tracks":{"b":[2]},"tracks":[3]}"#);
    let expected =
        [member("tracks", "\"x\""), member("a", "1"), member("a", "2"), element("1"), element("3")];
    assert_eq!(events, expected);
    assert!(is_complete);
}
