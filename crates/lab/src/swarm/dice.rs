//! A small generator of its own, so that the schedule does not share draws with the simulation.

/// Dice that fall the same way for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        ((u128::from(mixed ^ (mixed >> 29)) * u128::from(bound)) >> 64) as u64
    }
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.roll(items.len() as u64) as usize)
    }
}
