//! Finding the measure from which on something changes: doubling, then bisection.

/// The reciprocal of the precision: the bracket is at most a twentieth of its upper end, 5 %.
pub const PRECISION: u64 = 20;

/// A search for the least measure that is not kept. It does nothing itself: it names a measure and is told what came of it.
///
/// It takes for granted that whatever is kept at one measure is kept at the smaller ones. Where that is not so, what it
/// finds is a change all the same, if not the first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Search {
    start: u64,
    ceiling: u64,
    kept: Option<u64>,
    broken: Option<u64>,
}

impl Search {
    /// A search that begins with a small measure and goes no further than the ceiling.
    #[must_use]
    pub fn new(start: u64, ceiling: u64) -> Self {
        Self { start: start.clamp(1, ceiling.max(1)), ceiling: ceiling.max(1), kept: None, broken: None }
    }

    /// A search above a measure that is known to be kept.
    #[must_use]
    pub fn above(kept: u64, ceiling: u64) -> Self {
        Self { kept: Some(kept), ..Self::new(kept, ceiling.max(kept)) }
    }

    /// The measure to try now; none once there is nothing more to learn.
    #[must_use]
    pub fn measure(&self) -> Option<u64> {
        match (self.kept, self.broken) {
            (None, None) => Some(self.start),
            (None, Some(_)) => None,
            (Some(kept), None) => (kept < self.ceiling).then(|| kept.max(1).saturating_mul(2).min(self.ceiling)),
            (Some(kept), Some(broken)) => {
                let gap = broken.saturating_sub(kept);
                (gap > 1 && gap.saturating_mul(PRECISION) > broken).then_some(kept + gap / 2)
            }
        }
    }

    /// Learns whether the measure was kept that [`Search::measure`] named.
    pub fn tell(&mut self, kept: bool) {
        let Some(measure) = self.measure() else { return };
        let place = if kept { &mut self.kept } else { &mut self.broken };
        *place = Some(measure);
    }

    /// The largest measure that was kept.
    #[must_use]
    pub fn kept(&self) -> Option<u64> {
        self.kept
    }

    /// The smallest measure that was not.
    #[must_use]
    pub fn broken(&self) -> Option<u64> {
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches for a threshold, and gives how many probes that took.
    fn find(mut search: Search, threshold: u64) -> (Search, u32) {
        let mut probes = 0;
        while let Some(measure) = search.measure() {
            search.tell(measure < threshold);
            probes += 1;
        }
        (search, probes)
    }

    proptest! {
        #[test]
        fn any_threshold_is_found_within_the_precision(
            start in 1_u64..5000,
            ceiling in 1_u64..1 << 40,
            threshold in prop_oneof![0_u64..200, 0_u64..1 << 42],
        ) {
            let (search, probes) = find(Search::new(start, ceiling), threshold);
            match (search.kept(), search.broken()) {
                (Some(kept), Some(broken)) => {
                    prop_assert!(kept < threshold && threshold <= broken && broken <= ceiling);
                    prop_assert!(broken - kept <= 1 || (broken - kept) * PRECISION <= broken);
                }
                (Some(kept), None) => prop_assert!(kept == ceiling && ceiling < threshold),
                (None, broken) => prop_assert!(broken == Some(start.min(ceiling)) && threshold <= start),
            }
            prop_assert!(probes <= 50, "{} probes", probes);
        }

        #[test]
        fn a_search_above_a_measure_never_goes_below_it(kept in 1_u64..1 << 30, threshold in 1_u64..1 << 40) {
            let ceiling = 1 << 35;
            let (search, _) = find(Search::above(kept, ceiling), threshold.max(kept + 1));
            prop_assert!(search.kept().is_some_and(|found| found >= kept));
            prop_assert!(search.broken().is_none_or(|broken| broken >= threshold.max(kept + 1)));
        }
    }

    #[test]
    fn the_ends_of_the_range_of_numbers_are_no_trap() {
        let (search, _) = find(Search::new(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(search.broken(), Some(u64::MAX));
        let (search, _) = find(Search::new(0, 0), 5);
        assert_eq!((search.kept(), search.broken()), (Some(1), None));
        let (search, _) = find(Search::new(1, u64::MAX), u64::MAX);
        assert!(search.kept().is_some());
    }
}
