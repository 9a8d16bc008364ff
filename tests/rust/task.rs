//! The state that a running step shares with its caller.

use drugs_rs::task::Task;

#[test]
fn notes_are_taken_once_and_in_order() {
    let task = Task::with_notes();
    task.enter("silver");
    task.clone().note(|| "reading a.csv".to_owned());
    let notes = task.take_notes();
    let texts: Vec<&str> = notes
        .iter()
        .filter_map(|note| note.split_once(" s  "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(texts, ["step silver", "reading a.csv"]);
    for note in &notes {
        let seconds = note.split_once(" s  ").unwrap().0.trim();
        assert!(seconds.parse::<f64>().unwrap() < 60.0, "{note}");
    }
    assert!(task.take_notes().is_empty());
}

#[test]
fn where_nobody_reads_notes_none_is_made() {
    let task = Task::new();
    task.note(|| panic!("a note that nobody reads"));
    task.enter("gold");
    assert!(task.take_notes().is_empty());
    assert_eq!(task.progress().stage, "gold");
}
