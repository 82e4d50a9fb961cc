//! Sorting, with the code of one sort for the whole program.
//!
//! The standard sort is made anew for every type and every comparison, at about 8 kB each; in the page's WebAssembly file
//! they cost 144 kB. Here positions are sorted instead of items, and the items are put in place afterwards.

use crate::Gather as _;
use std::cmp::Ordering;

/// Sorts items; equal ones stay in their order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts items by what `key` says of them; equal ones stay in their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts items as `compare` says; equal ones stay in their order.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut order =
        sorted_positions(items.len(), &mut |a, b| compare(&items[a as usize], &items[b as usize]));
    // Each round of exchanges is followed to its end, so that every item moves once.
    for start in 0..order.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at as u32) as usize;
            if from == start {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

/// The positions below `len`, in the order of what lies there.
#[inline(never)]
fn sorted_positions(len: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut positions: Vec<u32> = (0..len as u32).gather();
    positions.sort_by(|a, b| compare(*a, *b));
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_sorted_as_the_standard_sort_does() {
        let mut seed = 7_u32;
        for len in (0..70).chain([1000, 10_000]) {
            for span in [1, 3, 50, u32::MAX] {
                let mut items: Vec<(u32, u32)> = Vec::new();
                for i in 0..len {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    items.push(((seed >> 8) % span, i));
                }
                let mut wanted = items.clone();
                wanted.sort_by_key(|item| item.0);
                let mut found = items.clone();
                sort_by_key(&mut found, |item| item.0);
                assert_eq!(found, wanted);
                wanted.sort_by(|a, b| b.1.cmp(&a.1));
                sort_by(&mut found, |a, b| b.1.cmp(&a.1));
                assert_eq!(found, wanted);
                wanted.sort();
                sort(&mut found);
                assert_eq!(found, wanted);
            }
        }
    }
}
