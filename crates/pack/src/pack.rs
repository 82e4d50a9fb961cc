//! The packer.

use std::ops::Range;

use crate::codes::{TABLE, lengths};
use crate::model::Tables;
use crate::place::{KINDS, Place};
use crate::unpack::{Unpacker, Walk};
use crate::{LARGEST, LARGEST_PACKED};

/// Packs a file of wasm in which the bodies of functions are at `bodies`, with sizes of three bytes each; nothing if that is
/// not so, or if it is too large.
pub fn pack(wasm: &[u8], bodies: Range<usize>) -> Option<Vec<u8>> {
    if wasm.len() > LARGEST - TABLE {
        return None;
    }
    let word = |number: usize| u32::try_from(number).ok();
    let own = (word(bodies.start)?, word(bodies.end)?);
    let mut out: Vec<u8> =
        [word(wasm.len())?, own.0, own.1].iter().flat_map(|word| word.to_le_bytes()).collect();
    let file = [&table(wasm, own)[..], wasm].concat();
    let mut tables = Tables::new();
    let mut walk = Walk::new();
    // The file as the unpacker has it: the sizes of bodies come when these are complete.
    let mut seen = Vec::with_capacity(file.len());
    let (mut low, mut high) = (0_u32, u32::MAX);
    for (at, next) in file.iter().enumerate() {
        if at == TABLE {
            walk.turn(&seen, own);
        }
        let code = walk.codes().of(*next);
        let mut left = code.max(1).ilog2();
        let byte = walk.step(&seen, &mut tables, |likely, foretold| {
            let bit = foretold.map_or_else(
                || {
                    left -= 1;
                    code >> left & 1
                },
                |byte| u32::from(byte == *next),
            );
            let middle = low + ((u64::from(high - low) * u64::from(likely)) >> 16) as u32;
            *(if bit == 1 { &mut high } else { &mut low }) = middle + (1 - bit);
            while (low ^ high) >> 24 == 0 {
                out.push((high >> 24) as u8);
                (low, high) = (low << 8, high << 8 | 255);
            }
            bit
        });
        seen.push(byte);
        walk.complete(&mut seen);
    }
    if seen != file {
        return None;
    }
    out.extend(high.to_be_bytes());
    // The coder's first bytes are a word like those before it.
    out[12..16].reverse();
    (out.len() <= LARGEST_PACKED).then_some(out)
}

/// The lengths of the codes that suit the file.
fn table(wasm: &[u8], bodies: (u32, u32)) -> Vec<u8> {
    let mut place = Place::new(bodies);
    let mut counts = [[0; 256]; KINDS];
    for byte in wasm {
        counts[place.kind as usize][usize::from(*byte)] += 1;
        place.pass(*byte);
    }
    counts.iter().flat_map(lengths).collect()
}

/// What was packed, as the page unpacks it.
pub fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut output: Box<[u8; LARGEST]> = Box::new([0; LARGEST]);
    let length = Unpacker::new().go_on(packed, true, &mut Tables::new(), &mut output);
    output[TABLE..].iter().take(length).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that follow no rule.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    /// Bodies of functions: size, no locals, `local.get`, constants, accesses to memory and calls, of which some come again.
    fn bodies(count: u8) -> Vec<u8> {
        let body = |i: u8| {
            let ops =
                [0, 0x20, i % 5, 0x41, 0x80 | i, i % 7, 0x28, 2, i % 9, 0x10, i % 11, 0x0e, 2, 0, 1, 2, 0x0b];
            [&crate::place::size(ops.len())[..], &ops].concat()
        };
        (0..count).flat_map(body).collect()
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let wasm = [noise(40), bodies(200), b"text and text and text and text".to_vec()].concat();
        let packed = pack(&wasm, 40..40 + 200 * 20).unwrap();
        assert!(unpack(&packed) == wasm);
        // The code without the noise takes little.
        assert!(packed.len() < 900, "{}", packed.len());
    }

    #[test]
    fn whatever_stands_in_a_file_is_unpacked() {
        for bytes in [noise(5000), Vec::new(), vec![0x43; 300]] {
            assert!(unpack(&pack(&bytes, 0..0).unwrap()) == bytes);
            // As bodies of functions it makes no sense, and is refused.
            assert!(bytes.is_empty() || pack(&bytes, 0..bytes.len()).is_none());
        }
    }

    #[test]
    fn a_file_is_unpacked_while_it_arrives() {
        let wasm = [noise(8), bodies(250)].concat();
        let packed = pack(&wasm, 8..wasm.len()).unwrap();
        let mut output: Box<[u8; LARGEST]> = Box::new([0; LARGEST]);
        let (mut unpacker, mut tables) = (Unpacker::new(), Tables::new());
        let mut last = 0;
        for arrived in (0..packed.len()).step_by(7) {
            let length = unpacker.go_on(&packed[..arrived], false, &mut tables, &mut output);
            assert!(length >= last && wasm[..length] == output[TABLE..TABLE + length]);
            last = length;
        }
        assert!(last > 0);
        assert_eq!(unpacker.go_on(&packed, true, &mut tables, &mut output), wasm.len());
        assert!(wasm == output[TABLE..TABLE + wasm.len()]);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert!(pack(&vec![0; LARGEST], 0..0).is_none());
    }
}
