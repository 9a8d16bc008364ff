//! Merging: which rows of a partition are one record.

use drugs_rs::quality::MergeReason;
use drugs_rs::schema::{Flag, Flags};
use drugs_rs::silver::merge::{Fate, HalfRow, Merger, RowKey};

fn row(id: u128, content: u64, journal: u64) -> RowKey {
    RowKey {
        id,
        content,
        journal,
        flags: Flags::default(),
        version: 0,
    }
}

fn fates(rows: Vec<RowKey>, halves: Vec<(usize, HalfRow)>) -> Vec<Fate> {
    let count = rows.len();
    let mut merger = Merger::default();
    merger.extend(rows, halves, []);
    let plan = merger.finish();
    (0..count).map(|number| plan.row(number).0).collect()
}

const SUPERSEDED: Fate = Fate::Merged(MergeReason::Superseded);
const IDENTICAL: Fate = Fate::Merged(MergeReason::Identical);
const HALF: Fate = Fate::Merged(MergeReason::HalfRow);

#[test]
fn equal_rows_merge_and_later_ones_win() {
    assert_eq!(
        fates(vec![row(1, 7, 7), row(2, 7, 7)], vec![]),
        [Fate::Keep, Fate::Keep],
        "two ids are two records"
    );
    assert_eq!(
        fates(vec![row(1, 7, 7), row(1, 7, 7)], vec![]),
        [Fate::Keep, IDENTICAL]
    );
    assert_eq!(
        fates(vec![row(1, 7, 7), row(1, 8, 7)], vec![]),
        [SUPERSEDED, Fate::Keep]
    );
    assert_eq!(
        fates(vec![row(1, 7, 7), row(1, 7, 8)], vec![]),
        [SUPERSEDED, Fate::Keep],
        "another journal is news"
    );
    assert_eq!(
        fates(vec![row(1, 7, 7), row(1, 8, 7), row(1, 7, 7)], vec![]),
        [SUPERSEDED, SUPERSEDED, Fate::Keep],
        "a record that changes back is news too"
    );
}

fn lacks_journal(place: u128) -> HalfRow {
    HalfRow { place, journal: None }
}

fn lacks_id(place: u128) -> HalfRow {
    HalfRow {
        place,
        journal: Some(("J".to_owned(), "j".to_owned())),
    }
}

#[test]
fn halves_pair_one_to_one() {
    let rows = vec![row(1, 7, 0), row(90, 7, 5)];
    assert_eq!(
        fates(rows.clone(), vec![(0, lacks_journal(3)), (1, lacks_id(3))]),
        [Fate::Complete(0), HALF]
    );
    assert_eq!(
        fates(rows.clone(), vec![(0, lacks_id(3)), (1, lacks_journal(3))]),
        [HALF, Fate::Complete(0)]
    );
    assert_eq!(
        fates(rows, vec![(0, lacks_journal(3)), (1, lacks_id(4))]),
        [Fate::Keep, Fate::Keep],
        "other title or date"
    );
    let rows = vec![row(1, 7, 0), row(90, 7, 5), row(2, 7, 0), row(91, 7, 6)];
    let halves = vec![
        (0, lacks_journal(3)),
        (1, lacks_id(3)),
        (2, lacks_journal(3)),
        (3, lacks_id(3)),
    ];
    assert_eq!(
        fates(rows, halves),
        [Fate::Complete(0), HALF, Fate::Complete(1), HALF],
        "in the order of the rows"
    );
}

#[test]
fn a_completed_row_meets_its_full_twin() {
    // 1 lacks the journal, 90 lends it; the third row is the whole record already.
    let rows = vec![row(1, 7, 0), row(90, 7, 5), row(1, 7, 5)];
    let mut merger = Merger::default();
    merger.extend(rows, vec![(0, lacks_journal(3)), (1, lacks_id(3))], []);
    let plan = merger.finish();
    assert_eq!(
        [plan.row(0).0, plan.row(1).0, plan.row(2).0],
        [Fate::Complete(0), HALF, IDENTICAL]
    );
    assert!(plan.row(0).1.contains(Flag::MergedHalves));
}

#[test]
fn a_lower_version_never_replaces_a_higher_one() {
    let versioned = |version, content| RowKey {
        version,
        ..row(1, content, 0)
    };
    let superseded = Fate::Merged(MergeReason::Superseded);
    assert_eq!(
        fates(vec![versioned(2, 10), versioned(1, 11)], vec![]),
        [Fate::Keep, superseded]
    );
    assert_eq!(
        fates(vec![versioned(1, 10), versioned(2, 11)], vec![]),
        [superseded, Fate::Keep]
    );
    assert_eq!(
        fates(vec![versioned(1, 10), versioned(1, 11)], vec![]),
        [superseded, Fate::Keep]
    );
}

#[test]
fn a_notice_of_deletion_takes_away_what_came_before_it_and_nothing_else() {
    let mut merger = Merger::default();
    let rows = vec![row(1, 1, 1), row(2, 2, 2), row(1, 3, 3)];
    merger.extend(rows, vec![], [(1, 1), (1, 9), (3, 2)]);
    merger.extend(vec![row(2, 4, 4), row(3, 5, 5)], vec![], [(2, 3)]);
    let plan = merger.finish();
    let deleted = Fate::Merged(MergeReason::Deleted);
    let fates: Vec<Fate> = (0..5).map(|number| plan.row(number).0).collect();
    // The second row of id 1 and that of id 2 came back behind the notice.
    assert_eq!(fates, [deleted, deleted, Fate::Keep, Fate::Keep, deleted]);
}
