//! The codes of bytes: a byte that is frequent in its kind of place has a short one, and takes few guesses.

use crate::place::KINDS;

/// Longest code.
pub const DEEPEST: usize = 12;
/// Bytes of the table of lengths, which is packed in front of the file: one for each byte of each kind.
pub const TABLE: usize = KINDS * 256;

/// The codes of one kind, shorter ones first; each is led by a 1.
#[derive(Clone, Copy)]
pub struct Codes {
    /// For each length, the first number that is no code of it.
    limits: [u16; 16],
    /// For each length, what leads from a code to its byte's place in `sorted`.
    shifts: [u16; 16],
    sorted: [u8; 256],
    of: [u16; 256],
}

impl Codes {
    /// Codes of these lengths; a byte that never occurs has none.
    pub fn new(lengths: &[u8; 256]) -> Self {
        let mut codes = Self { limits: [0; 16], shifts: [0; 16], sorted: [0; 256], of: [0; 256] };
        let (mut code, mut place) = (1_u16, 0_u16);
        for length in 1..=DEEPEST {
            code = code.wrapping_mul(2);
            codes.shifts[length & 15] = place.wrapping_sub(code);
            for byte in 0..=255_u8 {
                if usize::from(lengths[usize::from(byte)]) == length {
                    codes.of[usize::from(byte)] = code;
                    codes.sorted[usize::from(place) & 255] = byte;
                    code = code.wrapping_add(1);
                    place += 1;
                }
            }
            codes.limits[length & 15] = code;
        }
        codes
    }

    /// The byte whose code this is; nothing if more bits follow.
    pub fn byte(&self, code: u32, length: usize) -> Option<u8> {
        let length = length & 15;
        let code = code as u16;
        let is_whole = code < self.limits[length] || length >= DEEPEST;
        is_whole.then(|| self.sorted[usize::from(code.wrapping_add(self.shifts[length])) & 255])
    }

    /// The code of a byte, led by a 1; 0 if it never occurs.
    pub fn of(&self, byte: u8) -> u32 {
        self.of[usize::from(byte)].into()
    }
}

/// Lengths for bytes that occur so often.
#[cfg(not(target_arch = "wasm32"))]
pub fn lengths(counts: &[u32; 256]) -> [u8; 256] {
    let mut counts = *counts;
    loop {
        let lengths = unlimited(&counts);
        if lengths.iter().all(|length| usize::from(*length) <= DEEPEST) {
            return lengths;
        }
        // Rare bytes become less rare, until no code is too long.
        counts.iter_mut().filter(|count| **count > 0).for_each(|count| *count = *count / 2 + 1);
    }
}

/// Huffman's codes.
#[cfg(not(target_arch = "wasm32"))]
fn unlimited(counts: &[u32; 256]) -> [u8; 256] {
    let mut lengths = [0; 256];
    let occurring = (0..=255_u8).filter(|byte| counts[usize::from(*byte)] > 0);
    let mut trees: Vec<(u32, Vec<u8>)> =
        occurring.map(|byte| (counts[usize::from(byte)], vec![byte])).collect();
    if let [(_, only)] = &trees[..] {
        lengths[usize::from(only[0])] = 1;
    }
    while trees.len() > 1 {
        trees.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let (Some(one), Some(mut two)) = (trees.pop(), trees.pop()) else { break };
        two.1.extend(one.1);
        two.1.iter().for_each(|byte| lengths[usize::from(*byte)] += 1);
        trees.push((one.0 + two.0, two.1));
    }
    lengths
}
