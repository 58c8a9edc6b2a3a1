//! Reads JSON from other programs, which is not always valid.
//!
//! Some documents are whole but for a text that another program cut in two: see [`from_slice_lenient`]. A language model
//! writes its answer for seconds, and not always by the grammar: [`LenientParser`] returns each part of a document as
//! soon as it is complete.

mod lenient;
mod members;
mod mended;
mod pointer;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(test)]
mod tests;

pub use lenient::{LenientParser, Token};
pub use members::members;
pub use mended::{from_slice_lenient, mended, replace_lone_surrogates, replace_lone_surrogates_by};
pub use pointer::at;
