//! Places for tiles: a tile keeps its place for life, and a place that falls free waits for the next one.

/// Which id has which place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Vec<Option<u32>>);

impl Slots {
    /// Frees the places of ids that are gone and gives the new ones the first free places.
    pub fn settle(&mut self, ids: &[u32]) {
        let mut news: Vec<u32> = ids.to_vec();
        for slot in &mut self.0 {
            match slot.and_then(|id| news.iter().position(|new| *new == id)) {
                Some(at) => drop(news.remove(at)),
                None => *slot = None,
            }
        }
        let mut news = news.into_iter();
        for slot in self.0.iter_mut().filter(|slot| slot.is_none()) {
            *slot = news.next();
        }
        self.0.extend(news.map(Some));
        while self.0.last() == Some(&None) {
            self.0.pop();
        }
    }

    /// Ids by place.
    pub fn places(&self) -> &[Option<u32>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_keep_their_places() {
        let mut slots = Slots::default();
        // Arrivals, one that goes, one that takes the free place, the last one goes, all go.
        let cases: [(&[u32], &[Option<u32>]); 6] = [
            (&[], &[]),
            (&[1, 2, 3], &[Some(1), Some(2), Some(3)]),
            (&[1, 3], &[Some(1), None, Some(3)]),
            (&[1, 3, 4, 5], &[Some(1), Some(4), Some(3), Some(5)]),
            (&[4, 3], &[None, Some(4), Some(3)]),
            (&[], &[]),
        ];
        for (ids, expected) in cases {
            slots.settle(ids);
            assert_eq!(slots.places(), expected, "{ids:?}");
        }
    }
}
