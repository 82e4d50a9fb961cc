//! Packs the page's wasm, and unpacks it in the page.
//!
//! General compressors see bytes. This one knows what each byte of a wasm file is (`place`), guesses it bit by bit from what
//! stood in like places before (`model`), and writes what the guesses leave open with an arithmetic coder: three fifths of what
//! gzip makes of it. Packer and unpacker share all but the coder, and are always of one build.
#![cfg_attr(target_arch = "wasm32", no_std)]

mod codes;
mod model;
#[cfg(not(target_arch = "wasm32"))]
mod pack;
#[cfg(target_arch = "wasm32")]
mod page;
mod place;
mod unpack;

#[cfg(not(target_arch = "wasm32"))]
pub use pack::{pack, unpack};
pub use place::size;

/// Bytes at the start of the packed file: how long it is unpacked, where in it the bodies of functions begin and end, and the
/// first four bytes of the arithmetic coder.
const HEAD: usize = 16;
/// Largest file that can be packed.
const LARGEST: usize = 1 << 22;
/// Largest packed file.
const LARGEST_PACKED: usize = 1 << 20;
