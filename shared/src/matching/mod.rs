//! Finds the one catalogue track that a suggested song means, or the reason why there is none.
//!
//! [`best_match`] judges the results of a search; [`rank`] orders them for a user who chooses by hand; [`Selection`]
//! keeps a growing playlist free of repeats; [`field_query`] and [`free_query`] build the searches; [`song_key`] and
//! [`candidates_of`] determine what the catalogue memory stores of them. Pure functions without I/O.

mod addition;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod any_text;
mod artist;
mod bare_title;
#[cfg(test)]
mod cases;
mod constraints;
mod context;
mod edits;
mod fold;
mod judge;
mod letters;
mod lexicon;
mod likeness;
mod normalise;
mod piece;
mod prompt;
#[cfg(test)]
mod properties;
mod query;
mod ranking;
mod reading;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod real_cases;
mod remembered;
mod score;
mod script;
mod selection;
mod senses;
mod similarity;
mod structure;
mod title;
mod version;
mod versions_of;
mod wanted;

pub use constraints::{Constraints, MissReason};
pub use normalise::normalise;
pub use query::{field_query, free_query};
pub use ranking::rank;
pub use remembered::{MATCHER_VERSION, candidates_of, song_key};
pub use score::{Scored, best_match};
pub use selection::Selection;
pub use version::Version;
pub use versions_of::version_of;
pub use wanted::WantedVersions;
