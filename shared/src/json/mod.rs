//! Reads JSON from other programs, which is not always valid.
//!
//! [`from_slice_lenient`] reads documents that are valid except for texts that another program has cut.
//! [`LenientParser`] reads the answer of a language model, which takes seconds and may be malformed, and returns each
//! part as soon as it is complete.

mod lenient;
mod members;
mod mended;
mod partial_text;
mod pointer;
mod typed;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(test)]
mod tests;

pub use lenient::{LenientParser, Token};
pub use members::members;
pub use mended::{from_slice_lenient, mended, replace_lone_surrogates, replace_lone_surrogates_by};
pub use pointer::at;
pub use typed::{Unfit, read, read_members, read_value};
