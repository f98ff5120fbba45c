//! Header extensions (RFC 8285): their ids, their map, their values.

mod elements;
mod map;

pub use elements::Elements;
pub use map::{ExtId, ExtensionKind, ExtensionMap};
