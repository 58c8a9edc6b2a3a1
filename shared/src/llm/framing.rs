//! Splits a response in any framing into its payloads, in order.

use serde_json::Value;

/// The longest line, and the longest payload that spans several lines.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One payload of a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A JSON value.
    Json(Value),
    /// `[DONE]`, with which chat completions end.
    Done,
}

/// A line or an event of several lines exceeds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Tracks where a JSON value that has begun ends.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Reads a byte; returns whether the value ends with it.
    fn ends_with(&mut self, byte: u8) -> bool {
        match byte {
            _ if std::mem::take(&mut self.is_escaped) => {}
            b'\\' if self.is_in_text => self.is_escaped = true,
            b'"' => self.is_in_text = !self.is_in_text,
            _ if self.is_in_text => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0
    }
}

/// Reads a body that arrives in chunks, cut anywhere, in linear time.
///
/// The bytes determine the framing, because servers send events as `application/json` and documents as
/// `text/event-stream`, and omit field names: a line that begins with a bracket begins a JSON value, every other
/// line belongs to server-sent events as the HTML standard defines them. Lines that are not JSON are skipped:
/// servers send all kinds of texts as keep-alives.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The unfinished line or value.
    line: Vec<u8>,
    value: Option<Nesting>,
    /// The `data` lines of an event that are not JSON by themselves.
    data: Vec<u8>,
    /// Whether the last byte was a carriage return: a line feed right after it ends the same line.
    is_after_carriage_return: bool,
}

impl FrameReader {
    /// Reads a chunk; returns the payloads that it completes.
    ///
    /// # Errors
    /// Returns [`TooLong`] if a line or an event exceeds the limit; nothing can be read after that.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Vec<Payload>, TooLong> {
        let mut payloads = Vec::new();
        let mut rest = chunk;
        while let Some((byte, after)) = rest.split_first() {
            // What cannot begin a value is copied as far as the line goes.
            let length = if self.is_in_line() {
                length_of_line(rest)
            } else {
                0
            };
            if let Some((part, after)) = rest.split_at_checked(length).filter(|_| length > 0) {
                if self.line.len() + length > MAX_EVENT_BYTES {
                    return Err(TooLong);
                }
                self.line.extend_from_slice(part);
                self.is_after_carriage_return = false;
                rest = after;
                continue;
            }
            rest = after;
            self.read_byte(*byte, &mut payloads)?;
        }
        Ok(payloads)
    }

    /// Returns whether a line has begun that is not a JSON value by itself.
    fn is_in_line(&self) -> bool {
        self.value.is_none() && !is_blank(&self.line) && !BYTE_ORDER_MARK.starts_with(&self.line)
    }

    fn read_byte(&mut self, byte: u8, payloads: &mut Vec<Payload>) -> Result<(), TooLong> {
        let was_carriage_return =
            std::mem::replace(&mut self.is_after_carriage_return, byte == b'\r');
        if let Some(value) = &mut self.value {
            self.line.push(byte);
            if value.ends_with(byte) {
                self.value = None;
                payloads.extend(json(&std::mem::take(&mut self.line)));
            }
            return Ok(());
        }
        match byte {
            b'\n' if was_carriage_return => {}
            b'\n' | b'\r' => {
                let line = std::mem::take(&mut self.line);
                self.read_line(&line, payloads)?;
            }
            b'{' | b'[' if is_blank(&self.line) => {
                self.line = vec![byte];
                self.value = Some(Nesting {
                    depth: 1,
                    ..Nesting::default()
                });
            }
            // One leading space represents many, because every following bracket checks whether the line is
            // blank.
            _ if byte.is_ascii_whitespace() && !self.line.is_empty() && is_blank(&self.line) => {}
            _ => self.line.push(byte),
        }
        Ok(())
    }

    /// Ends the input; returns the payload that lacks only its end. The standard drops an event without its blank
    /// line, but servers end with a bare `data: [DONE]`.
    pub fn finish(&mut self) -> Vec<Payload> {
        let mut payloads = Vec::new();
        let line = std::mem::take(&mut self.line);
        if self.value.take().is_none() {
            self.read_line(&line, &mut payloads).unwrap_or_default();
        }
        self.dispatch(&mut payloads);
        payloads
    }

    /// Reads a line of an event stream. A blank one ends the event.
    fn read_line(&mut self, line: &[u8], payloads: &mut Vec<Payload>) -> Result<(), TooLong> {
        let line = without_mark(line);
        if line.is_empty() {
            self.dispatch(payloads);
            return Ok(());
        }
        let Some(value) = data_of(line) else {
            return Ok(());
        };
        // Servers omit the blank line, so a line that is complete JSON is returned at once.
        if self.data.is_empty() {
            let whole = payloads_of(value);
            if !whole.is_empty() {
                payloads.extend(whole);
                return Ok(());
            }
        }
        if self.data.len() + 1 + value.len() > MAX_EVENT_BYTES {
            return Err(TooLong);
        }
        if !self.data.is_empty() {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }

    fn dispatch(&mut self, payloads: &mut Vec<Payload>) {
        let data = std::mem::take(&mut self.data);
        payloads.extend(payloads_of(&data));
    }
}

fn payloads_of(data: &[u8]) -> Vec<Payload> {
    if data.trim_ascii() == b"[DONE]" {
        vec![Payload::Done]
    } else {
        json(data)
    }
}

/// Returns the JSON values at the beginning of a text: servers join payloads, and append to them.
fn json(text: &[u8]) -> Vec<Payload> {
    let mut payloads = Vec::new();
    let mut rest = without_mark(text);
    loop {
        rest = rest.trim_ascii_start();
        rest = data_of(rest).unwrap_or(rest).trim_ascii_start();
        let mut nesting = Nesting::default();
        let end = match rest.first() {
            Some(b'{' | b'[') => rest.iter().position(|byte| nesting.ends_with(*byte)),
            // A payload that is encoded twice.
            Some(b'"') => rest.len().checked_sub(1),
            _ => None,
        };
        let (value, after) = end.map_or((rest, rest), |end| rest.split_at(end + 1));
        match value_of(value).filter(|_| end.is_some()) {
            Some(Value::Array(chunks)) => payloads.extend(chunks.into_iter().map(Payload::Json)),
            Some(Value::String(text)) => payloads.extend(json(text.as_bytes())),
            Some(value) => payloads.push(Payload::Json(value)),
            None => return payloads,
        }
        rest = after;
    }
}

fn value_of(text: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(text);
    let strictly =
        |text: &str| serde_json::from_slice(&super::surrogates::mark(text.as_bytes())).ok();
    // Python writes NaN.
    strictly(&text).or_else(|| {
        let mended = text
            .replace("NaN", "null")
            .replace("-Infinity", "null")
            .replace("Infinity", "null");
        strictly(&mended)
    })
}

/// Returns how many bytes there are before the end of the line.
fn length_of_line(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .unwrap_or(bytes.len())
}

fn is_blank(line: &[u8]) -> bool {
    without_mark(line).trim_ascii_start().is_empty()
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

/// Returns the value of a `data` line, or `None` for comments and other fields. Some servers indent the field, repeat
/// its name, or write it otherwise.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let mut value = after_name(line)?;
    while let Some(again) = after_name(value) {
        value = again;
    }
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

fn after_name(line: &[u8]) -> Option<&[u8]> {
    let (name, rest) = line.trim_ascii_start().split_at_checked(4)?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    name.eq_ignore_ascii_case(b"data").then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(chunks: &[&[u8]]) -> Vec<Payload> {
        let mut reader = FrameReader::default();
        let mut payloads: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| reader.push(chunk).unwrap())
            .collect();
        payloads.extend(reader.finish());
        payloads
    }

    fn ones(text: &str) -> usize {
        read(&[text.as_bytes()])
            .iter()
            .filter(|payload| **payload == Payload::Json(json!({"a": 1})))
            .count()
    }

    const STREAM: &str = "\u{feff}: ping\r\n\r\ndata: {\"a\":\"ż\"}\r\n\r\nevent: x\rid: 7\rdata:{\"b\":\rdata:  2}\r\r\
                          retry: 5\ndatabase: no\n\ndata\n\ndata:  \n\ndata: ping\n\ndata: [HEARTBEAT]\n\ndata: [DONE]\n\n";

    #[test]
    fn reads_all_line_endings_comments_fields_and_heartbeats() {
        let expected = [
            Payload::Json(json!({"a": "ż"})),
            Payload::Json(json!({"b": 2})),
            Payload::Done,
        ];
        assert_eq!(read(&[STREAM.as_bytes()]), expected);
    }

    #[test]
    fn chunk_boundaries_make_no_difference() {
        for text in [STREAM, "{\n\"a\":\n1\r\n}", "{\"a\":1}\n{\"a\":2}\n"] {
            let whole = read(&[text.as_bytes()]);
            for at in 0..text.len() {
                let (left, right) = text.as_bytes().split_at(at);
                assert_eq!(read(&[left, right]), whole, "{text} cut at {at}");
            }
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes), whole, "{text}");
        }
    }

    #[test]
    fn blank_lines_between_events_are_optional() {
        assert_eq!(ones("data: {\"a\":1}\ndata: {\"a\":1}\ndata: {\"a\":1}"), 3);
        assert_eq!(
            read(&[b"data: {}\n\ndata: [DONE]"]).last(),
            Some(&Payload::Done)
        );
    }

    #[test]
    fn reads_a_document_and_lines_of_json() {
        assert_eq!(ones("\n\n \n{\n  \"a\": 1\n}\n"), 1);
        assert_eq!(ones("{\"a\":1}\n\n{\"a\":1}\r\n{\"a\":1}"), 3);
        assert_eq!(ones("\u{feff}{\"a\":1}"), 1);
    }

    #[test]
    fn accepts_indented_repeated_and_unnamed_fields() {
        assert_eq!(
            ones("  data: {\"a\":1}\n\ndata: data: {\"a\":1}\n\n{\"a\":1}\n\n: ping\n{\"a\":1}\n"),
            4
        );
        assert_eq!(ones("Data: {\"a\":1}\n\ndata : {\"a\":1}\n\n"), 2);
    }

    #[test]
    fn document_ends_with_its_last_bracket() {
        let mut reader = FrameReader::default();
        assert_eq!(
            reader.push(b": ping\n\n{\n  \"a\": \"}\\\"{\"\n"),
            Ok(vec![])
        );
        assert_eq!(
            reader.push(b"}"),
            Ok(vec![Payload::Json(json!({"a": "}\"{"}))])
        );
    }

    #[test]
    fn reads_lists_joined_frames_and_nan() {
        assert_eq!(ones("[{\"a\":1},{\"a\":1}]"), 2);
        assert_eq!(ones("data: {\"a\":1}data: {\"a\":1}data: [DONE]\n\n"), 2);
        assert_eq!(ones("data: {\"a\":1}[DONE]\n\ndata: {\"a\":1}\0\n\n"), 2);
        assert_eq!(ones("data: \"{\\\"a\\\":1}\"\n\n"), 1);
        assert_eq!(
            read(&[b"data: {\"a\":NaN,\"b\":-Infinity}\n\n"]),
            [Payload::Json(json!({"a": null, "b": null}))]
        );
    }

    #[test]
    fn skips_what_is_not_json() {
        assert_eq!(
            ones("data: {\"oops\n\ndata: {\"a\":1}\n\ndata: <html>\n\n"),
            1
        );
        for text in [
            "<!doctype html><title>Sign in</title>",
            "",
            "data: null\n\n",
            "oops",
            "{\"a\":",
        ] {
            assert_eq!(read(&[text.as_bytes()]), [], "{text}");
        }
    }

    #[test]
    fn refuses_an_endless_line() {
        let mut reader = FrameReader::default();
        assert_eq!(reader.push(&vec![b'x'; MAX_EVENT_BYTES]), Ok(vec![]));
        assert_eq!(reader.push(b"x"), Err(TooLong));
    }

    #[test]
    fn skips_any_number_of_repeated_names() {
        let names = "data:".repeat(MAX_EVENT_BYTES / 5 - 10);
        assert_eq!(ones(&format!("{names}{{\"a\":1}}\n\n")), 1);
    }

    #[test]
    fn refuses_an_endless_event() {
        let mut reader = FrameReader::default();
        let line = format!("data: {}\n", "x".repeat(MAX_EVENT_BYTES / 2));
        assert_eq!(reader.push(line.as_bytes()), Ok(vec![]));
        assert_eq!(reader.push(line.as_bytes()), Err(TooLong));
    }
}
