//! Which function of this build is which of the record.
//!
//! A name says it, as a rule. It carries a number, though, which changes with what stands around the function: another
//! closure above, another implementation in the module. Then it is told by the path and the shape of its body; by the path
//! alone, if another of this path is gone; and one that was renamed by its shape alone. Of a body that has changed, those
//! segments that are still there are what they were; the others are new, but one for one in the place of what did not run.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Own, Ran, Record, Segment};

/// Segments from which on a body is told from all others by its shape.
const TELLING: usize = 4;
/// Segments in a row that must be still there to be told from others that look like them.
const STRAY: usize = 4;
/// Most pairs of segments that are compared to find those that are still there.
const PAIRS: usize = 1 << 22;

/// What the record says of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lot {
    /// It ran, and so did these of its segments.
    Ran(Vec<Life>),
    /// It did not run.
    Idle,
    /// It is not known.
    New,
}

/// What the record says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Ran,
    Idle,
    /// It is not known.
    New,
}

/// What the record says of each function.
pub fn lots(functions: &[Own], record: &Record) -> Vec<Lot> {
    let names: BTreeSet<u32> = functions.iter().map(|function| function.name).collect();
    let mut search = Search {
        gone: record.ran.iter().filter(|(name, _)| !names.contains(name)).map(|(_, ran)| ran).collect(),
        idle: record.idle.clone(),
    };
    let by_name = |function: &Own| record.ran.get(&function.name).map(|ran| Lot::Ran(lives(ran, function)));
    let mut lots: Vec<Option<Lot>> = functions.iter().map(by_name).collect();
    for way in [Search::both, Search::path, Search::shape] {
        for (function, lot) in functions.iter().zip(&mut lots).filter(|(_, lot)| lot.is_none()) {
            *lot = way(&mut search, function);
        }
    }
    lots.into_iter().map(|lot| lot.unwrap_or(Lot::New)).collect()
}

/// What of the record has not been found in this build.
struct Search<'r> {
    gone: Vec<&'r Ran>,
    /// Path and shape of those that did not run, and how many have both.
    idle: BTreeMap<(u32, u32), usize>,
}

impl Search<'_> {
    fn both(&mut self, function: &Own) -> Option<Lot> {
        let at = self.gone.iter().position(|ran| (ran.path, ran.shape) == (function.path, function.shape));
        match at {
            Some(at) => Some(Lot::Ran(lives(self.gone.remove(at), function))),
            None => self.idle((function.path, function.shape)),
        }
    }

    /// Of those that ran and have the path, the one that has the most in common with the function.
    fn path(&mut self, function: &Own) -> Option<Lot> {
        let likeness = |ran: &Ran| lives(ran, function).iter().filter(|life| **life != Life::New).count();
        let of_path = self.gone.iter().enumerate().filter(|(_, ran)| ran.path == function.path);
        if let Some((at, _)) = of_path.max_by_key(|(_, ran)| likeness(ran)) {
            return Some(Lot::Ran(lives(self.gone.remove(at), function)));
        }
        let mut idle = self.idle.range((function.path, 0)..=(function.path, u32::MAX));
        let found = *idle.find(|(_, count)| **count > 0)?.0;
        self.idle(found)
    }

    fn shape(&mut self, function: &Own) -> Option<Lot> {
        if function.marks.len() < TELLING {
            return None;
        }
        let at = self.gone.iter().position(|ran| ran.shape == function.shape)?;
        Some(Lot::Ran(lives(self.gone.remove(at), function)))
    }

    /// One that did not run.
    fn idle(&mut self, found: (u32, u32)) -> Option<Lot> {
        let count = self.idle.get_mut(&found).filter(|count| **count > 0)?;
        *count -= 1;
        Some(Lot::Idle)
    }
}

/// What is known of a function's segments, if it is this one of the record.
fn lives(ran: &Ran, function: &Own) -> Vec<Life> {
    let still_there = still_there(&ran.segments, &function.marks);
    let mut lives = Vec::new();
    let mut gap = 0;
    for run in still_there.chunk_by(|one, next| one.is_some() == next.is_some()) {
        if let Some(last) = run.last().copied().flatten() {
            gap = last + 1;
            let segments = run.iter().flatten().map(|at| &ran.segments[*at]);
            lives.extend(segments.map(|segment| if segment.has_run { Life::Ran } else { Life::Idle }));
            continue;
        }
        // What stands one for one in the place of segments that did not run does not run either.
        let end = still_there.get(lives.len() + run.len()).copied().flatten().unwrap_or(ran.segments.len());
        let is_idle = end - gap == run.len() && ran.segments[gap..end].iter().all(|segment| !segment.has_run);
        lives.extend(run.iter().map(|_| if is_idle { Life::Idle } else { Life::New }));
    }
    lives
}

/// For each segment, which of the old ones it is, if it is one: as many as can be, in order.
fn still_there(old: &[Segment], marks: &[u16]) -> Vec<Option<usize>> {
    let same = |(old, mark): &(&Segment, &u16)| old.mark == **mark;
    let before = old.iter().zip(marks).take_while(same).count();
    let behind = old[before..].iter().rev().zip(marks[before..].iter().rev()).take_while(same).count();
    let (changed, new) = (&old[before..old.len() - behind], &marks[before..marks.len() - behind]);
    let mut found: Vec<Option<usize>> = (0..before).map(Some).collect();
    if changed.len() * new.len() > PAIRS {
        found.extend(new.iter().map(|_| None));
    } else {
        // How many from two places on are still there, at best.
        let width = new.len() + 1;
        let mut common = vec![0_u32; (changed.len() + 1) * width];
        for (i, old) in changed.iter().enumerate().rev() {
            for (j, mark) in new.iter().enumerate().rev() {
                common[i * width + j] = if old.mark == *mark {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        let mut i = 0;
        for (j, mark) in new.iter().enumerate() {
            let is_gone = |i: usize| common[(i + 1) * width + j] == common[i * width + j];
            while changed.get(i).is_some_and(|old| old.mark != *mark && is_gone(i)) {
                i += 1;
            }
            let is_there = changed.get(i).is_some_and(|old| old.mark == *mark);
            found.push(is_there.then_some(before + i));
            i += usize::from(is_there);
        }
        forget_strays(&mut found[before..]);
    }
    found.extend((old.len() - behind..old.len()).map(Some));
    found
}

/// A few segments in the midst of changes are not there still, but look alike.
fn forget_strays(found: &mut [Option<usize>]) {
    for run in found.chunk_by_mut(|one, next| one.is_some() && one.map(|at| at + 1) == *next) {
        if run.len() < STRAY {
            run.fill(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: u32, path: u32, shape: u32, marks: &[u16]) -> Own {
        Own { name, path, shape, marks: marks.to_vec() }
    }

    fn ran(path: u32, shape: u32, segments: &[(u16, bool)]) -> Ran {
        let segments = segments.iter().map(|(mark, has_run)| Segment { mark: *mark, has_run: *has_run });
        Ran { path, shape, segments: segments.collect() }
    }

    /// `R` for what ran, `i` for what did not, `n` for what is new.
    fn shown(lots: &[Lot]) -> Vec<String> {
        let life = |life: &Life| match life {
            Life::Ran => 'R',
            Life::Idle => 'i',
            Life::New => 'n',
        };
        let lot = |lot: &Lot| match lot {
            Lot::Ran(lives) => lives.iter().map(life).collect(),
            Lot::Idle => "idle".to_owned(),
            Lot::New => "new".to_owned(),
        };
        lots.iter().map(lot).collect()
    }

    fn lot_of(old: Ran, new: Own) -> String {
        let record = Record { ran: [(1, old)].into(), idle: [((20, 22), 1)].into() };
        shown(&lots(&[new], &record)).remove(0)
    }

    #[test]
    fn functions_are_known_again() {
        let old = || ran(10, 11, &[(1, true), (2, false), (3, true), (4, true)]);
        let same = [1, 2, 3, 4];
        for (what, new, lot) in [
            ("the same", own(1, 10, 11, &same), "RiRR"),
            ("a part has changed", own(1, 10, 12, &[1, 2, 9, 4]), "RinR"),
            ("a part is new", own(1, 10, 12, &[1, 2, 3, 9, 9, 4]), "RiRnnR"),
            ("a part is gone", own(1, 10, 12, &[1, 3, 4]), "RRR"),
            ("parts are new and gone", own(1, 10, 12, &[9, 2, 3, 8, 7]), "nnnnn"),
            ("what did not run has changed", own(1, 10, 12, &[1, 9, 3, 4]), "RiRR"),
            ("all has changed", own(1, 10, 12, &[9, 9]), "nn"),
            ("another number", own(3, 10, 11, &same), "RiRR"),
            ("another number and body", own(3, 10, 12, &[1, 2, 4]), "RiR"),
            ("renamed", own(3, 13, 11, &same), "RiRR"),
            ("another name and body", own(3, 13, 12, &same), "new"),
            ("did not run", own(4, 20, 22, &same), "idle"),
            ("did not run, another body", own(4, 20, 23, &same), "idle"),
        ] {
            assert_eq!(lot_of(old(), new), lot, "{what}");
        }
        assert_eq!(
            lot_of(ran(10, 11, &[(1, true)]), own(3, 13, 11, &[1])),
            "new",
            "short ones are all alike"
        );
    }

    #[test]
    fn of_functions_with_one_path_each_is_the_one_that_is_most_alike() {
        let record = Record {
            ran: [(1, ran(10, 11, &[(1, true), (2, false)])), (2, ran(10, 12, &[(3, true), (4, false)]))]
                .into(),
            idle: [((10, 13), 1)].into(),
        };
        // All numbers have changed, and of the second one the body too; the last one is one more.
        let functions = [
            own(4, 10, 13, &[1, 2]),
            own(5, 10, 22, &[3, 9, 4]),
            own(6, 10, 11, &[1, 2]),
            own(7, 10, 13, &[1, 2]),
        ];
        assert_eq!(shown(&lots(&functions, &record)), ["idle", "Rni", "Ri", "new"]);
    }
}
