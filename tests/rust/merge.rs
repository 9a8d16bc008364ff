//! Merging: which rows of a partition are one record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use drugs_rs::quality::MergeReason;
use drugs_rs::schema::{Flag, Flags};
use drugs_rs::silver::merge::{Fate, HalfRow, Merger, RowKey};
use drugs_rs::sorting::Bound;
use polars::prelude::{DataFrame, IntoColumn, ListBuilderTrait, ListStringChunkedBuilder, NamedFrom, Series};
use proptest::prelude::*;

fn row(id: u128, content: u64, journal: u64) -> RowKey {
    RowKey {
        id,
        content,
        journal,
        flags: Flags::default(),
        version: 0,
    }
}

/// The fate of a row, readable.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Keep,
    Complete(String),
    Merged(MergeReason),
    Dropped,
}
use Outcome::{Complete, Dropped, Keep, Merged};

/// A file of a partition.
#[derive(Debug, Clone, Default)]
struct File {
    rows: Vec<(RowKey, Option<HalfRow>)>,
    /// The number of rows before the notice, and the id.
    deletions: Vec<(usize, u128)>,
    bad: bool,
}

fn file(rows: &[RowKey]) -> File {
    File {
        rows: rows.iter().map(|row| (*row, None)).collect(),
        ..File::default()
    }
}

fn merged(files: &[File], bound: usize) -> Vec<(Outcome, Flags)> {
    let mut merger = Merger::new(Bound(bound), || Ok(tempfile::tempfile().unwrap())).unwrap();
    for (number, file) in (0..).zip(files) {
        // In two batches, to test that numbers within a batch start at the right row.
        let middle = file.rows.len() / 2;
        for (start, end, is_last) in [(0, middle, false), (middle, file.rows.len(), true)] {
            let part = &file.rows[start..end];
            let keys: Vec<RowKey> = part.iter().map(|(key, _)| *key).collect();
            let halves = part
                .iter()
                .enumerate()
                .filter_map(|(row, (_, half))| Some((row, half.clone()?)))
                .collect();
            let deletions = file
                .deletions
                .iter()
                .filter(|(behind, _)| (*behind >= middle) == is_last);
            let deletions = deletions.map(|(behind, id)| (behind - start, *id));
            merger.extend(number, &keys, halves, deletions).unwrap();
        }
        if file.bad {
            merger.drop_file(number);
        }
    }
    let mut plan = merger.finish().unwrap();
    let keys: Vec<RowKey> = files
        .iter()
        .flat_map(|file| file.rows.iter().map(|(key, _)| *key))
        .collect();
    let mut outcomes = Vec::new();
    for (start, part) in (0..).step_by(3).zip(keys.chunks(3)) {
        let mut of_part: Vec<(Outcome, Flags)> = part.iter().map(|key| (Dropped, key.flags)).collect();
        let mut merged_rows = BTreeMap::new();
        let fates = plan
            .next(part.len() as u64, |change| {
                assert_eq!(change.counted, keys[change.row as usize].flags);
                merged_rows.insert(change.row, change.fate.clone());
            })
            .unwrap();
        let frame = fates.apply(frame(start, part)).unwrap();
        assert_eq!(fates.all_go(), frame.height() == 0);
        assert_eq!(
            fates.all_stay(),
            frame.height() == part.len() && merged_rows.is_empty()
        );
        let rows: Vec<u64> = frame
            .column("row")
            .unwrap()
            .u64()
            .unwrap()
            .into_no_null_iter()
            .collect();
        let journals = frame.column("journal").unwrap().str().unwrap().clone();
        let flags = frame.column("flags").unwrap().list().unwrap().clone();
        for (place, row) in rows.into_iter().enumerate() {
            let names = flags.get_as_series(place).unwrap();
            let set = names
                .str()
                .unwrap()
                .iter()
                .flatten()
                .filter_map(Flag::from_name)
                .collect();
            let outcome = match merged_rows.get(&row) {
                None => Keep,
                Some(Fate::Complete(journal)) => {
                    assert_eq!(journals.get(place), Some(&*journal.0));
                    Complete(journal.0.clone())
                }
                Some(other) => panic!("row {row} stays and is {other:?}"),
            };
            of_part[(row - start) as usize] = (outcome, set);
        }
        for (row, fate) in merged_rows {
            if let Fate::Merged(reason) = fate {
                let place = &mut of_part[(row - start) as usize];
                assert_eq!(place.0, Dropped);
                place.0 = Merged(reason);
            }
        }
        outcomes.extend(of_part);
    }
    outcomes
}

/// Rows as a frame, with their numbers.
fn frame(first: u64, keys: &[RowKey]) -> DataFrame {
    let mut flags = ListStringChunkedBuilder::new("flags".into(), keys.len(), 0);
    keys.iter()
        .for_each(|key| flags.append_values_iter(key.flags.iter().map(Flag::name)));
    let rows: Vec<u64> = (first..).take(keys.len()).collect();
    let journals = vec![None::<&str>; keys.len()];
    DataFrame::new(
        keys.len(),
        vec![
            Series::new("row".into(), rows).into_column(),
            Series::new("journal".into(), &journals).into_column(),
            Series::new("journal_key".into(), &journals).into_column(),
            flags.finish().into_column(),
        ],
    )
    .unwrap()
}

fn outcomes(files: &[File]) -> Vec<Outcome> {
    let found = merged(files, 1 << 20);
    assert_eq!(found, merged(files, 0), "memory changes nothing");
    found.into_iter().map(|(outcome, _)| outcome).collect()
}

const SUPERSEDED: Outcome = Merged(MergeReason::Superseded);
const IDENTICAL: Outcome = Merged(MergeReason::Identical);
const HALF: Outcome = Merged(MergeReason::HalfRow);
const DELETED: Outcome = Merged(MergeReason::Deleted);

#[test]
fn equal_rows_merge_and_later_ones_win() {
    let cases = [
        (
            vec![row(1, 7, 7), row(2, 7, 7)],
            vec![Keep, Keep],
            "two ids are two records",
        ),
        (vec![row(1, 7, 7), row(1, 7, 7)], vec![Keep, IDENTICAL], ""),
        (vec![row(1, 7, 7), row(1, 8, 7)], vec![SUPERSEDED, Keep], ""),
        (
            vec![row(1, 7, 7), row(1, 7, 8)],
            vec![SUPERSEDED, Keep],
            "another journal is news",
        ),
        (
            vec![row(1, 7, 7), row(1, 8, 7), row(1, 7, 7)],
            vec![SUPERSEDED, SUPERSEDED, Keep],
            "a record that changes back is news too",
        ),
    ];
    for (rows, expected, reason) in cases {
        assert_eq!(outcomes(&[file(&rows)]), expected, "{reason}");
        // With each row in a file of its own.
        let files: Vec<File> = rows.iter().map(|row| file(&[*row])).collect();
        assert_eq!(outcomes(&files), expected, "{reason}");
    }
}

fn lacks_journal(place: u128) -> Option<HalfRow> {
    Some(HalfRow { place, journal: None })
}

fn lacks_id(place: u128, journal: &str) -> Option<HalfRow> {
    Some(HalfRow {
        place,
        journal: Some((journal.to_owned(), journal.to_lowercase())),
    })
}

#[test]
fn halves_pair_one_to_one() {
    let of = |rows: &[(RowKey, Option<HalfRow>)]| {
        outcomes(&[File {
            rows: rows.to_vec(),
            ..File::default()
        }])
    };
    let (whole, lender) = (row(1, 7, 0), row(90, 7, 5));
    let given = || Complete("J".to_owned());
    assert_eq!(
        of(&[(whole, lacks_journal(3)), (lender, lacks_id(3, "J"))]),
        [given(), HALF]
    );
    assert_eq!(
        of(&[(lender, lacks_id(3, "J")), (whole, lacks_journal(3))]),
        [HALF, given()]
    );
    assert_eq!(
        of(&[(whole, lacks_journal(3)), (lender, lacks_id(4, "J"))]),
        [Keep, Keep],
        "other title or date"
    );
    assert_eq!(
        of(&[
            (whole, lacks_journal(3)),
            (lender, lacks_id(3, "Z")),
            (row(2, 7, 0), lacks_journal(3)),
            (row(91, 7, 6), lacks_id(3, "A")),
        ]),
        [Complete("Z".to_owned()), HALF, Complete("A".to_owned()), HALF],
        "in the order of the rows, not of the journals"
    );
}

/// A half row that was delivered twice lost the journal, because the later row of its id won; or it stayed beside its
/// pair.
#[test]
fn halves_that_come_again_are_the_same_halves() {
    let whole = (row(1, 7, 0), lacks_journal(3));
    let lender = (row(90, 7, 5), lacks_id(3, "J"));
    let other = (row(2, 7, 0), lacks_journal(3));
    let given = || Complete("J".to_owned());
    let of = |rows: &[(RowKey, Option<HalfRow>)]| File {
        rows: rows.to_vec(),
        ..File::default()
    };
    for (rows, expected) in [
        (vec![&whole, &whole, &lender], vec![given(), IDENTICAL, HALF]),
        (vec![&whole, &lender, &whole], vec![given(), HALF, IDENTICAL]),
        (vec![&whole, &lender, &lender], vec![given(), HALF, HALF]),
        // The second lender belongs to the other record, and not to the first one again.
        (
            vec![&whole, &whole, &other, &lender, &lender],
            vec![given(), IDENTICAL, given(), HALF, HALF],
        ),
    ] {
        let rows: Vec<_> = rows.into_iter().cloned().collect();
        assert_eq!(outcomes(&[of(&rows)]), expected);
    }
    // Another file has only the half, after the pair or before it.
    let pair = of(&[whole.clone(), lender]);
    let again = of(&[(row(1, 7, 0), lacks_journal(30))]);
    assert_eq!(
        outcomes(&[pair.clone(), again.clone()]),
        [given(), HALF, IDENTICAL]
    );
    assert_eq!(outcomes(&[again, pair]), [IDENTICAL, given(), HALF]);
}

#[test]
fn a_completed_row_meets_its_full_twin() {
    // 1 lacks the journal, 90 lends it; the third row is the whole record already.
    let rows = vec![
        (row(1, 7, 0), lacks_journal(3)),
        (row(90, 7, 5), lacks_id(3, "J")),
        (row(1, 7, 5), None),
    ];
    let found = merged(
        &[File {
            rows,
            ..File::default()
        }],
        0,
    );
    assert_eq!(found[0].0, Complete("J".to_owned()));
    assert_eq!((&found[1].0, &found[2].0), (&HALF, &IDENTICAL));
    assert!(found[0].1.contains(Flag::MergedHalves));
}

#[test]
fn a_lower_version_never_replaces_a_higher_one() {
    let versioned = |version, content| RowKey {
        version,
        ..row(1, content, 0)
    };
    for (first, second, expected) in [
        (versioned(2, 10), versioned(1, 11), [Keep, SUPERSEDED]),
        (versioned(1, 10), versioned(2, 11), [SUPERSEDED, Keep]),
        (versioned(1, 10), versioned(1, 11), [SUPERSEDED, Keep]),
    ] {
        assert_eq!(outcomes(&[file(&[first, second])]), expected);
    }
}

#[test]
fn a_notice_of_deletion_takes_away_what_came_before_it_and_nothing_else() {
    let first = File {
        deletions: vec![(1, 1), (1, 9), (3, 2)],
        ..file(&[row(1, 1, 1), row(2, 2, 2), row(1, 3, 3)])
    };
    let second = File {
        deletions: vec![(2, 3)],
        ..file(&[row(2, 4, 4), row(3, 5, 5)])
    };
    // The second row of id 1 and that of id 2 came back after the notice.
    assert_eq!(
        outcomes(&[first, second]),
        [DELETED, DELETED, Keep, Keep, DELETED]
    );
}

/// PubMed's update files end with their notices. A bad file after one dropped them together with its own.
#[test]
fn a_bad_file_takes_back_its_own_notices_and_not_those_at_the_end_of_the_file_before() {
    let first = File {
        deletions: vec![(2, 1)],
        ..file(&[row(1, 1, 1), row(2, 2, 2)])
    };
    let bad = File {
        deletions: vec![(0, 2), (1, 2)],
        bad: true,
        ..file(&[row(2, 3, 3)])
    };
    let third = file(&[row(3, 3, 3)]);
    assert_eq!(outcomes(&[first, bad, third]), [DELETED, Keep, Dropped, Keep]);
}

/// The rules applied row by row, with everything in memory.
fn by_the_letter(files: &[File]) -> Vec<(Outcome, Flags)> {
    let mut all = Vec::new();
    for (number, file) in files.iter().enumerate() {
        for (key, half) in &file.rows {
            all.push((number, *key, half.clone(), if file.bad { Dropped } else { Keep }));
        }
    }
    let own: Vec<u64> = all.iter().map(|(_, key, ..)| key.journal).collect();
    // A place belongs to one file, as its hash does; several rows with one id are one record there.
    let mut without: BTreeMap<(usize, u128), VecDeque<Vec<usize>>> = BTreeMap::new();
    let mut given: BTreeSet<(usize, u128, u64)> = BTreeSet::new();
    for (place, (file, key, half, outcome)) in all.iter().enumerate() {
        if let (
            Some(HalfRow {
                place: at,
                journal: None,
            }),
            Keep,
        ) = (half, outcome)
        {
            let records = without.entry((*file, *at)).or_default();
            match records.iter_mut().find(|rows| all[rows[0]].1.id == key.id) {
                Some(rows) => rows.push(place),
                None => records.push_back(vec![place]),
            }
        }
    }
    for place in 0..all.len() {
        let (file, key, half, outcome) = all[place].clone();
        let Some(HalfRow {
            place: at,
            journal: Some((journal, _)),
        }) = half
        else {
            continue;
        };
        if outcome == Dropped {
            continue;
        }
        let record = without.get_mut(&(file, at)).and_then(VecDeque::pop_front);
        if record.is_some() || given.contains(&(file, at, key.journal)) {
            all[place].3 = HALF;
        }
        for other in record.into_iter().flatten() {
            given.insert((file, at, key.journal));
            all[other].3 = Complete(journal.clone());
            all[other].1.journal = key.journal;
            all[other].1.flags.remove(Flag::MissingJournal);
            all[other].1.flags.insert(Flag::MergedHalves);
        }
    }
    let ids: BTreeSet<u128> = all.iter().map(|(_, key, ..)| key.id).collect();
    for id in ids {
        let mut last: Option<usize> = None;
        let mut base = 0;
        for file in files {
            for row in 0..=file.rows.len() {
                let notices = file
                    .deletions
                    .iter()
                    .filter(|(behind, its)| *behind == row && *its == id);
                if !file.bad
                    && notices.count() > 0
                    && let Some(last) = last.take()
                {
                    all[last].3 = DELETED;
                }
                let place = base + row;
                if row == file.rows.len() || all[place].1.id != id || [HALF, Dropped].contains(&all[place].3)
                {
                    continue;
                }
                let Some(before) = last else {
                    last = Some(place);
                    continue;
                };
                let (earlier, later) = (all[before].1, all[place].1);
                let lent = |place: usize| matches!(all[place].3, Complete(_));
                let same_journal = earlier.journal == later.journal
                    || (own[before] == own[place] && lent(before) != lent(place));
                if earlier.content == later.content && same_journal {
                    // The one that got a journal from another row stays.
                    let (stays, goes) = if lent(place) && !lent(before) {
                        (place, before)
                    } else {
                        (before, place)
                    };
                    all[goes].3 = IDENTICAL;
                    // The higher version of two equal rows was once forgotten, and a lower one replaced it.
                    all[stays].1.version = earlier.version.max(later.version);
                    last = Some(stays);
                } else if later.version < earlier.version {
                    all[place].3 = SUPERSEDED;
                } else {
                    all[before].3 = SUPERSEDED;
                    last = Some(place);
                }
            }
            base += file.rows.len();
        }
    }
    all.into_iter()
        .map(|(_, key, _, outcome)| (outcome, key.flags))
        .collect()
}

fn a_row() -> impl Strategy<Value = (RowKey, Option<HalfRow>)> {
    (0_u128..5, 0_u64..3, 0_u64..3, 0_u32..3, 0_u8..4, any::<bool>()).prop_map(
        |(id, content, journal, version, half, bad_date)| {
            let mut flags = Flags::default();
            if bad_date {
                flags.insert(Flag::BadDate);
            }
            let half = match half {
                0 => lacks_journal(u128::from(content)),
                1 => lacks_id(u128::from(content), ["A", "B", "C"][journal as usize]),
                _ => None,
            };
            let key = RowKey {
                id,
                content,
                journal,
                flags,
                version,
            };
            (key, half)
        },
    )
}

fn a_file() -> impl Strategy<Value = File> {
    (
        prop::collection::vec(a_row(), 0..8),
        prop::collection::vec((0_usize..8, 0_u128..5), 0..3),
        0_u8..5,
    )
        .prop_map(|(rows, deletions, bad)| {
            let mut deletions: Vec<_> = deletions
                .into_iter()
                .map(|(behind, id)| (behind.min(rows.len()), id))
                .collect();
            deletions.sort_unstable();
            File {
                rows,
                deletions,
                bad: bad == 0,
            }
        })
}

proptest! {
    #[test]
    fn merging_follows_its_rules_whatever_memory_it_has(
        files in prop::collection::vec(a_file(), 0..5), bound in prop::sample::select(vec![0_usize, 300, 1 << 20])
    ) {
        let mut files = files;
        // Half rows pair within one file: its number is part of the place.
        for (number, file) in (0_u128..).zip(&mut files) {
            for (_, half) in &mut file.rows {
                if let Some(half) = half {
                    half.place += number * 10;
                }
            }
        }
        // Dropped rows report no flags.
        let of = |outcomes: Vec<(Outcome, Flags)>| -> Vec<_> {
            outcomes
                .into_iter()
                .map(|(outcome, flags)| match outcome {
                    Dropped | Merged(_) => (outcome, Flags::default()),
                    _ => (outcome, flags),
                })
                .collect()
        };
        prop_assert_eq!(of(merged(&files, bound)), of(by_the_letter(&files)));
    }
}
