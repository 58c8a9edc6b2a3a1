//! Reading JSON that is not always JSON.
//!
//! A language model writes its answer for seconds, and not always by the grammar. [`LenientParser`] returns each
//! part of a document as soon as it is complete.

mod lenient;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(test)]
mod tests;

pub use lenient::{LenientParser, Token};
