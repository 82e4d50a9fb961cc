//! The packer.

use std::ops::Range;

use crate::codes::{TABLE, lengths};
use crate::model::Tables;
use crate::place::{KINDS, Place};
use crate::unpack::Walk;
use crate::{LARGEST, LARGEST_PACKED};

/// Packs a file of wasm in which the bodies of functions are at `bodies`; nothing if it is too large.
pub fn pack(wasm: &[u8], bodies: Range<usize>) -> Option<Vec<u8>> {
    let word = |number: usize| u32::try_from(number).ok();
    let own = (word(bodies.start)?, word(bodies.end)?);
    let mut out: Vec<u8> = [word(wasm.len())?, own.0, own.1].iter().flat_map(|word| word.to_le_bytes()).collect();
    let file = [&table(wasm, own)[..], wasm].concat();
    let mut tables = Tables::new();
    let mut walk = Walk::new();
    let (mut low, mut high) = (0_u32, u32::MAX);
    for at in 0..file.len() {
        if at == TABLE {
            walk.turn(&file[..TABLE], own);
        }
        let code = walk.codes().of(file[at]);
        let mut left = code.ilog2();
        walk.step(&file[..at], &mut tables, |likely, foretold| {
            let bit = foretold.map_or_else(
                || {
                    left -= 1;
                    code >> left & 1
                },
                |byte| u32::from(byte == file[at]),
            );
            let middle = low + (u64::from(high - low) * u64::from(likely) >> 16) as u32;
            *(if bit == 1 { &mut high } else { &mut low }) = middle + (1 - bit);
            while (low ^ high) >> 24 == 0 {
                out.push((high >> 24) as u8);
                (low, high) = (low << 8, high << 8 | 255);
            }
            bit
        });
    }
    out.extend(high.to_be_bytes());
    (file.len() <= LARGEST && out.len() <= LARGEST_PACKED).then_some(out)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::Unpacker;

    #[test]
    fn timing() {
        let Ok(wasm) = std::fs::read(std::env::var("F").unwrap()) else { return };
        let b: Vec<usize> = std::env::var("B").unwrap().split(',').map(|x| x.parse().unwrap()).collect();
        let t = std::time::Instant::now();
        let packed = pack(&wasm, b[0]..b[1]).unwrap();
        println!("{} -> {} in {:?}", wasm.len(), packed.len(), t.elapsed());
        let t = std::time::Instant::now();
        let mut tables = Tables::new();
        let mut out: Box<[u8; LARGEST]> = vec![0; LARGEST].try_into().unwrap();
        let mut u = Unpacker::new();
        let n = u.go_on(&packed, true, &mut tables, &mut out);
        println!("{:?}", t.elapsed());
        std::fs::write("/tmp/size-lab/packed", &packed).unwrap(); assert!(n == wasm.len() && out[TABLE..TABLE + n] == wasm[..]);
    }
}
