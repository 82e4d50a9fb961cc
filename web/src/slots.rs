//! Places for tiles: a tile keeps its place, and a place that falls free waits for the next one.

/// Which id has which place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Vec<Option<u32>>);

impl Slots {
    /// Frees the places of ids that are gone and gives the new ones the first free places. Says whether anything changed.
    pub fn settle(&mut self, ids: &[u32]) -> bool {
        let mut news: Vec<u32> = ids.to_vec();
        let mut has_changed = false;
        for slot in &mut self.0 {
            let Some(id) = *slot else { continue };
            match news.iter().position(|new| *new == id) {
                Some(at) => drop(news.remove(at)),
                None => {
                    *slot = None;
                    has_changed = true;
                }
            }
        }
        has_changed |= !news.is_empty();
        let mut news = news.into_iter();
        for slot in self.0.iter_mut().filter(|slot| slot.is_none()) {
            *slot = news.next();
        }
        self.0.extend(news.map(Some));
        has_changed
    }

    /// Gives up the free places at the end, and all of them if they are more than half. Only for when nothing moves.
    pub fn compact(&mut self) {
        let taken = self.0.iter().flatten().count();
        if taken * 2 < self.0.len() {
            self.0.retain(Option::is_some);
        }
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
        // Arrivals, nothing, one that goes, one that takes the free place, the last one goes.
        type Case = (&'static [u32], &'static [Option<u32>], bool);
        let cases: [Case; 6] = [
            (&[], &[], false),
            (&[1, 2, 3], &[Some(1), Some(2), Some(3)], true),
            (&[1, 2, 3], &[Some(1), Some(2), Some(3)], false),
            (&[1, 3], &[Some(1), None, Some(3)], true),
            (&[1, 3, 4, 5], &[Some(1), Some(4), Some(3), Some(5)], true),
            (&[4, 3], &[None, Some(4), Some(3), None], true),
        ];
        for (ids, expected, has_changed) in cases {
            assert_eq!(slots.settle(ids), has_changed, "{ids:?}");
            assert_eq!(slots.places(), expected, "{ids:?}");
        }
    }

    #[test]
    fn free_places_are_given_up_when_they_are_most() {
        let mut slots = Slots::default();
        slots.settle(&[1, 2, 3, 4, 5, 6]);
        slots.settle(&[2, 4, 5]);
        slots.compact();
        assert_eq!(slots.places(), [None, Some(2), None, Some(4), Some(5)], "half of them are taken");
        slots.settle(&[4, 5]);
        slots.compact();
        assert_eq!(slots.places(), [Some(4), Some(5)]);
        slots.settle(&[]);
        slots.compact();
        assert_eq!(slots.places(), []);
    }
}
