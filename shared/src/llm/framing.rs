//! Payloads in the order in which a server sends them, whatever the framing.

use serde_json::Value;

/// The longest line, and the longest payload that spans several lines.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a server sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A JSON value.
    Json(Value),
    /// `[DONE]`, with which chat completions end.
    Done,
}

/// A line is too long, or an event of many lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// White space so far.
    #[default]
    Unknown,
    /// Server-sent events, as the HTML standard defines `text/event-stream`.
    Events,
    /// A JSON value a line.
    Lines,
    /// One JSON value.
    Document,
}

/// Reads a body that arrives in chunks, cut anywhere, in linear time.
///
/// The first byte tells the framing, because servers send events as `application/json` and documents as
/// `text/event-stream`. What is no JSON is skipped: servers keep connections alive with all kinds of texts.
#[derive(Debug, Default)]
pub struct FrameReader {
    framing: Framing,
    /// The line that has begun, or the document.
    line: Vec<u8>,
    /// The `data` lines of an event that were no JSON each by itself.
    data: Vec<u8>,
    /// A line feed right after a carriage return ends the same line.
    is_after_carriage_return: bool,
}

impl FrameReader {
    /// Reads a chunk; returns what it completed.
    ///
    /// # Errors
    /// [`TooLong`] where a line or an event grows too long; nothing more can be read then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Vec<Payload>, TooLong> {
        let mut payloads = Vec::new();
        for byte in chunk {
            let was_carriage_return = std::mem::replace(&mut self.is_after_carriage_return, *byte == b'\r');
            match self.framing {
                Framing::Document => self.line.push(*byte),
                _ if *byte == b'\n' && was_carriage_return => {}
                _ if matches!(byte, b'\n' | b'\r') => self.end_line(*byte, &mut payloads)?,
                _ if self.line.len() == MAX_EVENT_BYTES && !self.may_be_document() => return Err(TooLong),
                _ => self.line.push(*byte),
            }
        }
        Ok(payloads)
    }

    /// Ends the body; returns what lacks only its end. The standard drops an event without its blank line, but
    /// servers end on a bare `data: [DONE]`.
    pub fn finish(&mut self) -> Vec<Payload> {
        let mut payloads = Vec::new();
        let line = std::mem::take(&mut self.line);
        match self.framing {
            Framing::Events => self.read_line(&line, &mut payloads).unwrap_or_default(),
            Framing::Unknown if !starts_json(&line) => {
                self.read_line(&line, &mut payloads).unwrap_or_default()
            }
            Framing::Unknown | Framing::Lines | Framing::Document => payloads.extend(json(&line)),
        }
        self.dispatch(&mut payloads);
        payloads
    }

    fn may_be_document(&self) -> bool {
        self.framing == Framing::Unknown && starts_json(&self.line)
    }

    fn end_line(&mut self, end: u8, payloads: &mut Vec<Payload>) -> Result<(), TooLong> {
        let mut line = std::mem::take(&mut self.line);
        match self.framing {
            Framing::Unknown if starts_json(&line) => match json(&line) {
                Some(first) => {
                    self.framing = Framing::Lines;
                    payloads.push(first);
                }
                None => {
                    self.framing = Framing::Document;
                    line.push(end);
                    self.line = line;
                }
            },
            Framing::Unknown if without_mark(&line).trim_ascii().is_empty() => {}
            Framing::Unknown | Framing::Events => {
                self.framing = Framing::Events;
                self.read_line(&line, payloads)?;
            }
            Framing::Lines => payloads.extend(json(&line)),
            Framing::Document => self.line = line,
        }
        Ok(())
    }

    /// Reads a line of an event stream. A blank one ends the event.
    fn read_line(&mut self, line: &[u8], payloads: &mut Vec<Payload>) -> Result<(), TooLong> {
        let line = without_mark(line);
        if line.is_empty() {
            self.dispatch(payloads);
            return Ok(());
        }
        let Some(value) = data_of(line) else {
            // Some proxies lose the field's name.
            payloads.extend(json(line));
            return Ok(());
        };
        // Servers forget the blank line, so a line that is whole by itself does not wait for it.
        if self.data.is_empty()
            && let Some(payload) = payload(value)
        {
            payloads.push(payload);
            return Ok(());
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
        payloads.extend(payload(&data));
    }
}

fn payload(data: &[u8]) -> Option<Payload> {
    if data.trim_ascii() == b"[DONE]" { Some(Payload::Done) } else { json(data) }
}

fn json(text: &[u8]) -> Option<Payload> {
    let text = without_mark(text);
    if !starts_json(text) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    serde_json::from_slice(&super::surrogates::mark(text.as_bytes())).ok().map(Payload::Json)
}

fn starts_json(text: &[u8]) -> bool {
    matches!(without_mark(text).trim_ascii_start().first(), Some(b'{' | b'['))
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

/// The value of a `data` line; comments and other fields have none. Some servers indent it, or write the name twice.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let mut value = line.trim_ascii_start().strip_prefix(b"data:")?;
    while let Some(again) = value.trim_ascii_start().strip_prefix(b"data:") {
        value = again;
    }
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(chunks: &[&[u8]]) -> Vec<Payload> {
        let mut reader = FrameReader::default();
        let mut payloads: Vec<_> = chunks.iter().flat_map(|chunk| reader.push(chunk).unwrap()).collect();
        payloads.extend(reader.finish());
        payloads
    }

    fn ones(text: &str) -> usize {
        read(&[text.as_bytes()]).iter().filter(|payload| **payload == Payload::Json(json!({"a": 1}))).count()
    }

    const STREAM: &str = "\u{feff}: ping\r\n\r\ndata: {\"a\":\"ż\"}\r\n\r\nevent: x\rid: 7\rdata:{\"b\":\rdata:  2}\r\r\
                          retry: 5\ndatabase: no\n\ndata\n\ndata:  \n\ndata: ping\n\ndata: [HEARTBEAT]\n\ndata: [DONE]\n\n";

    #[test]
    fn every_line_ending_comments_fields_and_heartbeats_are_understood() {
        let expected = [Payload::Json(json!({"a": "ż"})), Payload::Json(json!({"b": 2})), Payload::Done];
        assert_eq!(read(&[STREAM.as_bytes()]), expected);
    }

    #[test]
    fn cuts_make_no_difference() {
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
    fn events_need_no_blank_line_between_them_or_after_the_last() {
        assert_eq!(ones("data: {\"a\":1}\ndata: {\"a\":1}\ndata: {\"a\":1}"), 3);
        assert_eq!(read(&[b"data: {}\n\ndata: [DONE]"]).last(), Some(&Payload::Done));
    }

    #[test]
    fn a_document_and_lines_of_json_are_read_as_well() {
        assert_eq!(ones("\n\n \n{\n  \"a\": 1\n}\n"), 1);
        assert_eq!(ones("{\"a\":1}\n\n{\"a\":1}\r\n{\"a\":1}"), 3);
        assert_eq!(ones("\u{feff}{\"a\":1}"), 1);
    }

    #[test]
    fn a_field_may_be_indented_repeated_or_without_its_name() {
        assert_eq!(ones("  data: {\"a\":1}\n\ndata: data: {\"a\":1}\n\n{\"a\":1}\n\n: ping\n{\"a\":1}\n"), 4);
    }

    #[test]
    fn what_is_no_json_is_skipped() {
        assert_eq!(ones("data: {\"oops\n\ndata: {\"a\":1}\n\ndata: <html>\n\n"), 1);
        for text in ["<!doctype html><title>Sign in</title>", "", "data: null\n\n", "oops", "{\"a\":"] {
            assert_eq!(read(&[text.as_bytes()]), [], "{text}");
        }
    }

    #[test]
    fn a_line_that_never_ends_is_given_up() {
        let mut reader = FrameReader::default();
        assert_eq!(reader.push(&vec![b'x'; MAX_EVENT_BYTES]), Ok(vec![]));
        assert_eq!(reader.push(b"x"), Err(TooLong));
    }

    #[test]
    fn an_event_of_many_lines_is_bounded_too() {
        let mut reader = FrameReader::default();
        let line = format!("data: {}\n", "x".repeat(MAX_EVENT_BYTES / 2));
        assert_eq!(reader.push(line.as_bytes()), Ok(vec![]));
        assert_eq!(reader.push(line.as_bytes()), Err(TooLong));
    }
}
