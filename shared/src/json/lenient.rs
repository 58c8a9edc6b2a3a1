//! Splits JSON that a language model writes, well-formed or not, into its parts.

use super::partial_text::PartialText;

/// The longest number, literal or unquoted name that is kept.
const MAX_BARE_BYTES: usize = 64;

/// The deepest nesting that is parsed. Deeper values are skipped.
const MAX_DEPTH: usize = 32;

/// A complete part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// `{`
    ObjectStart,
    /// `}`, written or implied.
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`, written or implied.
    ArrayEnd,
    /// The name of a member.
    Key(String),
    /// A string, unescaped.
    Text(String),
    /// A number, `true`, `null`, or any other text in place of a value.
    Bare(String),
    /// A character outside every document.
    Noise(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
    /// Python's tuple, a list in round brackets.
    Tuple,
}

/// The part of a member that an object expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Key,
    Value,
}

#[derive(Debug)]
enum Lexeme {
    Between,
    /// After a `/` that may begin a comment.
    Slash,
    LineComment,
    BlockComment {
        after_star: bool,
    },
    Text(PartialText),
    /// After a quote that may close the text; the next character decides.
    AfterQuote {
        text: PartialText,
        spaces: String,
    },
    Bare(String),
    /// After a quote outside every document.
    NoiseQuote,
}

/// Reads JSON documents that arrive in pieces, cut anywhere, and continues after malformed parts.
///
/// It accepts what models write: text around the document, single and curly quotes, names without quotes, line
/// breaks and unescaped quotes within texts, unknown escapes, lone surrogates, Python's literals, comments, full-width
/// separators, and missing or superfluous commas and brackets. Takes linear time, and memory for one text.
#[derive(Debug)]
pub struct LenientParser {
    stack: Vec<Container>,
    slot: Slot,
    lexeme: Lexeme,
    /// Brackets beyond `MAX_DEPTH`.
    skipped_depth: usize,
    is_doubtful: bool,
    /// Whether the document is written as within a text: `{\"a\": 1}`.
    is_escaped: bool,
    /// Whether the last character was a backslash outside of texts, or one of such a document.
    is_after_backslash: bool,
}

impl Default for LenientParser {
    fn default() -> Self {
        Self {
            stack: Vec::new(),
            slot: Slot::Value,
            lexeme: Lexeme::Between,
            skipped_depth: 0,
            is_doubtful: false,
            is_escaped: false,
            is_after_backslash: false,
        }
    }
}

impl LenientParser {
    /// Returns whether a document has begun that has not ended.
    pub fn is_inside(&self) -> bool {
        !self.stack.is_empty() || matches!(self.lexeme, Lexeme::Text(_) | Lexeme::AfterQuote { .. })
    }

    /// Returns whether a bracket occurred where none is possible, so that the apparent end of a document may not be its
    /// end.
    pub fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Reads a character and appends the parts that it completes.
    pub fn push(&mut self, c: char, tokens: &mut Vec<Token>) {
        let is_escape = std::mem::replace(&mut self.is_after_backslash, false);
        if self.is_escaped && c == '\\' && !is_escape {
            self.is_after_backslash = true;
            return;
        }
        if is_escape && c == 'n' {
            return;
        }
        self.is_escaped |= is_escape && c == '"';
        match std::mem::replace(&mut self.lexeme, Lexeme::Between) {
            Lexeme::Between => self.begin(c, tokens),
            Lexeme::NoiseQuote if matches!(c, '{' | '[') => {
                self.lexeme = Lexeme::Text(PartialText::document(c));
            }
            Lexeme::NoiseQuote => {
                tokens.push(Token::Noise('"'));
                self.begin(c, tokens);
            }
            Lexeme::Slash => match c {
                '/' => self.lexeme = Lexeme::LineComment,
                '*' => self.lexeme = Lexeme::BlockComment { after_star: false },
                _ => self.begin(c, tokens),
            },
            Lexeme::LineComment if c != '\n' => self.lexeme = Lexeme::LineComment,
            Lexeme::LineComment => {}
            Lexeme::BlockComment { after_star: true } if c == '/' => {}
            Lexeme::BlockComment { .. } => {
                self.lexeme = Lexeme::BlockComment {
                    after_star: c == '*',
                }
            }
            Lexeme::Text(mut text) => {
                self.lexeme = if text.push(c) {
                    Lexeme::AfterQuote {
                        text,
                        spaces: String::new(),
                    }
                } else {
                    Lexeme::Text(text)
                }
            }
            Lexeme::AfterQuote { text, spaces } => self.after_quote(text, spaces, c, tokens),
            Lexeme::Bare(mut bare) => {
                if is_delimiter(c) {
                    self.end_bare(bare, tokens);
                    self.begin(c, tokens);
                } else {
                    if bare.len() < MAX_BARE_BYTES {
                        bare.push(c);
                    }
                    self.lexeme = Lexeme::Bare(bare);
                }
            }
        }
    }

    /// Ends the input. Open objects and lists are not closed.
    pub fn finish(&mut self, tokens: &mut Vec<Token>) {
        match std::mem::replace(&mut self.lexeme, Lexeme::Between) {
            Lexeme::AfterQuote { text, .. } => self.end_text(text, tokens),
            Lexeme::Bare(bare) => self.end_bare(bare, tokens),
            _ => {}
        }
    }

    fn begin(&mut self, c: char, tokens: &mut Vec<Token>) {
        if self.skipped_depth > 0 {
            return self.skip(c);
        }
        match c {
            '{' => self.open(Container::Object, tokens),
            '[' => self.open(Container::Array, tokens),
            '}' => self.close(Container::Object, tokens),
            ']' => self.close(Container::Array, tokens),
            '(' if self.stack.last() == Some(&Container::Array) => {
                self.open(Container::Tuple, tokens);
            }
            ')' if self.is_in_tuple() => self.close(Container::Tuple, tokens),
            '"' if self.stack.is_empty() => self.lexeme = Lexeme::NoiseQuote,
            _ if self.stack.is_empty() => tokens.push(Token::Noise(c)),
            '\\' => self.is_after_backslash = true,
            c if is_quote(c) => self.lexeme = Lexeme::Text(PartialText::quoted(c)),
            ',' | '，' | '、' | ';' => self.slot = self.first_slot(),
            ':' | '：' | '=' | '>' => self.slot = Slot::Value,
            '/' => self.lexeme = Lexeme::Slash,
            _ if c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}') => {}
            _ => self.lexeme = Lexeme::Bare(c.to_string()),
        }
    }

    /// Skips a character of a value that is nested too deeply. Brackets within its texts do not count.
    fn skip(&mut self, c: char) {
        match c {
            '{' | '[' => self.skipped_depth += 1,
            '}' | ']' => self.skipped_depth -= 1,
            '"' => self.lexeme = Lexeme::Text(PartialText::quoted(c)),
            _ => {}
        }
    }

    fn first_slot(&self) -> Slot {
        if self.stack.last() == Some(&Container::Object) {
            Slot::Key
        } else {
            Slot::Value
        }
    }

    fn open(&mut self, container: Container, tokens: &mut Vec<Token>) {
        let is_misplaced = self.stack.last() == Some(&Container::Object) && self.slot == Slot::Key;
        if is_misplaced {
            self.is_doubtful = true;
            // The closing brace of the object before is missing.
            if container == Container::Object && self.parent() == Some(Container::Array) {
                self.pop(tokens);
            }
        }
        if self.stack.len() == MAX_DEPTH {
            self.skipped_depth = 1;
            return;
        }
        self.stack.push(container);
        tokens.push(match container {
            Container::Object => Token::ObjectStart,
            Container::Array | Container::Tuple => Token::ArrayStart,
        });
        self.slot = self.first_slot();
    }

    fn is_in_tuple(&self) -> bool {
        self.stack.last() == Some(&Container::Tuple)
    }

    fn parent(&self) -> Option<Container> {
        self.stack.iter().rev().nth(1).copied()
    }

    fn close(&mut self, container: Container, tokens: &mut Vec<Token>) {
        if !self.stack.contains(&container) {
            if self.stack.is_empty() {
                tokens.push(Token::Noise(if container == Container::Object {
                    '}'
                } else {
                    ']'
                }));
            }
            return;
        }
        while let Some(open) = self.pop(tokens) {
            if open == container {
                break;
            }
            self.is_doubtful = true;
        }
        // A name may follow a value even without a comma.
        self.slot = self.first_slot();
    }

    fn pop(&mut self, tokens: &mut Vec<Token>) -> Option<Container> {
        let open = self.stack.pop()?;
        tokens.push(match open {
            Container::Object => Token::ObjectEnd,
            Container::Array | Container::Tuple => Token::ArrayEnd,
        });
        Some(open)
    }

    fn after_quote(
        &mut self,
        mut text: PartialText,
        mut spaces: String,
        c: char,
        tokens: &mut Vec<Token>,
    ) {
        // Markdown's fence after a document without its end: ```.
        if c == '`' && text.is_empty() && spaces.is_empty() {
            return;
        }
        let is_end = text.has_own_quote()
            || self.stack.is_empty()
            || self.skipped_depth > 0
            || matches!(c, ',' | ':' | ';' | '}' | ']' | '/')
            || c == ')' && self.is_in_tuple()
            || c == '=' && self.slot == Slot::Key
            || self.is_full_width_separator(c)
            || is_quote(c) && spaces.contains('\n');
        if is_end {
            self.end_text(text, tokens);
            self.begin(c, tokens);
        } else if c.is_whitespace() {
            if spaces.len() < MAX_BARE_BYTES || c == '\n' && !spaces.contains('\n') {
                spaces.push(c);
            }
            self.lexeme = Lexeme::AfterQuote { text, spaces };
        } else {
            // A quote within the text that was not escaped.
            text.reopen(&spaces);
            self.lexeme = Lexeme::Text(text);
            self.push(c, tokens);
        }
    }

    /// Returns whether Chinese and Japanese models write `c` in place of the separator that is expected here.
    fn is_full_width_separator(&self, c: char) -> bool {
        match self.slot {
            Slot::Key => c == '：',
            Slot::Value => matches!(c, '，' | '、'),
        }
    }

    fn end_text(&mut self, text: PartialText, tokens: &mut Vec<Token>) {
        if self.skipped_depth > 0 {
            return;
        }
        tokens.push(if self.ends_key() {
            Token::Key(text.into_string())
        } else {
            Token::Text(text.into_string())
        });
    }

    fn end_bare(&mut self, bare: String, tokens: &mut Vec<Token>) {
        tokens.push(if self.ends_key() {
            Token::Key(bare)
        } else {
            Token::Bare(bare)
        });
    }

    /// Returns whether the text that has ended is a name. A name may follow a value even without a comma.
    fn ends_key(&mut self) -> bool {
        let is_key = self.slot == Slot::Key && !self.stack.is_empty();
        if !is_key {
            self.slot = self.first_slot();
        }
        is_key
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '„' | '”' | '‘' | '«' | '`')
}

fn is_delimiter(c: char) -> bool {
    matches!(
        c,
        ',' | '，' | '、' | ';' | ':' | '：' | '=' | '{' | '}' | '[' | ']' | ')'
    ) || is_quote(c)
        || c.is_whitespace()
}
