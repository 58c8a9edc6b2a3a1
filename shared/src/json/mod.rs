//! Reading JSON that others wrote: documents whose text is broken, and documents that are still being written.
//!
//! A language model writes its answer for seconds. [`ObjectScanner`] hands over each member of
//! the object, and each element of one of its arrays, as soon as it is complete.

mod lenient;
mod scanner;
mod value;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(test)]
mod tests;

pub use lenient::{from_slice_lenient, mended, replace_lone_surrogates};
pub use scanner::{ObjectScanner, ScanError, ScanEvent};
