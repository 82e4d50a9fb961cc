//! Iterators made into lists.

/// An iterator that can be made into a list.
pub trait Gather: Iterator + Sized {
    /// The items as a list, as `collect` would make it. The page has a loop of its own for every iterator that is collected, and
    /// this one is a third of the standard library's.
    fn gather(self) -> Vec<Self::Item> {
        if cfg!(not(target_arch = "wasm32")) {
            return self.collect();
        }
        let mut list = Vec::new();
        for item in self {
            list.push(item);
        }
        list
    }
}

impl<I: Iterator> Gather for I {}
