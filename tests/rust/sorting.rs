//! Sorting with any memory bound gives the same result as sorting in memory.

use drugs_rs::sorting::{Bound, SortField, SortRecord, Sorter};
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    text: Box<str>,
    number: u64,
}

impl SortRecord for Line {
    fn heap(&self) -> usize {
        self.text.len()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        self.text.write(bytes);
        self.number.write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            text: SortField::read(bytes)?,
            number: SortField::read(bytes)?,
        })
    }
}

fn sorted(lines: &[Line], bound: usize) -> (Vec<Line>, u64) {
    let scratch = tempfile::tempfile().unwrap();
    let mut sorter = Sorter::new(scratch.try_clone().unwrap(), Bound(bound));
    for line in lines {
        sorter.push(line.clone()).unwrap();
    }
    let sorted = sorter.finish().unwrap().map(Result::unwrap).collect();
    (sorted, scratch.metadata().unwrap().len())
}

proptest! {
    #[test]
    fn the_bound_changes_nothing(
        texts in prop::collection::vec("[a-c\u{e9}\u{1f600}]{0,3}", 0..60), bound in 0_usize..600
    ) {
        let lines: Vec<Line> = (0..).zip(&texts).map(|(number, text)| Line { text: (**text).into(), number }).collect();
        let mut expected = lines.clone();
        expected.sort();
        prop_assert_eq!(sorted(&lines, bound).0, expected);
    }
}

#[test]
fn what_fits_into_the_bound_is_never_written() {
    let lines: Vec<Line> = (0..1000)
        .map(|number| Line {
            text: "x".into(),
            number: 999 - number,
        })
        .collect();
    let (in_memory, nothing) = sorted(&lines, 1 << 20);
    let (on_disk, written) = sorted(&lines, 1 << 10);
    assert_eq!(nothing, 0);
    assert!(written > 0);
    assert_eq!(in_memory, on_disk);
}

#[test]
fn a_scratch_file_that_lost_its_end_is_an_error_and_not_a_shorter_table() {
    let scratch = tempfile::tempfile().unwrap();
    let mut sorter = Sorter::new(scratch.try_clone().unwrap(), Bound(0));
    for number in 0..50_000 {
        let text = "long enough to be read in several pieces".into();
        sorter.push(Line { text, number }).unwrap();
        if number == 10 {
            // The rest is one run, which is longer than what is read at once.
            break;
        }
    }
    scratch.set_len(100).unwrap();
    assert!(sorter.finish().is_err());
}
