//! Whether an id came a second time not long after the first: told in passing, in a fixed room, and never wrongly.

/// So many ids are remembered; a new one takes the place of one before.
const PLACES: usize = 1 << 10;

/// The ids that came last, each in the place that its own bits give it.
pub(crate) struct RepeatDetector {
    places: Box<[u128]>,
    again: bool,
}

impl Default for RepeatDetector {
    fn default() -> Self {
        Self {
            // No id's hash is 0 but by a chance that costs nothing but time.
            places: vec![0; PLACES].into(),
            again: false,
        }
    }
}

impl RepeatDetector {
    /// Takes the hash of the next id.
    pub(crate) fn add(&mut self, id: u128) {
        let place = &mut self.places[id as usize % PLACES];
        self.again |= *place == id;
        *place = id;
    }

    /// Whether one came again before another took its place.
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
        // The same place as 7, and not the same id.
        recent.add(7 + PLACES as u128);
        recent.add(7);
        assert!(!recent.again());
        recent.add(8);
        assert!(recent.again());
        recent.add(5000);
        assert!(recent.again(), "what was noticed stays so");
    }
}
