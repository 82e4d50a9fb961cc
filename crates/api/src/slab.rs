//! A growing table by small integer id, in shared pages: a copy costs one pointer per page, a change copies one page.

use std::rc::Rc;

const PAGE: usize = 64;

/// Values by id. Ids should be dense and mostly growing; pages that are empty cost nothing.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    pages: Vec<Option<Rc<Page<T>>>>,
    len: u32,
}

#[derive(Clone, Debug)]
struct Page<T> {
    used: u32,
    slots: Vec<Option<T>>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Slab<T> {
    /// The value of an id.
    pub fn get(&self, id: u32) -> Option<&T> {
        let id = id as usize;
        self.pages.get(id / PAGE)?.as_ref()?.slots[id % PAGE].as_ref()
    }
    /// The value of an id, to change.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let id = id as usize;
        let page = self.pages.get_mut(id / PAGE)?.as_mut()?;
        Rc::make_mut(page).slots[id % PAGE].as_mut()
    }
    /// Puts a value at an id and returns what was there.
    pub fn insert(&mut self, id: u32, value: T) -> Option<T> {
        let id = id as usize;
        if self.pages.len() <= id / PAGE {
            self.pages.resize_with(id / PAGE + 1, || None);
        }
        let page =
            self.pages[id / PAGE].get_or_insert_with(|| Rc::new(Page { used: 0, slots: vec![None; PAGE] }));
        let page = Rc::make_mut(page);
        let old = page.slots[id % PAGE].replace(value);
        if old.is_none() {
            page.used += 1;
            self.len += 1;
        }
        old
    }
    /// Takes the value of an id out.
    pub fn remove(&mut self, id: u32) -> Option<T> {
        let id = id as usize;
        let slot = self.pages.get_mut(id / PAGE)?;
        let page = Rc::make_mut(slot.as_mut()?);
        let old = page.slots[id % PAGE].take()?;
        page.used -= 1;
        self.len -= 1;
        if page.used == 0 {
            *slot = None;
        }
        Some(old)
    }
    /// All ids and values, by id.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.pages.iter().enumerate().flat_map(|(number, page)| {
            let slots = page.iter().flat_map(|page| page.slots.iter().enumerate());
            slots.filter_map(move |(slot, value)| Some(((number * PAGE + slot) as u32, value.as_ref()?)))
        })
    }
    /// How many values there are.
    pub fn len(&self) -> u32 {
        self.len
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_it_had() {
        let mut slab = Slab::default();
        for id in 0..200 {
            slab.insert(id, id * 2);
        }
        let copy = slab.clone();
        for id in 0..150 {
            assert_eq!(slab.remove(id), Some(id * 2));
        }
        *slab.get_mut(199).unwrap() = 7;
        assert_eq!((slab.len(), copy.len()), (50, 200));
        assert_eq!((copy.get(0), copy.get(199)), (Some(&0), Some(&398)));
        assert_eq!(slab.iter().map(|(_, v)| *v).last(), Some(7));
        assert_eq!(slab.get(0), None);
    }
}
