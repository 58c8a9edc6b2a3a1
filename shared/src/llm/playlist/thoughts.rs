//! Finds the thoughts that a reasoning model's server leaves in the content.

use crate::words::words;

words! {include_str!("words.txt");
    /// The marks with which families of models begin and end their thoughts.
    MARKS = "thoughts";
}

/// The length of the longest mark in bytes, and room to drop old ones in bulk.
const TAIL_BYTES: usize = 32;

/// Separates thoughts from the completion, character by character.
#[derive(Debug, Default)]
pub(super) struct Thoughts {
    tail: String,
    closing: Option<&'static str>,
}

impl Thoughts {
    /// Returns whether `c` completes a closing mark.
    pub(super) fn ends_with(&mut self, c: char) -> bool {
        if self.tail.len() > 2 * TAIL_BYTES {
            let keep_from = self.tail.floor_char_boundary(self.tail.len() - TAIL_BYTES);
            self.tail.drain(..keep_from);
        }
        self.tail.push(c);
        // Every mark ends with one of these.
        if !matches!(c, '>' | ']' | '▷' | 'l' | 'L') {
            return false;
        }
        let ended = MARKS
            .pairs()
            .any(|(_, closing)| ends_with(&self.tail, closing));
        if ended {
            self.closing = None;
        }
        ended
    }

    /// Returns whether `c` belongs to thoughts. They begin outside of documents only; a text within a document may look
    /// like a mark.
    pub(super) fn are_open(&mut self, c: char, is_inside: bool) -> bool {
        if self.closing.is_none() && matches!(c, '>' | ']' | '▷' | 's' | 'S' | 'y' | 'Y') {
            let mut marks = MARKS
                .pairs()
                .filter(|(opening, _)| !is_inside || opening.starts_with('['));
            let opened = marks.find(|(opening, _)| ends_with(&self.tail, opening));
            self.closing = opened.map(|(_, closing)| closing);
        }
        self.closing.is_some()
    }
}

/// Compares without regard to case.
fn ends_with(text: &str, mark: &str) -> bool {
    let end = text
        .len()
        .checked_sub(mark.len())
        .and_then(|from| text.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(mark))
}
