//! Ordered collections that are small in code: [`Map`] and [`Set`].
//!
//! They do what `BTreeMap` and `BTreeSet` do for this program. Why they exist: the page is one WebAssembly file that must
//! load within a budget of 250 kB compressed, and the standard trees cost it 284 kB of code (953 functions for some 60
//! types of map), because every pair of key and value brings a copy of the whole tree, and a sort to build it with.
//! Here keys and values lie in sorted chunks of their own, so that the code is made once for a type of key and once for a
//! type of value, and a copy of it is a few hundred bytes.
//!
//! A chunk holds at most [`CHUNK`] items: an insertion moves that many at most, whatever the size of the map.

use std::borrow::Borrow;
use std::fmt::{Debug, Formatter};
use std::ops::{BitOr, BitXor, Index};

/// Most items of one chunk.
const CHUNK: usize = 64;

/// Where an item lies, or would lie.
#[derive(Clone, Copy)]
struct Place {
    chunk: usize,
    at: usize,
}

/// Items in chunks. The first lies in the map itself, for most maps are small; only it may be empty, and then it is alone.
#[derive(Clone)]
struct Chunks<T> {
    first: Vec<T>,
    rest: Vec<Vec<T>>,
}

impl<T> Chunks<T> {
    const fn new() -> Self {
        Self { first: Vec::new(), rest: Vec::new() }
    }

    fn chunk(&self, number: usize) -> &Vec<T> {
        if number == 0 { &self.first } else { &self.rest[number - 1] }
    }

    fn chunk_mut(&mut self, number: usize) -> &mut Vec<T> {
        if number == 0 { &mut self.first } else { &mut self.rest[number - 1] }
    }

    fn last(&self) -> Option<&T> {
        self.rest.last().unwrap_or(&self.first).last()
    }

    fn get(&self, place: Place) -> &T {
        &self.chunk(place.chunk)[place.at]
    }

    fn get_mut(&mut self, place: Place) -> &mut T {
        &mut self.chunk_mut(place.chunk)[place.at]
    }

    /// Puts an item before the one at `place`, and returns where it came to lie: a full chunk is split first.
    fn put(&mut self, mut place: Place, item: T) -> Place {
        // Rising keys are the rule: an item for the very end leaves full chunks behind.
        let is_end = place.chunk == self.rest.len() && place.at == CHUNK;
        let half = if is_end { CHUNK } else { CHUNK / 2 };
        let mut chunk = self.chunk_mut(place.chunk);
        if chunk.len() >= CHUNK {
            let upper = chunk.split_off(half);
            self.rest.insert(place.chunk, upper);
            if place.at >= half {
                place = Place { chunk: place.chunk + 1, at: place.at - half };
            }
            chunk = self.chunk_mut(place.chunk);
        }
        chunk.insert(place.at, item);
        place
    }

    /// Takes the item at `place` out. Chunks that have become small are left so: there are no more of them for it.
    fn take(&mut self, place: Place) -> T {
        let chunk = self.chunk_mut(place.chunk);
        let item = chunk.remove(place.at);
        if chunk.is_empty() && !self.rest.is_empty() {
            let next = self.rest.remove(place.chunk.saturating_sub(1));
            if place.chunk == 0 {
                self.first = next;
            }
        }
        item
    }

    fn iter(&self, left: usize) -> Items<'_, T> {
        Items { items: self.first.iter(), chunks: self.rest.iter(), left }
    }

    fn iter_mut(&mut self, left: usize) -> ItemsMut<'_, T> {
        ItemsMut { items: self.first.iter_mut(), chunks: self.rest.iter_mut(), left }
    }

    fn into_iter(self, left: usize) -> IntoItems<T> {
        IntoItems { items: self.first.into_iter(), chunks: self.rest.into_iter(), left }
    }
}

impl<K> Chunks<K> {
    /// Where a key lies (true), or would have to be put (false).
    fn search<Q: Ord + ?Sized>(&self, key: &Q) -> (Place, bool)
    where
        K: Borrow<Q>,
    {
        // The last chunk whose first key is not above the key.
        let is_not_above = |keys: &Vec<K>| keys.first().is_some_and(|first| first.borrow() <= key);
        let chunk = self.rest.partition_point(is_not_above);
        let keys = self.chunk(chunk);
        let at = keys.partition_point(|other| other.borrow() < key);
        (Place { chunk, at }, keys.get(at).is_some_and(|other| other.borrow() == key))
    }
}

/// Shared items, in order: the iterator of a set, and of a map's keys or values.
pub struct Items<'a, T> {
    chunks: std::slice::Iter<'a, Vec<T>>,
    items: std::slice::Iter<'a, T>,
    left: usize,
}

/// Items to change, in order: the iterator of a map's values to change.
pub struct ItemsMut<'a, T> {
    chunks: std::slice::IterMut<'a, Vec<T>>,
    items: std::slice::IterMut<'a, T>,
    left: usize,
}

/// Items given away, in order.
pub struct IntoItems<T> {
    chunks: std::vec::IntoIter<Vec<T>>,
    items: std::vec::IntoIter<T>,
    left: usize,
}

macro_rules! items {
    ($( [$($generics:tt)*] $name:ty => $item:ty, $open:ident; )*) => {$(
        impl<$($generics)*> Iterator for $name {
            type Item = $item;

            fn next(&mut self) -> Option<Self::Item> {
                loop {
                    if let Some(item) = self.items.next() {
                        self.left -= 1;
                        return Some(item);
                    }
                    self.items = self.chunks.next()?.$open();
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.left, Some(self.left))
            }
        }

        impl<$($generics)*> ExactSizeIterator for $name {}
    )*};
}

items! {
    ['a, T] Items<'a, T> => &'a T, iter;
    ['a, T] ItemsMut<'a, T> => &'a mut T, iter_mut;
    [T] IntoItems<T> => T, into_iter;
}

impl<T> Default for Items<'_, T> {
    fn default() -> Self {
        Self { chunks: [].iter(), items: [].iter(), left: 0 }
    }
}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), items: self.items.clone(), left: self.left }
    }
}

/// The entries of a map, by key: keys from `A`, values from `B`.
#[derive(Clone)]
pub struct Pairs<A, B> {
    keys: A,
    values: B,
}

impl<A: Iterator, B: Iterator> Iterator for Pairs<A, B> {
    type Item = (A::Item, B::Item);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.keys.next()?, self.values.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.keys.size_hint()
    }
}

impl<A: ExactSizeIterator, B: ExactSizeIterator> ExactSizeIterator for Pairs<A, B> {}

/// A map that is ordered by key; see the [module](self).
#[derive(Clone)]
pub struct Map<K, V> {
    len: usize,
    keys: Chunks<K>,
    values: Chunks<V>,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self { len: 0, keys: Chunks::new(), values: Chunks::new() }
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Drops all entries.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
    /// All entries, by key.
    pub fn iter(&self) -> Pairs<Items<'_, K>, Items<'_, V>> {
        Pairs { keys: self.keys.iter(self.len), values: self.values.iter(self.len) }
    }
    /// All entries, by key, their values to change.
    pub fn iter_mut(&mut self) -> Pairs<Items<'_, K>, ItemsMut<'_, V>> {
        Pairs { keys: self.keys.iter(self.len), values: self.values.iter_mut(self.len) }
    }
    /// All keys, in order.
    pub fn keys(&self) -> Items<'_, K> {
        self.keys.iter(self.len)
    }
    /// All values, by key.
    pub fn values(&self) -> Items<'_, V> {
        self.values.iter(self.len)
    }
    /// All values, by key, to change.
    pub fn values_mut(&mut self) -> ItemsMut<'_, V> {
        self.values.iter_mut(self.len)
    }
    /// All keys, in order, given away.
    pub fn into_keys(self) -> IntoItems<K> {
        self.keys.into_iter(self.len)
    }
    /// All values, by key, given away.
    pub fn into_values(self) -> IntoItems<V> {
        self.values.into_iter(self.len)
    }
    /// The entry of the least key.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }
    /// The entry of the greatest key.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        Some((self.keys.last()?, self.values.last()?))
    }
    /// Takes the entry of the least key out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (self.len > 0).then(|| self.take(Place { chunk: 0, at: 0 }))
    }

    fn take(&mut self, place: Place) -> (K, V) {
        self.len -= 1;
        (self.keys.take(place), self.values.take(place))
    }
}

impl<K: Ord, V> Map<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (place, is_known) = self.keys.search(key);
        if is_known { Some(self.values.get(place)) } else { None }
    }
    /// The value of a key, to change.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (place, is_known) = self.keys.search(key);
        if is_known { Some(self.values.get_mut(place)) } else { None }
    }
    /// Whether a key has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.keys.search(key).1
    }
    /// Gives a key a value, and returns the value that it had. The key itself stays the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (place, is_known) = self.keys.search(&key);
        if is_known {
            return Some(std::mem::replace(self.values.get_mut(place), value));
        }
        self.len += 1;
        self.keys.put(place, key);
        self.values.put(place, value);
        None
    }
    /// Takes a key out, and returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (place, is_known) = self.keys.search(key);
        if is_known { Some(self.take(place).1) } else { None }
    }
    /// The place of a key, filled or not.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let (place, is_known) = self.keys.search(&key);
        Entry { map: self, key, place, is_known }
    }
    /// Keeps the entries that `keep` says yes to, asked in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        let mut place = Place { chunk: 0, at: 0 };
        let all = std::mem::take(self);
        for (key, mut value) in all {
            if keep(&key, &mut value) {
                self.len += 1;
                self.keys.put(place, key);
                place = self.values.put(place, value);
                place.at += 1;
            }
        }
    }
}

/// The place of a key in a map.
pub struct Entry<'a, K, V> {
    map: &'a mut Map<K, V>,
    key: K,
    place: Place,
    is_known: bool,
}

impl<'a, K: Ord, V> Entry<'a, K, V> {
    /// The value, `value` being put in if there is none.
    pub fn or_insert(self, value: V) -> &'a mut V {
        let Self { map, key, mut place, is_known } = self;
        if !is_known {
            map.len += 1;
            map.keys.put(place, key);
            place = map.values.put(place, value);
        }
        map.values.get_mut(place)
    }
    /// The value, that of `make` being put in if there is none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        if self.is_known { self.map.values.get_mut(self.place) } else { self.or_insert(make()) }
    }
    /// The value, an empty one being put in if there is none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
    /// Changes the value if there is one.
    #[must_use]
    pub fn and_modify(self, change: impl FnOnce(&mut V)) -> Self {
        if self.is_known {
            change(self.map.values.get_mut(self.place));
        }
        self
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        // How the chunks are cut is no part of what a map is.
        self.len == other.len && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: Debug, V: Debug> Debug for Map<K, V> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for Map<K, V> {
    type Output = V;

    /// # Panics
    /// When the key has no value.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the key has a value")
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = Pairs<IntoItems<K>, IntoItems<V>>;

    fn into_iter(self) -> Self::IntoIter {
        Pairs { keys: self.keys.into_iter(self.len), values: self.values.into_iter(self.len) }
    }
}

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Pairs<Items<'a, K>, Items<'a, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut Map<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = Pairs<Items<'a, K>, ItemsMut<'a, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

/// A set in order; see the [module](self).
#[derive(Clone)]
pub struct Set<K> {
    len: usize,
    keys: Chunks<K>,
}

impl<K> Set<K> {
    /// An empty set.
    pub const fn new() -> Self {
        Self { len: 0, keys: Chunks::new() }
    }
    /// Number of items.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Drops all items.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
    /// All items, in order.
    pub fn iter(&self) -> Items<'_, K> {
        self.keys.iter(self.len)
    }
    /// The least item.
    pub fn first(&self) -> Option<&K> {
        self.keys.first.first()
    }
    /// The greatest item.
    pub fn last(&self) -> Option<&K> {
        self.keys.last()
    }
    /// Takes the least item out.
    pub fn pop_first(&mut self) -> Option<K> {
        (self.len > 0).then(|| self.take(Place { chunk: 0, at: 0 }))
    }

    fn take(&mut self, place: Place) -> K {
        self.len -= 1;
        self.keys.take(place)
    }
}

impl<K: Ord> Set<K> {
    /// Whether an item is in the set.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.keys.search(key).1
    }
    /// Puts an item in; false when it was there.
    pub fn insert(&mut self, key: K) -> bool {
        let (place, is_known) = self.keys.search(&key);
        if !is_known {
            self.len += 1;
            self.keys.put(place, key);
        }
        !is_known
    }
    /// Takes an item out; false when it was not there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        let (place, is_known) = self.keys.search(key);
        if is_known {
            self.take(place);
        }
        is_known
    }
    /// Keeps the items that `keep` says yes to, asked in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        let mut place = Place { chunk: 0, at: 0 };
        for key in std::mem::take(self) {
            if keep(&key) {
                self.len += 1;
                place = self.keys.put(place, key);
                place.at += 1;
            }
        }
    }
    /// The items that are in both sets, in order.
    pub fn intersection<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a K> {
        self.iter().filter(|key| other.contains(*key))
    }
}

impl<K: Ord + Clone> BitOr for &Set<K> {
    type Output = Set<K>;

    /// The items that are in one of the sets or in both.
    fn bitor(self, other: Self) -> Set<K> {
        let mut both = self.clone();
        both.extend(other.iter().cloned());
        both
    }
}

impl<K: Ord + Clone> BitXor for &Set<K> {
    type Output = Set<K>;

    /// The items that are in one of the sets, but not in both.
    fn bitxor(self, other: Self) -> Set<K> {
        let mut one = self.clone();
        one.retain(|key| !other.contains(key));
        one.extend(other.iter().filter(|key| !self.contains(*key)).cloned());
        one
    }
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq> PartialEq for Set<K> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().zip(other).all(|(a, b)| a == b)
    }
}

impl<K: Eq> Eq for Set<K> {}

impl<K: Debug> Debug for Set<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<K: Ord> Extend<K> for Set<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, items: I) {
        for key in items {
            self.insert(key);
        }
    }
}

impl<K: Ord> FromIterator<K> for Set<K> {
    fn from_iter<I: IntoIterator<Item = K>>(items: I) -> Self {
        let mut set = Self::new();
        set.extend(items);
        set
    }
}

impl<K: Ord, const N: usize> From<[K; N]> for Set<K> {
    fn from(items: [K; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<K> IntoIterator for Set<K> {
    type Item = K;
    type IntoIter = IntoItems<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter(self.len)
    }
}

impl<'a, K> IntoIterator for &'a Set<K> {
    type Item = &'a K;
    type IntoIter = Items<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Seeded numbers for the walks below.
    fn draw(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    fn check(map: &Map<u64, u64>, model: &BTreeMap<u64, u64>) {
        assert_eq!(map.len(), model.len());
        assert!(map.iter().eq(model.iter()));
        assert_eq!(map.iter().len(), model.len());
        assert!(map.keys().eq(model.keys()) && map.values().eq(model.values()));
        assert_eq!(map.first_key_value(), model.first_key_value());
        assert_eq!(map.last_key_value(), model.last_key_value());
        let lengths: Vec<usize> =
            (0..=map.keys.rest.len()).map(|number| map.keys.chunk(number).len()).collect();
        assert!(
            (0..=map.values.rest.len())
                .map(|number| map.values.chunk(number).len())
                .eq(lengths.iter().copied())
        );
        assert!(
            lengths.len() < 2 || lengths.iter().all(|length| (1..=CHUNK).contains(length)),
            "{lengths:?}"
        );
    }

    #[test]
    fn a_map_does_what_a_tree_does() {
        // Rising keys, keys at random, few keys: each walk fills the map, churns it and empties it again.
        for (seed, span, size) in
            [(1, u64::MAX, 10_000), (2, 20_000, 10_000), (3, 150, 1_000), (4, 8, 200), (5, 1, 40)]
        {
            let (mut map, mut model, mut seed) = (Map::new(), BTreeMap::new(), seed);
            for step in 0..3 * size {
                let key = if span == u64::MAX && step < size { step } else { draw(&mut seed) % span };
                let value = draw(&mut seed);
                // One third fills, one third churns, one third empties.
                match (step / size, draw(&mut seed) % 8) {
                    (0, _) | (1, 0..=1) => assert_eq!(map.insert(key, value), model.insert(key, value)),
                    (1, 2) => {
                        let (a, b) = (map.entry(key).or_insert(value), model.entry(key).or_insert(value));
                        *a ^= 1;
                        *b ^= 1;
                        assert_eq!(a, b);
                    }
                    (1, 3) => {
                        let change = |value: &mut u64| *value += 1;
                        let a = *map.entry(key).and_modify(change).or_default();
                        assert_eq!(a, *model.entry(key).and_modify(change).or_default());
                    }
                    (1, 4) => assert_eq!(map.get(&key), model.get(&key)),
                    (1, 5) => assert_eq!(map.get_mut(&key), model.get_mut(&key)),
                    (2, 6..) => assert_eq!(map.pop_first(), model.pop_first()),
                    _ => {
                        let near = model.range(key..).next().map_or(key, |(key, _)| *key);
                        assert_eq!(map.contains_key(&near), model.contains_key(&near));
                        assert_eq!(map.remove(&near), model.remove(&near));
                    }
                }
                assert_eq!(map.is_empty(), model.is_empty());
                if step % (size / 20) == 0 {
                    check(&map, &model);
                }
                if step == size * 3 / 2 || step == size * 2 {
                    map.retain(|key, value| (*key + *value) % 3 != 0);
                    model.retain(|key, value| (*key + *value) % 3 != 0);
                    check(&map, &model);
                }
            }
            check(&map, &model);
            let again: Map<u64, u64> = model.iter().map(|(key, value)| (*key, *value)).collect();
            assert_eq!(map, again);
            map.values_mut().chain(again.clone().values_mut()).for_each(|value| *value /= 2);
            model.values_mut().for_each(|value| *value /= 2);
            assert!(map.clone().into_iter().eq(model.clone()));
            map.clear();
            check(&map, &BTreeMap::new());
        }
    }

    #[test]
    fn a_set_does_what_a_tree_does() {
        for (seed, span, size) in [(1, 20_000, 10_000), (2, 300, 2_000), (3, 3, 50)] {
            let (mut set, mut model, mut seed) = (Set::new(), BTreeSet::new(), seed);
            for step in 0..size {
                let key = draw(&mut seed) % span;
                match draw(&mut seed) % 8 {
                    0 => assert_eq!(set.pop_first(), model.pop_first()),
                    1 | 2 => assert_eq!(set.remove(&key), model.remove(&key)),
                    3 => assert_eq!(set.contains(&key), model.contains(&key)),
                    _ => assert_eq!(set.insert(key), model.insert(key)),
                }
                assert_eq!((set.len(), set.first(), set.last()), (model.len(), model.first(), model.last()));
                if step % 100 == 0 {
                    assert!(set.iter().eq(model.iter()));
                }
            }
            let odd: Set<u64> = set.iter().copied().filter(|key| key % 2 == 1).collect();
            assert!(set.intersection(&odd).eq(odd.iter()));
            let few = Set::from([1, 2, span + 1]);
            let tree = BTreeSet::from([1, 2, span + 1]);
            assert!(
                (&set | &few).into_iter().eq(&model | &tree) && (&set ^ &few).into_iter().eq(&model ^ &tree)
            );
            set.retain(|key| key % 2 == 1);
            assert_eq!(set, odd);
        }
    }

    #[test]
    fn maps_are_equal_whatever_their_history() {
        let rising: Map<u32, u32> = (0..1000).map(|key| (key, key)).collect();
        let falling: Map<u32, u32> = (0..1000).rev().map(|key| (key, key)).collect();
        assert_ne!(rising.keys.rest.len(), falling.keys.rest.len());
        assert_eq!(rising, falling);
        let mut other = falling.clone();
        other.insert(999, 0);
        assert_ne!(rising, other);
        other.remove(&999);
        assert_ne!(rising, other);
    }

    #[test]
    fn keys_are_looked_up_as_what_they_borrow() {
        let map = Map::from([(std::rc::Rc::<str>::from("b"), 2), ("a".into(), 1)]);
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (Some(&1), Some(&2), None));
        assert_eq!(map["b"], 2);
        assert_eq!(format!("{map:?} {:?}", Set::from([2, 1])), r#"{"a": 1, "b": 2} {1, 2}"#);
    }
}
