//! The commit protocol in a bucket: whole or not at all, whoever commits meanwhile and whichever answer is lost.
//!
//! The server is object_store's in-memory store, which enforces the conditions of puts; a wrapper adds a clock and
//! failures. Real protocols are tested in `tests/python/test_buckets.py`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use drugs_rs::error::Error;
use drugs_rs::storage::{BucketLake, SpecialPaths, Storage, Transaction, sha256_hex};
use drugs_rs::task::Task;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

const DAY: i64 = 24 * 60 * 60;

const PLACES: SpecialPaths = SpecialPaths {
    published: &["g/shown"],
    plain: &["reports"],
};

/// What happens to a put of the lake's state.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// It is executed, and its answer is lost.
    LoseAnswer,
    /// It never arrives.
    LoseRequest,
    /// It is refused.
    Deny,
}

/// A server with its own clock.
#[derive(Debug, Default)]
struct Server {
    memory: InMemory,
    now: AtomicI64,
    written: Mutex<BTreeMap<Path, i64>>,
    troubles: Mutex<VecDeque<Trouble>>,
    puts: AtomicUsize,
    /// The milliseconds that any other put takes.
    slowness: AtomicU64,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("server")
    }
}

impl Server {
    fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn trouble(&self, troubles: &[Trouble]) {
        self.troubles.lock().unwrap().extend(troubles);
    }

    fn dated(&self, mut meta: ObjectMeta) -> ObjectMeta {
        let written = self.written.lock().unwrap().get(&meta.location).copied();
        meta.last_modified = DateTime::from_timestamp(written.unwrap_or_default(), 0).unwrap();
        meta
    }

    fn names(&self) -> Vec<String> {
        let listed: Vec<ObjectMeta> = at_once(self.memory.list(None).try_collect()).unwrap();
        let mut names: Vec<String> = listed.iter().map(|object| object.location.to_string()).collect();
        names.sort();
        names
    }

    fn text(&self, name: &str) -> String {
        let bytes = at_once(async { self.memory.get(&Path::from(name)).await?.bytes().await });
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    }

    fn replace(&self, name: &str, text: &'static str) {
        at_once(self.memory.put(&Path::from(name), text.into())).unwrap();
    }

    fn remove(&self, name: &str) {
        at_once(self.memory.delete(&Path::from(name))).unwrap();
    }
}

/// The in-memory store always answers at once.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap()
}

fn generic(text: &'static str) -> object_store::Error {
    object_store::Error::Generic {
        store: "server",
        source: text.into(),
    }
}

#[async_trait]
impl ObjectStore for Server {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let is_state = location.filename() == Some("_lake.json");
        let trouble = if is_state {
            self.troubles.lock().unwrap().pop_front()
        } else {
            None
        };
        match trouble {
            Some(Trouble::LoseRequest) => return Err(generic("connection reset")),
            Some(Trouble::Deny) => {
                return Err(object_store::Error::PermissionDenied {
                    path: location.to_string(),
                    source: "Server returned non-2xx status code: 403 Forbidden: ".into(),
                });
            }
            _ => {}
        }
        if !is_state {
            tokio::time::sleep(Duration::from_millis(self.slowness.load(Ordering::SeqCst))).await;
        }
        let put = self.memory.put_opts(location, payload, options).await?;
        self.puts.fetch_add(1, Ordering::SeqCst);
        let now = self.now.load(Ordering::SeqCst);
        self.written.lock().unwrap().insert(location.clone(), now);
        match trouble {
            Some(Trouble::LoseAnswer) => Err(generic("connection reset")),
            _ => Ok(put),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let now = self.now.load(Ordering::SeqCst);
        self.written.lock().unwrap().insert(location.clone(), now);
        self.memory.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut found = self.memory.get_opts(location, options).await?;
        found.meta = self.dated(found.meta);
        Ok(found)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.memory.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed: Vec<Result<ObjectMeta>> = at_once(self.memory.list(prefix).collect());
        let dated: Vec<_> = listed
            .into_iter()
            .map(|meta| meta.map(|meta| self.dated(meta)))
            .collect();
        futures::stream::iter(dated).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}

fn lake(server: &Arc<Server>) -> BucketLake {
    let store = Arc::clone(server) as Arc<dyn ObjectStore>;
    BucketLake::over(store, PLACES, &Task::new()).unwrap()
}

fn begin(lake: &BucketLake, units: &[&str], files: &[(&str, &str)]) -> Box<dyn Transaction> {
    let units: Vec<String> = units.iter().map(|unit| (*unit).to_owned()).collect();
    let mut transaction = lake.begin(&units).unwrap();
    for (path, text) in files {
        transaction
            .create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }
    transaction
}

fn write(lake: &BucketLake, units: &[&str], files: &[(&str, &str)]) -> std::result::Result<(), Error> {
    begin(lake, units, files).commit(&[])
}

fn read(server: &Arc<Server>, path: &str) -> Option<String> {
    let bytes = lake(server).read(path).unwrap();
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn leftovers(server: &Server) -> Vec<String> {
    let mut names = server.names();
    names.retain(|name| name.starts_with("lake/_runs/"));
    names
}

#[test]
fn units_are_replaced_whole_and_seen_at_once() {
    let server = Server::new();
    let handle = lake(&server);
    let transaction = begin(
        &handle,
        &["l/a", "l/b"],
        &[("l/a/1", "one"), ("l/a/2", "two"), ("l/b", "b")],
    );
    assert_eq!(
        read(&server, "l/a/1"),
        None,
        "what is not committed cannot be seen"
    );
    transaction.commit(&[]).unwrap();
    assert_eq!(handle.list("l/a").unwrap(), ["1", "2"]);
    assert_eq!(handle.list("l").unwrap(), ["a", "b"]);
    assert_eq!(handle.size("l/a/1").unwrap(), Some(3));
    write(&handle, &["l/a"], &[("l/a/3", "three")]).unwrap();
    assert_eq!(lake(&server).list("l/a").unwrap(), ["3"]);
    assert_eq!(read(&server, "l/b").as_deref(), Some("b"));
    write(&handle, &["l/b"], &[]).unwrap();
    assert_eq!(read(&server, "l/b"), None, "a unit without files ends to exist");
    assert!(
        leftovers(&server).iter().all(|name| !name.ends_with("/_run")),
        "a run that is done leaves no sign of being under way"
    );
    assert!(
        handle.begin(&["l/a".to_owned()]).unwrap().create("l/ab").is_err(),
        "outside of its units a transaction writes nothing"
    );
}

#[test]
fn the_same_bytes_again_change_no_object() {
    let server = Server::new();
    let handle = lake(&server);
    write(&handle, &["a"], &[("a/1", "one"), ("a/2", "two")]).unwrap();
    let (names, puts) = (server.names(), server.puts.load(Ordering::SeqCst));
    write(&lake(&server), &["a"], &[("a/1", "one"), ("a/2", "two")]).unwrap();
    drop(begin(&lake(&server), &["a"], &[("a/1", "one"), ("a/2", "two")]));
    assert_eq!(server.names(), names);
    assert_eq!(server.puts.load(Ordering::SeqCst), puts);
    // One of two files is new: the other one's object stays.
    write(&lake(&server), &["a"], &[("a/1", "one"), ("a/2", "new")]).unwrap();
    let added: Vec<String> = server
        .names()
        .into_iter()
        .filter(|name| !names.contains(name))
        .collect();
    assert!(added.len() == 1 && added[0].ends_with("/a/2"), "{added:?}");
}

#[test]
fn what_is_not_committed_is_taken_back() {
    let server = Server::new();
    drop(begin(&lake(&server), &["a"], &[("a/1", "half")]));
    assert_eq!(server.names(), Vec::<String>::new());
}

#[test]
fn a_change_in_between_is_a_conflict_unless_it_is_the_same() {
    for (mine, theirs, conflicts) in [("mine", "theirs", true), ("same", "same", false)] {
        let server = Server::new();
        let handle = lake(&server);
        let transaction = begin(&handle, &["a"], &[("a/m", mine)]);
        write(&lake(&server), &["a"], &[("a/m", theirs)]).unwrap();
        let before = vec![("a/m".to_owned(), None)];
        let result = transaction.commit(&before);
        assert_eq!(
            matches!(result, Err(Error::Conflict { .. })),
            conflicts,
            "{result:?}"
        );
        assert_eq!(read(&server, "a/m").as_deref(), Some(theirs));
        assert_eq!(leftovers(&server).len(), 1, "the loser took its object back");
        // The handle reads the state that it lost against, as the next attempt needs it.
        assert_eq!(handle.read("a/m").unwrap().as_deref(), Some(theirs.as_bytes()));
    }
}

#[test]
fn an_unrelated_change_in_between_is_built_upon() {
    let server = Server::new();
    let transaction = begin(&lake(&server), &["a"], &[("a/m", "mine")]);
    write(&lake(&server), &["b"], &[("b/m", "theirs")]).unwrap();
    transaction.commit(&[("a/m".to_owned(), None)]).unwrap();
    assert_eq!(read(&server, "a/m").as_deref(), Some("mine"));
    assert_eq!(read(&server, "b/m").as_deref(), Some("theirs"));
}

#[test]
fn a_kept_file_that_somebody_replaced_is_a_conflict() {
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a/1", "old"), ("a/2", "old")]).unwrap();
    let handle = lake(&server);
    // The same bytes are not uploaded again: the object stays that of the old state.
    let transaction = begin(&handle, &["a"], &[("a/1", "old"), ("a/2", "mine")]);
    write(&lake(&server), &["a/1"], &[("a/1", "new")]).unwrap();
    let refused = transaction.commit(&[]).unwrap_err().to_string();
    assert!(refused.contains("a/1: another run replaced it"), "{refused}");
}

#[test]
fn many_writers_at_once_all_come_to_their_turn() {
    let server = Server::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..5 {
                    let unit = format!("w{writer}");
                    let text = format!("{writer}-{round}");
                    write(&lake(server), &[&unit], &[(&format!("{unit}/f"), &text)]).unwrap();
                }
            });
        }
    });
    for writer in 0..4 {
        let path = format!("w{writer}/f");
        assert_eq!(read(&server, &path), Some(format!("{writer}-4")));
    }
    assert!(server.text("lake/_lake.json").contains("\"commit\":20"));
}

#[test]
fn a_lost_answer_is_no_second_commit_and_a_lost_request_is_tried_again() {
    for trouble in [Trouble::LoseAnswer, Trouble::LoseRequest] {
        let server = Server::new();
        write(&lake(&server), &["a"], &[("a", "old")]).unwrap();
        server.trouble(&[trouble]);
        write(&lake(&server), &["a"], &[("a", "new")]).unwrap();
        assert_eq!(read(&server, "a").as_deref(), Some("new"), "{trouble:?}");
        assert!(
            server.text("lake/_lake.json").contains("\"commit\":2"),
            "{trouble:?}"
        );
    }
}

#[test]
fn a_refused_commit_leaves_the_old_state_and_a_doubtful_one_leaves_its_objects() {
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a", "old")]).unwrap();
    server.trouble(&[Trouble::Deny]);
    let refused = write(&lake(&server), &["a"], &[("a", "new")]).unwrap_err();
    assert!(refused.to_string().contains("403 Forbidden"), "{refused}");
    assert_eq!(read(&server, "a").as_deref(), Some("old"));
    // The last put may still be on its way, so the objects that it names must stay.
    server.trouble(&[Trouble::LoseRequest; 3]);
    let handle = lake(&server);
    let doubtful = write(&handle, &["a"], &[("a", "doubtful")]).unwrap_err();
    assert!(doubtful.to_string().contains("cannot commit"), "{doubtful}");
    assert!(
        leftovers(&server)
            .iter()
            .any(|name| server.text(name) == "doubtful")
    );
    assert_eq!(read(&server, "a").as_deref(), Some("old"));
}

#[test]
fn what_was_replaced_stays_for_a_day_for_those_who_read_it() {
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a/1", "first")]).unwrap();
    let reader = lake(&server);
    server.pass(10);
    write(&lake(&server), &["a"], &[("a/1", "second")]).unwrap();
    assert_eq!(reader.read("a/1").unwrap().as_deref(), Some(&b"first"[..]));
    server.pass(DAY);
    write(&lake(&server), &["b"], &[("b", "x")]).unwrap();
    assert!(
        reader.read("a/1").unwrap().is_some(),
        "no commit yet knows that a day has passed"
    );
    server.pass(DAY);
    write(&lake(&server), &["b"], &[("b", "y")]).unwrap();
    write(&lake(&server), &["b"], &[("b", "z")]).unwrap();
    assert_eq!(reader.read("a/1").unwrap(), None);
    assert_eq!(read(&server, "a/1").as_deref(), Some("second"));
}

/// A run that was killed between its data and its commit.
fn killed(server: &Arc<Server>, text: &str) {
    std::mem::forget(begin(&lake(server), &["k"], &[("k", text)]));
    // The upload continues in the background.
    for _ in 0..500 {
        if leftovers(server).iter().any(|name| server.text(name) == text) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the object of the killed run never came");
}

#[test]
fn leftovers_of_the_dead_are_removed_when_they_are_a_day_old_and_not_before() {
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a", "1")]).unwrap();
    write(&lake(&server), &["a"], &[("a", "2")]).unwrap();
    killed(&server, "left");
    let is_left = || leftovers(&server).iter().any(|name| server.text(name) == "left");
    assert_eq!(read(&server, "k"), None, "the old state stands");
    server.pass(DAY);
    write(&lake(&server), &["a"], &[("a", "3")]).unwrap();
    write(&lake(&server), &["a"], &[("a", "4")]).unwrap();
    assert!(is_left(), "a day is not more than a day");
    server.pass(DAY + 1);
    write(&lake(&server), &["a"], &[("a", "5")]).unwrap();
    write(&lake(&server), &["a"], &[("a", "6")]).unwrap();
    assert!(!is_left(), "{:?}", leftovers(&server));
    assert_eq!(read(&server, "a").as_deref(), Some("6"));
    assert!(
        leftovers(&server).iter().all(|name| !name.ends_with("/_run")),
        "nor what said that it was under way"
    );
}

#[test]
fn a_slow_run_either_commits_whole_or_learns_that_it_was_held_for_dead() {
    // Slow, but no sweep meanwhile: it renews its marker and commits.
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a", "1")]).unwrap();
    let slow = begin(&lake(&server), &["s"], &[("s", "slow")]);
    server.pass(3 * DAY);
    slow.commit(&[]).unwrap();
    assert_eq!(read(&server, "s").as_deref(), Some("slow"));

    // Slow, and a sweep came first: a conflict, and no state that names removed objects.
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a", "1")]).unwrap();
    let slow = begin(&lake(&server), &["s"], &[("s", "slow")]);
    server.pass(3 * DAY);
    write(&lake(&server), &["a"], &[("a", "2")]).unwrap();
    write(&lake(&server), &["a"], &[("a", "3")]).unwrap();
    let refused = slow.commit(&[]).unwrap_err();
    assert!(
        matches!(refused, Error::Conflict { .. }) && refused.to_string().contains("took it for dead"),
        "{refused}"
    );
    assert_eq!(read(&server, "s"), None);
}

#[test]
fn what_somebody_deleted_is_told_and_made_again() {
    let server = Server::new();
    write(&lake(&server), &["a"], &[("a/m", "text")]).unwrap();
    let [object] = leftovers(&server).try_into().unwrap();
    server.remove(&object);
    let handle = lake(&server);
    assert_eq!(handle.size("a/m").unwrap(), None);
    assert_eq!(handle.read("a/m").unwrap(), None);
    let again = begin(&handle, &["a"], &[("a/m", "text")]);
    again.commit(&[("a/m".to_owned(), None)]).unwrap();
    assert_eq!(read(&server, "a/m").as_deref(), Some("text"));
}

#[test]
fn published_files_have_copies_and_reports_belong_to_no_state() {
    let server = Server::new();
    let handle = lake(&server);
    write(
        &handle,
        &["g/shown", "g/other"],
        &[("g/shown", "{}"), ("g/other", "x")],
    )
    .unwrap();
    assert_eq!(server.text("lake/g/shown"), "{}");
    assert!(!server.names().contains(&"lake/g/other".to_owned()));
    write(&handle, &["g/shown"], &[("g/shown", "{1}")]).unwrap();
    assert_eq!(server.text("lake/g/shown"), "{1}");
    // A run was killed before it published: the file counts as missing, so that the step writes it again.
    server.remove("lake/g/shown");
    let handle = lake(&server);
    assert_eq!(handle.size("g/shown").unwrap(), None);
    assert_eq!(handle.read("g/shown").unwrap().as_deref(), Some(&b"{1}"[..]));
    let state = server.text("lake/_lake.json");
    handle.put("reports/r.json", b"report").unwrap();
    assert_eq!(server.text("lake/reports/r.json"), "report");
    assert_eq!(
        handle.read("reports/r.json").unwrap().as_deref(),
        Some(&b"report"[..])
    );
    assert_eq!(server.text("lake/_lake.json"), state);
}

#[test]
fn large_files_go_up_and_come_back_in_pieces() {
    use std::io::{Read, Seek, SeekFrom, Write};
    let server = Server::new();
    let handle = lake(&server);
    let line: Vec<u8> = (0..=255).collect();
    let size = 19 * (1 << 20) + 77;
    let mut transaction = handle.begin(&["a".to_owned()]).unwrap();
    let mut file = transaction.create("a").unwrap();
    let mut left = size;
    while left > 0 {
        let count = left.min(line.len());
        file.write_all(&line[..count]).unwrap();
        left -= count;
    }
    drop(file);
    transaction.commit(&[]).unwrap();
    assert_eq!(handle.size("a").unwrap(), Some(size as u64));
    let expected = |bytes: &[u8]| {
        assert_eq!(bytes.len(), size);
        assert!(
            bytes
                .iter()
                .enumerate()
                .all(|(place, byte)| *byte == (place % 256) as u8)
        );
    };
    let mut bytes = Vec::new();
    handle.open_stream("a").unwrap().read_to_end(&mut bytes).unwrap();
    expected(&bytes);
    let (mut one, mut other) = (handle.open_file("a").unwrap(), handle.open_file("a").unwrap());
    one.seek(SeekFrom::Start(1_000_000)).unwrap();
    bytes.clear();
    other.read_to_end(&mut bytes).unwrap();
    expected(&bytes);
    assert_eq!(
        one.stream_position().unwrap(),
        1_000_000,
        "each has a place of its own"
    );
    let mut scratch = handle.begin(&["b".to_owned()]).unwrap().scratch("s").unwrap();
    scratch.write_all(b"x").unwrap();
}

#[test]
fn a_scratch_file_becomes_a_file_of_the_new_state() {
    use std::io::Write;
    let server = Server::new();
    let handle = lake(&server);
    for size in [100, 9 << 20] {
        let text = "x".repeat(size);
        let mut transaction = handle.begin(&["a".to_owned()]).unwrap();
        let mut scratch = transaction.scratch("draft").unwrap();
        scratch.write_all(text.as_bytes()).unwrap();
        transaction.write_back(&scratch);
        let sha256 = sha256_hex(text.as_bytes());
        let again = scratch.try_clone().unwrap();
        let outside = transaction.adopt("draft", again, "ab", size as u64, &sha256);
        assert!(
            outside.is_err(),
            "outside of its units a transaction writes nothing"
        );
        transaction
            .adopt("draft", scratch, "a/file", size as u64, &sha256)
            .unwrap();
        transaction.commit(&[]).unwrap();
        assert!(read(&server, "a/file") == Some(text), "{size} bytes");
    }
    // An adopted file that is not committed is removed like any other file.
    let names = server.names();
    let mut transaction = handle.begin(&["a".to_owned()]).unwrap();
    let mut scratch = transaction.scratch("draft").unwrap();
    scratch.write_all(b"other").unwrap();
    transaction
        .adopt("draft", scratch, "a/file", 5, &sha256_hex(b"other"))
        .unwrap();
    drop(transaction);
    assert_eq!(server.names(), names);
}

#[test]
fn a_stopped_task_waits_for_nobody() {
    let server = Server::new();
    let task = Task::new();
    let store = Arc::clone(&server) as Arc<dyn ObjectStore>;
    let handle = BucketLake::over(store, PLACES, &task).unwrap();
    let transaction = begin(&handle, &["a"], &[("a", "x")]);
    task.cancel();
    assert!(matches!(transaction.commit(&[]), Err(Error::Cancelled)));
    assert_eq!(server.names(), Vec::<String>::new(), "and leaves in good order");
}

/// An upload that nobody awaited continued in the background, and created its object after the removal.
#[test]
fn what_is_still_going_up_is_taken_back_too() {
    let server = Server::new();
    server.slowness.store(200, Ordering::SeqCst);
    let task = Task::new();
    let store = Arc::clone(&server) as Arc<dyn ObjectStore>;
    let handle = BucketLake::over(store, PLACES, &task).unwrap();
    let many: Vec<(String, &str)> = (0..20).map(|number| (format!("a/{number}"), "x")).collect();
    let files: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let transaction = begin(&handle, &["a"], &files[..6]);
    task.cancel();
    assert!(matches!(transaction.commit(&[]), Err(Error::Cancelled)));
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(
        server.names(),
        Vec::<String>::new(),
        "though each put takes a while"
    );

    let task = Task::new();
    let store = Arc::clone(&server) as Arc<dyn ObjectStore>;
    let handle = BucketLake::over(store, PLACES, &task).unwrap();
    let mut transaction = begin(&handle, &["a"], &[]);
    for (number, (path, text)) in files.iter().enumerate() {
        if number == 10 {
            task.cancel();
        }
        // The writer gets the cancellation at the commit.
        transaction
            .create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }
    assert!(matches!(transaction.commit(&[]), Err(Error::Cancelled)));
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(
        server.names(),
        Vec::<String>::new(),
        "and more files than go up at once"
    );
}

#[test]
fn a_copy_that_is_made_again_is_held_against_its_digest_again() {
    use std::io::Read;

    let server = Server::new();
    // More tables than the number of copies that are kept.
    let paths: Vec<String> = (0..80).map(|number| format!("a/{number:02}")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "mine")).collect();
    write(&lake(&server), &["a"], &files).unwrap();
    let handle = lake(&server);
    for path in &paths {
        handle.open_file(path).unwrap();
    }
    for name in server.names() {
        if name.ends_with("/a/00") || name.ends_with("/a/79") {
            server.replace(&name, "mint");
        }
    }
    let refused = handle.open_file("a/00").unwrap_err().to_string();
    assert!(
        refused.contains("a/00") && refused.contains("not those that were written"),
        "{refused}"
    );
    let mut text = String::new();
    handle
        .open_file("a/79")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "mine", "the copy that was kept");
    handle.open_file("a/01").unwrap();
}
