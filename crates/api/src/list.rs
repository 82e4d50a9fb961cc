//! Walks over parts of the store. They are types of their own, for chains of closures would be built anew wherever one is used.

use crate::map::{Items, Map, Set};
use crate::{ObjId, Resource, Store, Str};
use std::marker::PhantomData;
use std::rc::Rc;

/// Indexes of objects: those of one list, then those of further maps by name, then some that were listed for this walk.
#[derive(Clone, Default)]
pub struct Ids<'a> {
    ids: Items<'a, ObjId>,
    further: Items<'a, Map<Str, ObjId>>,
    last: std::vec::IntoIter<ObjId>,
}

impl<'a> Ids<'a> {
    /// Those of a set, if there is one.
    pub(crate) fn of_set(set: Option<&'a Set<ObjId>>) -> Self {
        Self { ids: set.map(Set::iter).unwrap_or_default(), ..Self::default() }
    }
    /// Those of a map by name, if there is one.
    pub(crate) fn of_names(names: Option<&'a Map<Str, ObjId>>) -> Self {
        Self { ids: names.map(Map::values).unwrap_or_default(), ..Self::default() }
    }
    /// Those of a map by namespace and name, if there is one.
    pub(crate) fn of_namespaces(namespaces: Option<&'a Map<Str, Map<Str, ObjId>>>) -> Self {
        Self { further: namespaces.map(Map::values).unwrap_or_default(), ..Self::default() }
    }
    /// These, then some more.
    pub(crate) fn then(self, last: Vec<ObjId>) -> Self {
        Self { last: last.into_iter(), ..self }
    }
}

impl Iterator for Ids<'_> {
    type Item = ObjId;

    #[inline(never)]
    fn next(&mut self) -> Option<ObjId> {
        loop {
            if let Some(id) = self.ids.next() {
                return Some(*id);
            }
            let Some(names) = self.further.next() else { return self.last.next() };
            self.ids = names.values();
        }
    }
}

/// Objects of kind `T`.
#[derive(Clone)]
pub struct List<'a, T> {
    store: &'a Store,
    ids: Ids<'a>,
    kind: PhantomData<T>,
}

impl<'a, T> List<'a, T> {
    pub(crate) fn new(store: &'a Store, ids: Ids<'a>) -> Self {
        Self { store, ids, kind: PhantomData }
    }
}

impl<'a, T: Resource> Iterator for List<'a, T> {
    type Item = &'a Rc<T>;

    #[inline(never)]
    fn next(&mut self) -> Option<&'a Rc<T>> {
        loop {
            if let Some(object) = self.store.get(self.ids.next()?) {
                return Some(object);
            }
        }
    }
}
