//! Builds the question for a playlist, and reads its answer.

mod ask;
mod container;
mod event;
mod fields;
mod language;
mod reader;
mod rules;
mod song;
mod thoughts;

pub use ask::{Complaint, Discovery, MAX_SUGGESTIONS, PlaylistAsk, Refine};
pub use event::{PlaylistEvent, PlaylistKind};
pub use language::{Language, example_prompts, refusal_message};
pub use reader::PlaylistReader;
