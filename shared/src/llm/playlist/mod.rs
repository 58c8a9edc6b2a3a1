//! Builds the prompt for a playlist, and reads its completion.

mod container;
mod event;
mod fields;
mod language;
mod prompt;
mod reader;
mod rules;
mod song;
mod thoughts;

pub use event::{PlaylistEvent, PlaylistKind};
pub use language::{Language, example_prompts, refusal_message};
pub use prompt::{Complaint, Discovery, MAX_SUGGESTIONS, PlaylistPrompt, Refine};
pub use reader::PlaylistReader;
