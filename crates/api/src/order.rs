//! Sorting, with the code of one sort for the whole program.
//!
//! The standard sort is made anew for every type and every comparison, at about 8 kB each; in the page's WebAssembly file
//! they cost 144 kB. Here positions are sorted instead of items, and the items are put in place afterwards.

use crate::Gather as _;
use std::cmp::Ordering;

/// Compares the items at two positions.
type Compare<'a> = dyn FnMut(u32, u32) -> Ordering + 'a;

/// Sorts items; equal ones stay in their order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts items by what `key` says of them; equal ones stay in their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts items as `compare` says; equal ones stay in their order. An order with cycles gives some order of the items.
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
fn sorted_positions(len: usize, compare: &mut Compare) -> Vec<u32> {
    let mut positions: Vec<u32> = (0..len as u32).gather();
    merge_sort(&mut positions, &mut vec![0; len], compare);
    positions
}

/// Sorts positions, half by half. `room` is as long as they are.
fn merge_sort(positions: &mut [u32], room: &mut [u32], compare: &mut Compare) {
    let middle = positions.len() / 2;
    if middle == 0 {
        return;
    }
    merge_sort(&mut positions[..middle], room, compare);
    merge_sort(&mut positions[middle..], room, compare);
    // Most lists are nearly sorted.
    if compare(positions[middle], positions[middle - 1]) != Ordering::Less {
        return;
    }
    // The left half makes room, and is merged back with the right one, which no item overtakes.
    let left = &mut room[..middle];
    left.copy_from_slice(&positions[..middle]);
    let (mut from, mut right) = (0, middle);
    for to in 0..positions.len() {
        if from == middle {
            break;
        }
        let is_right = right < positions.len() && compare(positions[right], left[from]) == Ordering::Less;
        let taken = if is_right { &mut right } else { &mut from };
        positions[to] = if is_right { positions[*taken] } else { left[*taken] };
        *taken += 1;
    }
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
                wanted.sort_by_key(|item| std::cmp::Reverse(item.1));
                sort_by(&mut found, |a, b| b.1.cmp(&a.1));
                assert_eq!(found, wanted);
                wanted.sort();
                sort(&mut found);
                assert_eq!(found, wanted);
            }
        }
    }
}
