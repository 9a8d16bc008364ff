//! The commit protocol: whole or not at all, whoever commits meanwhile.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use drugs_rs::error::Error;
use drugs_rs::storage::{LocalStorage, Sharing, Storage};

fn write(storage: &LocalStorage, units: &[&str], files: &[(&str, &str)]) -> Result<(), Error> {
    let units: Vec<String> = units.iter().map(|unit| (*unit).to_owned()).collect();
    let mut transaction = storage.begin(&units)?;
    for (path, text) in files {
        transaction.create(path)?.write_all(text.as_bytes()).unwrap();
    }
    transaction.commit(&[])
}

/// All files below a root with their texts, except those of the storage itself.
fn state(root: &Path) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                walk(root, &path, found);
            } else if name != ".lock" {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn one_unit_and_several_units_replace_just_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::create(folder.path().join("lake")).unwrap();
    let root = folder.path().join("lake");
    write(&storage, &["l/a/x"], &[("l/a/x/1", "one"), ("l/a/x/2", "two")]).unwrap();
    write(
        &storage,
        &["l/a/y", "l/b/f"],
        &[("l/a/y/1", "why"), ("l/b/f", "file")],
    )
    .unwrap();
    assert_eq!(
        state(&root),
        pairs(&[
            ("l/a/x/1", "one"),
            ("l/a/x/2", "two"),
            ("l/a/y/1", "why"),
            ("l/b/f", "file")
        ])
    );
    write(
        &storage,
        &["l/a/x", "l/a/y"],
        &[("l/a/x/3", "three"), ("l/a/y/1", "new")],
    )
    .unwrap();
    assert_eq!(
        state(&root),
        pairs(&[("l/a/x/3", "three"), ("l/a/y/1", "new"), ("l/b/f", "file")])
    );
    write(&storage, &["l/a/y", "l/b/f"], &[("l/a/y/1", "newer")]).unwrap();
    let expected = pairs(&[("l/a/x/3", "three"), ("l/a/y/1", "newer")]);
    assert_eq!(state(&root), expected, "a unit without files ends to exist");
    write(&storage, &["l/a/y", "m/f"], &[("m/f", "x")]).unwrap();
    let expected = pairs(&[("l/a/x/3", "three"), ("m/f", "x")]);
    assert_eq!(state(&root), expected, "units need no common folder");
    assert!(!root.join("l/a/y").exists());
    assert!(!root.join(".staging").exists(), "nothing is left behind");
}

#[test]
fn what_is_not_committed_never_was() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    let mut transaction = storage.begin(&["a".to_owned()]).unwrap();
    transaction.create("a/1").unwrap().write_all(b"half").unwrap();
    drop(transaction);
    assert!(!root.exists(), "a lake that got no content is not made");
    let mut transaction = storage.begin(&["a".to_owned()]).unwrap();
    assert!(
        transaction.create("b/1").is_err(),
        "outside of its units a transaction writes nothing"
    );
    assert!(transaction.create("ab").is_err());
}

#[test]
fn a_change_in_between_is_a_conflict_unless_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    let attempt = |mine: &str, other: &str| {
        fs::remove_dir_all(&root).ok();
        let before = storage.read("a/m").unwrap();
        let mut transaction = storage.begin(&["a".to_owned()]).unwrap();
        transaction
            .create("a/m")
            .unwrap()
            .write_all(mine.as_bytes())
            .unwrap();
        write(&storage, &["a"], &[("a/m", other)]).unwrap();
        (transaction.commit(&[("a/m".to_owned(), before)]), state(&root))
    };
    let (result, left) = attempt("mine", "theirs");
    assert!(matches!(result, Err(Error::Conflict { .. })), "{result:?}");
    assert_eq!(left, pairs(&[("a/m", "theirs")]));
    let (result, left) = attempt("same", "same");
    result.unwrap();
    assert_eq!(left, pairs(&[("a/m", "same")]));
}

/// `graph.write("graph.json")` and `generate` left the lock of a lake in any folder that they wrote to.
#[test]
fn a_folder_that_is_no_lake_keeps_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::existing(folder.path()).unwrap().plain();
    let names: Vec<String> = (0..6).map(|number| format!("{number}.json")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let storage = storage.clone();
            scope.spawn(move || {
                for turn in 0..40 {
                    storage.put(name, turn.to_string().as_bytes()).unwrap();
                    assert!(storage.list("").unwrap().contains(name));
                }
            });
        }
    });
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, names);
}

#[test]
fn reservations_exclude_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    let shared = storage.reserve("dt=1", Sharing::Shared).unwrap();
    let second = storage.reserve("dt=1", Sharing::Shared).unwrap();
    let refused = storage.reserve("dt=1", Sharing::Alone).unwrap_err().to_string();
    assert!(refused.contains("another run of dt=1"), "{refused}");
    drop(storage.reserve("dt=2", Sharing::Alone).unwrap());
    drop((shared, second));
    let alone = storage.reserve("dt=1", Sharing::Alone).unwrap();
    assert!(storage.reserve("dt=1", Sharing::Shared).is_err());
    drop(alone);
    assert!(!root.exists(), "nothing is left behind");
}

#[test]
fn a_reservation_outlives_the_transactions_of_its_run() {
    // The first transaction of a run once took the folder of reservations for that of a dead process and removed it, so
    // that a second run of the same date could start.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    let held = storage.reserve("dt=1", Sharing::Alone).unwrap();
    write(&storage, &["a"], &[("a", "x")]).unwrap();
    assert!(storage.reserve("dt=1", Sharing::Alone).is_err());
    drop(held);
    drop(storage.reserve("dt=1", Sharing::Alone).unwrap());
    assert!(!root.join(".staging").exists());
}

#[test]
fn what_a_dead_process_left_is_removed_and_what_a_living_one_holds_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    let held = storage.begin(&["a".to_owned()]).unwrap();
    let dead = root.join(".staging/999999-0");
    fs::create_dir_all(dead.join("new")).unwrap();
    fs::write(dead.join(".alive"), "").unwrap();
    fs::create_dir_all(root.join(".staging/999999-1")).unwrap();
    let living = fs::read_dir(root.join(".staging")).unwrap().count();
    assert_eq!(living, 3);
    write(&storage, &["b"], &[("b", "x")]).unwrap();
    assert_eq!(
        fs::read_dir(root.join(".staging")).unwrap().count(),
        1,
        "only the held one"
    );
    drop(held);
    assert!(!root.join(".staging").exists());
}

#[test]
fn refusals_name_the_path_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let message = LocalStorage::create(&file).unwrap_err().to_string();
    assert!(
        message.contains("file: cannot use as the output folder") && message.contains("choose another"),
        "{message}"
    );
    let message = LocalStorage::create(file.join("lake")).unwrap_err().to_string();
    assert!(message.contains("lake"), "{message}");
    let message = LocalStorage::existing(folder.path().join("none"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("none: not found"), "{message}");
}

#[test]
fn a_lake_of_many_partitions_is_exchanged_as_one_of_few() {
    // This many folders are made durable by one call for the whole file system instead of one call each.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    let mut transaction = storage.begin(&["l/t".to_owned()]).unwrap();
    for number in 0..300 {
        transaction
            .create(&format!("l/t/dt={number}/f"))
            .unwrap()
            .write_all(b"old")
            .unwrap();
    }
    transaction.commit(&[]).unwrap();
    write(
        &storage,
        &["l/t/dt=7", "l/r/dt=7"],
        &[("l/t/dt=7/f", "new"), ("l/r/dt=7/f", "new")],
    )
    .unwrap();
    let after = state(&root);
    assert_eq!(after.len(), 301);
    assert_eq!(after.iter().filter(|(_, text)| text == "new").count(), 2);
}

/// A lake with the journal of a process that was killed when it had put the first `renamed` of four units in place.
fn killed_in_its_commit(root: &Path, renamed: usize) -> LocalStorage {
    let storage = LocalStorage::create(root).unwrap();
    let old = [
        ("l/a/f", "old"),
        ("l/b", "old"),
        ("l/gone/f", "old"),
        ("l/stays", "old"),
    ];
    write(&storage, &["l"], &old).unwrap();
    let dead = root.join(".staging/999999-0");
    for (path, text) in [("l/a/f", "new"), ("l/b", "new"), ("m/new/f", "new")] {
        let path = dead.join("new").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(dead.join(".alive"), "").unwrap();
    let units = ["l/a", "l/b", "m/new/f", "l/gone"];
    let entries: Vec<_> = units
        .iter()
        .map(|unit| {
            let new = fs::metadata(dead.join("new").join(unit)).ok();
            serde_json::json!({"path": unit, "new": new.map(|new| (new.dev(), new.ino()))})
        })
        .collect();
    let journal = serde_json::json!({"staging": "999999-0", "units": entries});
    fs::write(root.join(".staging/commit"), journal.to_string()).unwrap();
    for unit in &units[..renamed] {
        let (new, target) = (dead.join("new").join(unit), root.join(unit));
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        if target.is_dir() {
            let away = dead.join("old").join(unit);
            fs::create_dir_all(away.parent().unwrap()).unwrap();
            fs::rename(&target, away).unwrap();
        }
        if new.exists() {
            fs::rename(new, target).unwrap();
        }
    }
    storage
}

#[test]
fn a_commit_that_was_killed_is_finished_by_whoever_opens_the_lake() {
    let new = pairs(&[
        ("l/a/f", "new"),
        ("l/b", "new"),
        ("l/stays", "old"),
        ("m/new/f", "new"),
    ]);
    for renamed in 0..=4 {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lake");
        let storage = killed_in_its_commit(&root, renamed);
        match renamed % 3 {
            0 => assert_eq!(storage.read("l/b").unwrap().unwrap(), b"new"),
            1 => assert_eq!(storage.list("l").unwrap(), ["a", "b", "stays"]),
            _ => write(&storage, &["l/stays"], &[("l/stays", "old")]).unwrap(),
        }
        assert!(!root.join(".staging/commit").exists());
        // The next transaction removes the empty folder.
        write(&storage, &["l/stays"], &[("l/stays", "old")]).unwrap();
        assert_eq!(state(&root), new, "{renamed}");
    }
}

#[test]
fn an_exchanged_folder_is_not_exchanged_again() {
    // The process was killed after the exchange: what it replaced lies where the new folder was.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = killed_in_its_commit(&root, 0);
    let (new, spare) = (root.join(".staging/999999-0/new/l/a"), root.join("spare"));
    fs::rename(root.join("l/a"), &spare).unwrap();
    fs::rename(&new, root.join("l/a")).unwrap();
    fs::rename(&spare, &new).unwrap();
    assert_eq!(storage.read("l/a/f").unwrap().unwrap(), b"new");
    assert_eq!(storage.read("l/b").unwrap().unwrap(), b"new");
}

#[test]
fn a_journal_that_leads_out_of_the_lake_changes_nothing() {
    let hostile = [
        r#"{"staging": "999999-0", "units": [{"path": "../victim", "new": null}]}"#,
        r#"{"staging": "../../999999-0", "units": [{"path": "l/b", "new": [1, 1]}]}"#,
        r#"{"staging": "999999-0", "units": [{"path": "link/b", "new": null}]}"#,
        "no journal",
    ];
    for text in hostile {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lake");
        let storage = killed_in_its_commit(&root, 0);
        fs::write(folder.path().join("victim"), "mine").unwrap();
        std::os::unix::fs::symlink(folder.path(), root.join("link")).unwrap();
        fs::write(root.join(".staging/commit"), text).unwrap();
        let error = storage.read("l/b").unwrap_err().to_string();
        assert!(error.contains(".staging/commit"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("victim")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(root.join("l/b")).unwrap(), "old");
    }
}

#[test]
fn what_a_killed_commit_replaces_is_moved_nowhere_else() {
    // The folder of the old state is a link: a folder of the lake would replace one of the user's.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = killed_in_its_commit(&root, 0);
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    std::os::unix::fs::symlink(&mine, root.join(".staging/999999-0/old")).unwrap();
    let error = storage.read("l/b").unwrap_err().to_string();
    assert!(error.contains("a symbolic link where"), "{error}");
    assert_eq!(mine.read_dir().unwrap().count(), 0);
    assert_eq!(fs::read_to_string(root.join("l/gone/f")).unwrap(), "old");
}

#[test]
fn a_commit_is_finished_where_a_rename_changes_the_inode() {
    // As on some network mounts: the file is in place, and the journal has another inode of it.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = killed_in_its_commit(&root, 3);
    fs::write(root.join("copy"), "new").unwrap();
    fs::rename(root.join("copy"), root.join("l/b")).unwrap();
    assert_eq!(storage.read("l/b").unwrap().unwrap(), b"new");
    assert!(!root.join(".staging/commit").exists() && !root.join("l/gone").exists());
}

#[test]
fn a_commit_touches_the_changed_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    write(
        &storage,
        &["l"],
        &[("l/a/f", "old"), ("l/b/f", "old"), ("l/c/f", "old")],
    )
    .unwrap();
    let inode = |path: &str| fs::metadata(root.join(path)).unwrap().ino();
    let before = (inode("l"), inode("l/a"), inode("l/c/f"));
    write(
        &storage,
        &["l/a/f", "l/b/f"],
        &[("l/a/f", "new"), ("l/b/f", "new")],
    )
    .unwrap();
    assert_eq!((inode("l"), inode("l/a"), inode("l/c/f")), before);
}

#[test]
fn transactions_that_come_and_go_do_not_trip_each_other() {
    // The last transaction removes the empty staging folder just when the next one creates its own in it.
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::create(folder.path().join("lake")).unwrap();
    write(&storage, &["kept"], &[("kept", "x")]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let storage = &storage;
            scope.spawn(move || {
                for round in 0..200 {
                    drop(storage.begin(&["a".to_owned()]).unwrap());
                    drop(storage.reserve(&format!("t{thread}"), Sharing::Alone).unwrap());
                    drop(storage.reserve("all", Sharing::Shared).unwrap());
                    if round % 10 == 0 {
                        storage.put(&format!("r{thread}"), b"x").unwrap();
                    }
                }
            });
        }
    });
}

/// A user's folder survives an interrupted write. The root of a lake that never got any content is removed.
#[test]
fn a_folder_that_stood_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mine");
    fs::create_dir(&root).unwrap();
    let storage = LocalStorage::existing(&root).unwrap();
    drop(storage.begin(&["made".to_owned()]).unwrap());
    assert_eq!(root.read_dir().unwrap().count(), 0);
    let storage = LocalStorage::create(&root).unwrap();
    drop(storage.begin(&["made".to_owned()]).unwrap());
    assert!(!root.exists());
}

#[test]
fn a_scratch_file_becomes_a_file_of_the_new_state() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let storage = LocalStorage::create(&root).unwrap();
    write(&storage, &["l/a"], &[("l/a/file", "old")]).unwrap();
    let draft = |storage: &LocalStorage| {
        let mut transaction = storage.begin(&["l/a".to_owned()]).unwrap();
        let mut scratch = transaction.scratch("draft").unwrap();
        scratch.write_all(b"new").unwrap();
        transaction.write_back(&scratch);
        (transaction, scratch)
    };
    let (mut transaction, scratch) = draft(&storage);
    assert!(
        transaction.adopt("draft", scratch, "l/b/file", 3, "").is_err(),
        "outside of its units a transaction writes nothing"
    );
    drop(transaction);
    let (mut transaction, scratch) = draft(&storage);
    transaction.adopt("draft", scratch, "l/a/file", 3, "").unwrap();
    drop(transaction);
    assert_eq!(state(&root), pairs(&[("l/a/file", "old")]), "not committed");
    let (mut transaction, scratch) = draft(&storage);
    transaction.adopt("draft", scratch, "l/a/file", 3, "").unwrap();
    transaction.commit(&[]).unwrap();
    assert_eq!(state(&root), pairs(&[("l/a/file", "new")]));
    // A scratch file that was not adopted is removed with its transaction.
    let (transaction, _scratch) = draft(&storage);
    transaction.commit(&[]).unwrap();
    assert_eq!(state(&root), []);
}
