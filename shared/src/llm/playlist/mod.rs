//! A playlist, as it is asked of the model and read from its answer.

mod ask;
mod language;
mod reader;
mod rules;

pub use ask::{MAX_SUGGESTIONS, PlaylistAsk, Refine, songs_to_ask};
pub use language::{Language, example_prompts, refusal_message};
pub use reader::{PlaylistEvent, PlaylistKind, PlaylistOutcome, PlaylistReader};
