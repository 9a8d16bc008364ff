//! Detects an id that repeats soon after its first occurrence: fast and in constant memory. It may miss a repeat, but
//! never reports a false one.

/// The number of ids that are remembered; a new one replaces the one in its place.
const PLACES: usize = 1 << 10;

/// The latest ids, each in the place that its own bits select.
pub(crate) struct RepeatDetector {
    places: Box<[u128]>,
    again: bool,
}

impl Default for RepeatDetector {
    fn default() -> Self {
        Self {
            // An id whose hash is 0 is extremely unlikely, and would only cost time.
            places: vec![0; PLACES].into(),
            again: false,
        }
    }
}

impl RepeatDetector {
    /// Adds the hash of the next id.
    pub(crate) fn add(&mut self, id: u128) {
        let place = &mut self.places[id as usize % PLACES];
        self.again |= *place == id;
        *place = id;
    }

    /// Whether an id repeated before another one took its place.
    pub(crate) fn again(&self) -> bool {
        self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_comes_again_is_noticed_unless_another_took_its_place() {
        let mut recent = RepeatDetector::default();
        (1..1000).for_each(|id| recent.add(id));
        assert!(!recent.again());
        // The same place as 7, but another id.
        recent.add(7 + PLACES as u128);
        recent.add(7);
        assert!(!recent.again());
        recent.add(8);
        assert!(recent.again());
        recent.add(5000);
        assert!(recent.again(), "what was noticed stays so");
    }
}
