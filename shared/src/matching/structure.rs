//! Splits a title into its name, the parts in brackets, and the part after a dash.

/// The part of a title to which a piece belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Main,
    Bracket,
    Dash,
}

/// Finds where one piece of a title ends and the next begins. Brackets within brackets belong to the outer ones.
pub(super) struct Structure {
    /// The place of the current piece.
    pub place: Place,
    /// The place that continues when a bracket closes.
    outside: Place,
    depth: usize,
    /// Whether there is a name: a dash separates only after one.
    has_word: bool,
}

impl Default for Structure {
    fn default() -> Self {
        Self {
            place: Place::Main,
            outside: Place::Main,
            depth: 0,
            has_word: false,
        }
    }
}

/// The meaning of a character for the structure.
pub(super) enum Step {
    Letter,
    Space,
    /// A piece of this place ends.
    End(Place),
}

impl Structure {
    /// Reads a character between its neighbours.
    pub(super) fn step(&mut self, previous: char, c: char, next: char) -> Step {
        let spaced = || previous.is_whitespace() || next.is_whitespace();
        let next_place = match c {
            '(' | '[' | '{' | '（' | '【' | '［' => {
                self.depth += 1;
                if self.depth > 1 {
                    return Step::Space;
                }
                Place::Bracket
            }
            ')' | ']' | '}' | '）' | '】' | '］' if self.depth > 0 => {
                self.depth -= 1;
                if self.depth > 0 {
                    return Step::Space;
                }
                self.outside
            }
            '-' | '–' | '—' if self.depth == 0 && self.has_word && spaced() => Place::Dash,
            // "Live at Wembley / July 1986" is one addition.
            '/' | '|' | '~'
                if self.depth == 0 && self.place == Place::Main && self.has_word && spaced() =>
            {
                Place::Dash
            }
            '〜' | '～' if self.depth == 0 && self.has_word => Place::Dash,
            c => {
                self.has_word |= c.is_alphanumeric();
                return Step::Letter;
            }
        };
        let ended = std::mem::replace(&mut self.place, next_place);
        if self.depth == 0 {
            self.outside = next_place;
        }
        Step::End(ended)
    }
}
