//! Server-sent events, as the HTML standard defines `text/event-stream`.

use std::fmt;

/// The longest line, and the longest payload of an event.
const MAX_BYTES: usize = 256 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SseEvent {
    /// The payload of an event: its `data` lines, joined by line feeds.
    Data(String),
    /// The payload `[DONE]`, with which chat completions end.
    Done,
}

/// A line or an event is longer than 256 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseError;

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event is too long")
    }
}

impl std::error::Error for SseError {}

/// Reads a stream that arrives in chunks, cut anywhere, in linear time.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    is_past_first_line: bool,
    /// A line feed right after a carriage return ends the same line.
    is_after_carriage_return: bool,
}

impl SseParser {
    /// Reads a chunk; answers the events that it completed.
    ///
    /// # Errors
    /// [`SseError`] where a line or an event grows too long; nothing more can be read then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Vec<SseEvent>, SseError> {
        let mut events = Vec::new();
        for byte in chunk {
            let was_carriage_return = std::mem::replace(&mut self.is_after_carriage_return, *byte == b'\r');
            match byte {
                b'\n' if was_carriage_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                _ if self.line.len() == MAX_BYTES => return Err(SseError),
                _ => self.line.push(*byte),
            }
        }
        Ok(events)
    }

    /// Ends the stream; answers the event that lacks only its closing blank line.
    ///
    /// The standard drops such an event, but servers are seen to end on a bare `data: [DONE]`.
    pub fn finish(&mut self) -> Option<SseEvent> {
        self.end_line().ok()?.or_else(|| self.dispatch())
    }

    fn end_line(&mut self) -> Result<Option<SseEvent>, SseError> {
        let whole = std::mem::take(&mut self.line);
        let is_first = !std::mem::replace(&mut self.is_past_first_line, true);
        let line = match whole.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if is_first => rest,
            _ => whole.as_slice(),
        };
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        if let Some(value) = data_of(line) {
            self.append(value)?;
        }
        Ok(None)
    }

    fn append(&mut self, value: &[u8]) -> Result<(), SseError> {
        match &mut self.data {
            None => self.data = Some(value.to_vec()),
            Some(data) if data.len() + 1 + value.len() > MAX_BYTES => return Err(SseError),
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let data = self.data.take()?;
        if data.trim_ascii() == b"[DONE]" {
            return Some(SseEvent::Done);
        }
        Some(SseEvent::Data(String::from_utf8_lossy(&data).into_owned()))
    }
}

/// The value of a `data` line; comments and other fields have none.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"data")?;
    match rest.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None if rest.is_empty() => Some(rest),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let mut parser = SseParser::default();
        let mut events: Vec<_> = chunks.iter().flat_map(|chunk| parser.push(chunk).unwrap()).collect();
        events.extend(parser.finish());
        events
    }

    fn data(text: &str) -> SseEvent {
        SseEvent::Data(text.to_owned())
    }

    const STREAM: &str = "\u{feff}: ping\r\n\r\ndata: {\"a\":\"ż\"}\r\n\r\nevent: x\rid: 7\rdata:one\rdata:  two\r\r\
                          retry: 5\ndatabase: no\n\ndata\n\ndata: [DONE]\n\n";

    #[test]
    fn every_line_ending_comments_fields_and_the_byte_order_mark_are_understood() {
        let expected = [data("{\"a\":\"ż\"}"), data("one\n two"), data(""), SseEvent::Done];
        assert_eq!(read(&[STREAM.as_bytes()]), expected);
    }

    #[test]
    fn where_the_chunks_are_cut_makes_no_difference() {
        let whole = read(&[STREAM.as_bytes()]);
        for at in 0..STREAM.len() {
            let (left, right) = STREAM.as_bytes().split_at(at);
            assert_eq!(read(&[left, right]), whole, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        assert_eq!(read(&[b"data: a\n\ndata: [DONE]"]), [data("a"), SseEvent::Done]);
    }

    #[test]
    fn a_byte_order_mark_later_on_is_no_field() {
        assert_eq!(read(&["data: a\n\n\u{feff}data: b\n\n".as_bytes()]), [data("a")]);
    }

    #[test]
    fn a_line_that_never_ends_is_given_up() {
        let mut parser = SseParser::default();
        assert_eq!(parser.push(&vec![b'x'; MAX_BYTES]), Ok(vec![]));
        assert_eq!(parser.push(b"x"), Err(SseError));
    }

    #[test]
    fn an_event_of_many_lines_is_bounded_too() {
        let mut parser = SseParser::default();
        let line = format!("data: {}\n", "x".repeat(MAX_BYTES / 2));
        assert_eq!(parser.push(line.as_bytes()), Ok(vec![]));
        assert_eq!(parser.push(line.as_bytes()), Err(SseError));
    }
}
