//! Holding and releasing dates while others commit.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use drugs_rs::error::{Error, Result};
use drugs_rs::gold::mentions::SearchSettings;
use drugs_rs::lake::holds::{hold, release};
use drugs_rs::lake::open_lake;
use drugs_rs::schema::{SearchedField, SearchedFields};
use drugs_rs::steps::gold;
use drugs_rs::storage::{Reservation, Sharing, Storage, Transaction};
use drugs_rs::task::Task;

use super::{DAYS, Deliveries, Lake, dt, held};

/// A lake that is changed whenever a transaction begins: between a step's reads and its commit.
struct Meddled<'m> {
    storage: &'m dyn Storage,
    meddle: &'m (dyn Fn(usize) + Sync),
    begun: AtomicUsize,
}

impl Storage for Meddled<'_> {
    fn root(&self) -> String {
        self.storage.root()
    }

    fn uri(&self, path: &str) -> Result<String> {
        self.storage.uri(path)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.storage.read(path)
    }

    fn size(&self, path: &str) -> Result<Option<u64>> {
        self.storage.size(path)
    }

    fn open_file(&self, path: &str) -> Result<fs::File> {
        self.storage.open_file(path)
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        self.storage.list(path)
    }

    fn begin(&self, units: &[String]) -> Result<Box<dyn Transaction>> {
        let transaction = self.storage.begin(units);
        (self.meddle)(self.begun.fetch_add(1, Ordering::Relaxed));
        transaction
    }

    fn reserve(&self, name: &str, sharing: Sharing) -> Result<Reservation> {
        self.storage.reserve(name, sharing)
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.storage.put(path, bytes)
    }
}

/// Gold with one handle on a lake, while another handle holds and releases dates.
fn check_meddling(
    lake: &Lake<'_>,
    somebody: impl Fn() -> Box<dyn Storage> + Sync,
    [without, with]: [&BTreeMap<String, String>; 2],
) {
    let change = |holds: bool| {
        let (storage, day) = (somebody(), dt(DAYS[1]));
        if holds {
            hold(storage.as_ref(), day, "too poor", &Task::new()).unwrap();
        } else {
            release(storage.as_ref(), day, &Task::new()).unwrap();
        }
    };
    // With abstracts, of which there are none, gold has work to do each time and the same result.
    let gold_while = |abstracts: bool, meddle: &(dyn Fn(usize) + Sync)| {
        let storage = Meddled {
            storage: lake.storage.as_ref(),
            meddle,
            begun: AtomicUsize::new(0),
        };
        let settings = gold::GoldSettings {
            search: SearchSettings {
                fields: match abstracts {
                    true => SearchedFields::default().with(SearchedField::Abstract),
                    false => SearchedFields::default(),
                },
                ..Default::default()
            },
            ..Default::default()
        };
        gold::gold(&storage, dt(DAYS[3]), &settings, &Task::new())
    };
    let published = || {
        let mut files = lake.published();
        files.remove("gold/_manifest.json");
        files
    };
    let report = gold_while(false, &|begun| {
        if begun == 0 {
            change(true);
        }
    })
    .unwrap();
    assert_eq!(held(&report), [DAYS[1]]);
    assert_eq!(&published(), without, "held while gold was at work");
    let report = gold_while(true, &|begun| {
        if begun == 0 {
            change(false);
        }
    })
    .unwrap();
    assert!(held(&report).is_empty());
    assert_eq!(&published(), with, "released while gold was at work");
    // Somebody changes it on every attempt: nothing is written, and the error is the one that is worth a retry.
    let before = lake.published();
    let error = gold_while(false, &|begun| change(begun % 2 == 0)).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(
        error.to_string().contains("silver/held/dt=2020-01-02.json"),
        "{error}"
    );
    assert_eq!(lake.published(), before);
}

#[test]
fn who_holds_or_releases_while_gold_is_at_work_is_heard() {
    let deliveries = Deliveries::new();
    let (lake, other) = (deliveries.lake(), deliveries.lake());
    for day in [0, 2, 3] {
        other.deliver(day);
    }
    let published = || {
        other.gold(3);
        let mut files = other.published();
        files.remove("gold/_manifest.json");
        files
    };
    let without = published();
    other.deliver(1);
    let with = published();
    let wanted = [&without, &with];
    (0..4).for_each(|day| lake.deliver(day));
    let root = lake.storage.root();
    check_meddling(&lake, || open_lake(&root).unwrap(), wanted);
    #[cfg(feature = "cloud")]
    {
        let store = std::sync::Arc::default();
        let lake = deliveries.bucket(&store);
        (0..4).for_each(|day| lake.deliver(day));
        check_meddling(&lake, || deliveries.bucket(&store).storage, wanted);
    }
}

#[test]
fn holds_of_many_at_once_and_commits_of_silver_lose_none() {
    let deliveries = Deliveries::new();
    let lake = deliveries.lake();
    (0..4).for_each(|day| lake.deliver(day));
    for round in 0..5 {
        std::thread::scope(|scope| {
            for day in 0..4 {
                let lake = &lake;
                scope.spawn(move || lake.hold_for(day, &format!("reason {round}")).unwrap());
            }
            // Another delivery of a day: all of silver is exchanged.
            let path = deliveries.folder.path().join(DAYS[3]).join("drugs.csv");
            fs::write(&path, format!("atccode,drug\nV03AB,ETHANOL{round}\n")).unwrap();
            lake.deliver(3);
        });
        let report = lake.hold_for(0, &format!("reason {round}")).unwrap();
        assert!(report.unchanged);
        assert_eq!(held(&report), DAYS, "round {round}");
        // Two processes may release the same date.
        std::thread::scope(|scope| {
            for day in [0, 1, 2, 3, 0, 1] {
                let lake = &lake;
                scope.spawn(move || lake.release(day));
            }
        });
        assert!(held(&lake.release(0)).is_empty());
    }
}
