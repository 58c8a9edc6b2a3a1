//! The question for a playlist, and the reader of its answer.

mod ask;
mod fields;
mod language;
mod reader;
mod rules;
mod song;
mod thoughts;

pub use ask::{Complaint, Discovery, MAX_SUGGESTIONS, PlaylistAsk, Refine};
pub use language::{Language, example_prompts, refusal_message};
pub use reader::{PlaylistEvent, PlaylistKind, PlaylistReader};
