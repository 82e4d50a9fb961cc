//! How much a pod's tile says, chosen so that the whole cluster fits the room that it has.

/// How a pod is drawn, from the most words to the fewest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Version, name, state in a word, a number.
    #[default]
    Full,
    /// Version, sign and state on one line.
    Line,
    /// Version and sign.
    Compact,
    /// Version, or the sign of what is not ready.
    Cell,
    /// A mark in a drawing of the whole node.
    Dot,
}

/// A level with what a drawing needs to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Density {
    /// How much a tile says.
    pub level: Level,
    /// Distance between two marks of [`Level::Dot`] in pixels.
    pub pitch: usize,
    /// Marks of [`Level::Dot`] side by side.
    pub per_row: usize,
    /// Whether nodes stand two by two.
    pub pairs: bool,
}

/// Sizes in pixels; the style sheet has the same ones.
struct Sizes {
    level: Level,
    /// Narrowest node, and the gap between two.
    node: f64,
    gap: f64,
    /// What a node has besides its pods, less the gap below the last of them; and the same sideways.
    chrome: f64,
    sides: f64,
    /// Narrowest tile with its gap, and its height with its gap.
    tile: f64,
    row: f64,
}

const fn dots(pitch: usize) -> Sizes {
    Sizes {
        level: Level::Dot,
        node: 88.0,
        gap: 6.0,
        chrome: 70.0,
        sides: 15.0,
        tile: pitch as f64,
        row: pitch as f64,
    }
}

const SIZES: [Sizes; 7] = [
    Sizes { level: Level::Full, node: 208.0, gap: 12.0, chrome: 92.0, sides: 25.0, tile: 94.0, row: 49.0 },
    Sizes { level: Level::Line, node: 208.0, gap: 12.0, chrome: 94.0, sides: 25.0, tile: 105.0, row: 30.0 },
    Sizes { level: Level::Compact, node: 160.0, gap: 12.0, chrome: 94.0, sides: 25.0, tile: 54.0, row: 31.0 },
    Sizes { level: Level::Cell, node: 112.0, gap: 8.0, chrome: 75.0, sides: 19.0, tile: 27.0, row: 27.0 },
    dots(18),
    dots(13),
    dots(9),
];

/// The drawing is for crowds: fewer pods than this keep tiles that can be pressed one by one, even if they must be scrolled.
const DOTS_FROM: usize = 60;
/// So many pods do not get an element each, whatever the room.
const ELEMENTS_MAX: usize = 400;
/// A roomier level must leave this share of the room free, or the next pod would take it back.
const SLACK: f64 = 0.9;
/// How long a level stands before a roomier one may follow, in milliseconds.
const REST_MS: f64 = 3000.0;

/// What is to be fitted into what.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// Nodes.
    pub nodes: usize,
    /// Pods on the fullest of them.
    pub most: usize,
    /// Pods on all of them.
    pub pods: usize,
    /// Width for the nodes in pixels.
    pub width: f64,
    /// Height for the nodes in pixels.
    pub height: f64,
}

impl Sizes {
    /// Nodes side by side.
    fn columns(&self, room: &Room) -> usize {
        let most = ((room.width + self.gap) / (self.node + self.gap)) as usize;
        // Three and one would be no row.
        if self.in_pairs(room, most) { 2 } else { most.clamp(1, room.nodes.max(1)) }
    }

    fn in_pairs(&self, room: &Room, columns: usize) -> bool {
        room.nodes == 4 && columns == 3 && self.level < Level::Cell
    }

    fn per_row(&self, room: &Room) -> usize {
        let columns = self.columns(room) as f64;
        let node = (room.width - (columns - 1.0) * self.gap) / columns - self.sides;
        // A tile's size has its gap in it, of which the last one has none.
        let gap = if self.level == Level::Dot { 0.0 } else { 5.0 };
        (((node + gap) / self.tile) as usize).max(1)
    }

    fn height(&self, room: &Room) -> f64 {
        let lines = room.nodes.div_ceil(self.columns(room)) as f64;
        let rows = room.most.div_ceil(self.per_row(room)) as f64;
        lines * (self.chrome + rows * self.row + self.gap) - self.gap
    }

    fn fits(&self, room: &Room, share: f64) -> bool {
        let may = self.level == Level::Dot || room.pods <= ELEMENTS_MAX;
        may && self.height(room) <= room.height * share
    }

    fn density(&self, room: &Room) -> Density {
        match self.level {
            Level::Dot => {
                let (pitch, per_row) = (self.tile as usize, self.per_row(room));
                Density { level: self.level, pitch, per_row, pairs: false }
            }
            level => {
                let pairs = room.nodes == 4 && self.columns(room) == 2 && level < Level::Cell;
                Density { level, pairs, ..Density::default() }
            }
        }
    }
}

impl Density {
    /// The density for a room. `rested_ms` is how long this one has stood.
    pub fn next(self, room: &Room, rested_ms: f64) -> Density {
        let most = if room.pods < DOTS_FROM { Level::Cell } else { Level::Dot };
        let usable = || SIZES.iter().filter(|sizes| sizes.level <= most);
        let pick =
            |share: f64| usable().find(|sizes| sizes.fits(room, share)).or_else(|| usable().next_back());
        let Some(best) = pick(1.0) else { return self };
        let is_roomier =
            best.level < self.level || (best.level == self.level && best.tile as usize > self.pitch);
        let chosen = match is_roomier {
            // As it is now, if only just; so what comes and goes at the edge changes nothing.
            true if rested_ms < REST_MS => usable().find(|sizes| self.is_of(sizes)),
            true => pick(SLACK).filter(|sizes| sizes.level <= self.level),
            false => Some(best),
        };
        let current = || usable().find(|sizes| self.is_of(sizes)).unwrap_or(best);
        chosen.unwrap_or_else(current).density(room)
    }

    fn is_of(self, sizes: &Sizes) -> bool {
        self.level == sizes.level && (self.level != Level::Dot || self.pitch == sizes.tile as usize)
    }

    /// The class of the nodes.
    pub fn class(self) -> &'static str {
        match self.level {
            Level::Full if self.pairs => "nodes pairs",
            Level::Full => "nodes",
            Level::Line if self.pairs => "nodes line pairs",
            Level::Line => "nodes line",
            Level::Compact => "nodes compact",
            Level::Cell => "nodes small",
            Level::Dot => "nodes small dense",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(nodes: usize, pods: usize, width: f64, height: f64) -> Room {
        Room { nodes, most: pods.div_ceil(nodes.max(1)), pods, width, height }
    }

    #[test]
    fn tiles_say_as_much_as_there_is_room_for() {
        let cases = [
            (room(3, 3, 776.0, 352.0), Level::Full),
            (room(3, 30, 776.0, 352.0), Level::Full),
            (room(3, 48, 776.0, 352.0), Level::Line),
            (room(3, 90, 776.0, 352.0), Level::Compact),
            (room(3, 200, 776.0, 352.0), Level::Cell),
            (room(20, 150, 776.0, 352.0), Level::Dot),
            (room(50, 1500, 776.0, 352.0), Level::Dot),
            (room(1, 1500, 776.0, 352.0), Level::Dot),
            // Too little room for anything: tiles are kept while they can be.
            (room(20, 40, 342.0, 100.0), Level::Cell),
            (room(0, 0, 776.0, 352.0), Level::Full),
            (Room::default(), Level::Full),
        ];
        for (room, level) in cases {
            assert_eq!(Density::default().next(&room, 0.0).level, level, "{room:?}");
        }
    }

    #[test]
    fn a_crowd_is_made_smaller_at_once_and_larger_after_a_rest() {
        let (few, many) = (room(3, 30, 776.0, 352.0), room(3, 36, 776.0, 352.0));
        let line = Density::default().next(&many, 0.0);
        assert_eq!(line.level, Level::Line);
        assert_eq!(line.next(&few, 9000.0).level, Level::Line, "it would fit, but only just");
        assert_eq!(line.next(&room(3, 9, 776.0, 352.0), 100.0).level, Level::Line, "not yet");
        assert_eq!(line.next(&room(3, 9, 776.0, 352.0), 9000.0).level, Level::Full);
    }

    #[test]
    fn marks_fill_the_width_of_a_node() {
        let dense = Density::default().next(&room(50, 1500, 776.0, 352.0), 0.0);
        assert_eq!((dense.pitch, dense.per_row), (9, 8));
        assert_eq!(dense.next(&room(50, 1500, 1256.0, 352.0), 0.0).per_row, 8);
    }
}
