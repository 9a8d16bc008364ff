//! The beginning of a JSON text: whether it is a page, an object with the rows in a list (`{"studies": […],
//! "nextPageToken": "…"}` of ClinicalTrials.gov, `{"meta": {…}, "data": […]}` of others), and the shape of the first
//! row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::value_end::value_end;
use crate::formats::fields::Fields;
use crate::formats::trials;

/// The key of the list of ClinicalTrials.gov's pages.
const STUDIES: &str = "studies";

/// The keys of lists that hold rows.
const LISTS: [&str; 5] = ["data", "results", "records", "items", STUDIES];

/// Other keys of a page, before its list or after an empty one.
const BESIDE: [&str; 9] = [
    "meta",
    "metadata",
    "info",
    "total",
    "totalCount",
    "count",
    "next",
    "previous",
    "nextPageToken",
];

/// The start of the first row of a page: after the bracket that opens the list. `None` if no page with rows of these
/// fields begins here, or if the bytes end before that is certain.
pub(crate) fn rows(bytes: &[u8], fields: &Fields) -> Option<usize> {
    let (key, list) = list(bytes)?;
    // The name of their list identifies studies.
    if key == STUDIES {
        return fields.are_trials().then_some(list);
    }
    let next = blank(bytes, list);
    match bytes.get(next)? {
        // A row may also hold a list of that name, followed by the row's own values.
        b']' => {
            let behind = blank(bytes, next + 1);
            let ends = bytes.get(behind) == Some(&b'}');
            let says = || BESIDE.contains(&text(bytes, behind + 1)?.0).then_some(());
            (ends || says().is_some()).then_some(list)
        }
        _ => keys(bytes, next)
            .iter()
            .any(|key| fields.position(key).is_some())
            .then_some(list),
    }
}

/// Checks that the rest of a page after its list, up to its brace, is JSON without another list of rows. The error says
/// what is wrong.
pub(crate) fn check_end(tail: &[u8]) -> Result<(), String> {
    let object = [br#"{"":0"#, tail].concat();
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(&object)
        .map_err(|_| "text that is not JSON after the list of a page".to_owned())?;
    let second = members.iter().find(|(key, value)| {
        let list = value.get().strip_prefix('[').map(str::trim_start);
        LISTS.contains(&key.as_ref()) && list.is_some_and(|list| list.starts_with('{'))
    });
    match second {
        Some((key, _)) => Err(format!("a second list of rows, `{key}`, in one page")),
        None => Ok(()),
    }
}

/// Whether a page begins here, whatever its rows are.
pub(crate) fn is_page(bytes: &[u8]) -> bool {
    list(bytes).is_some_and(|(_, at)| matches!(bytes.get(blank(bytes, at)), Some(b'{' | b']')))
}

/// The number of the first row's shape; 0 if the row has all required keys of no shape.
pub(crate) fn shape(head: &[u8], shapes: &[Fields]) -> usize {
    let page = list(head).map(|(_, at)| at);
    let keys = keys(head, page.or_else(|| behind(head, 0, b'[')).unwrap_or(0));
    let mut best = (0, (true, 0));
    for (number, fields) in shapes.iter().enumerate() {
        let fit = fields.fit(&keys);
        if fit > best.1 {
            best = (number, fit);
        }
    }
    best.0
}

/// The key of a page's list, and the start of its first row.
fn list(bytes: &[u8]) -> Option<(&str, usize)> {
    let mut at = behind(bytes, 0, b'{')?;
    loop {
        let (key, end) = text(bytes, at)?;
        let value = blank(bytes, behind(bytes, end, b':')?);
        if LISTS.contains(&key) {
            return Some((key, behind(bytes, value, b'[')?));
        }
        bytes.get(value).filter(|_| BESIDE.contains(&key))?;
        at = behind(bytes, value_end(bytes, value, false)?, b',')?;
    }
}

/// The keys of the object that begins at `at`, up to the end of these bytes or to the key of a study, whose value is
/// long and which hardly any key follows.
fn keys(bytes: &[u8], at: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut next = behind(bytes, at, b'{');
    while let Some((key, end)) = next.and_then(|at| text(bytes, at)) {
        keys.push(key.to_owned());
        if key == trials::KEY {
            break;
        }
        next = behind(bytes, end, b':').and_then(|value| {
            let value = blank(bytes, value);
            bytes.get(value)?;
            behind(bytes, value_end(bytes, value, false)?, b',')
        });
    }
    keys
}

/// The first byte from `at` that is no white space.
fn blank(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The place after a letter that must come next.
fn behind(bytes: &[u8], at: usize, letter: u8) -> Option<usize> {
    let at = blank(bytes, at);
    (bytes.get(at) == Some(&letter)).then_some(at + 1)
}

/// The next value, which must be a text without escapes, and its end.
fn text(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let start = behind(bytes, at, b'"')?;
    let end = start + memchr::memchr(b'"', &bytes[start..])?;
    let text = std::str::from_utf8(&bytes[start..end]).ok()?;
    Some((text, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::fields::Field;

    fn fields(required: &[&'static str]) -> Fields {
        Fields::new(
            required
                .iter()
                .map(|&name| Field::required(name, Box::leak(Box::new([name])))),
        )
    }

    #[test]
    fn a_page_begins_with_what_pages_hold() {
        let trials = fields(&["id", "title", "date", "brief_title"]);
        for (page, wanted) in [
            (r#"{"studies":[{}]}"#, Some(r"{}]}")),
            ("{ \"studies\" :\n [\n{}]}", Some("\n{}]}")),
            (r#"{"totalCount": 12, "studies": []}"#, Some("]}")),
            (r#"{"nextPageToken":"a,b","studies":[]}"#, Some("]}")),
            (
                r#"{"meta":{"a":[1]},"data":[{"title":"a"}]}"#,
                Some(r#"{"title":"a"}]}"#),
            ),
            (
                r#"{"data":[{"c":[{}],"title":"a""#,
                Some(r#"{"c":[{}],"title":"a""#),
            ),
            (r#"{"results":[],"meta":{}}"#, Some(r#"],"meta":{}}"#)),
            (r#"{"results":[]}"#, Some("]}")),
            // Rows with a list of their own.
            (r#"{"id":"1","studies":[]}"#, None),
            (r#"{"data":[],"id":"1"}"#, None),
            (r#"{"data":[{"name":"a"}],"id":"1"}"#, None),
            (r#"{"data":[1],"id":"1"}"#, None),
            (r#"{"studies":"two"}"#, None),
            (r#"{"articles":[{"title":"a"}]}"#, None),
            (r#"{"studies":"#, None),
            (r#"{"studies"#, None),
            (r#"["studies"]"#, None),
            ("{", None),
            ("", None),
        ] {
            let rest = rows(page.as_bytes(), &trials).map(|at| &page[at..]);
            assert_eq!(rest, wanted, "{page}");
        }
        assert_eq!(
            rows(br#"{"studies":[{}]}"#, &fields(&["id", "title", "date"])),
            None
        );
    }

    #[test]
    fn the_first_row_says_its_shape() {
        let shapes = [fields(&["a", "b"]), fields(&["x", "y"]), fields(&["x", "y", "z"])];
        for (text, wanted) in [
            (r#"[{"a":1,"b":{"x":1}}]"#, 0),
            (r#" [ {"x": "}", "more": [1, {}], "y": 1}"#, 1),
            (r#"{"z":1,"x":2,"y":3}"#, 2),
            (r#"{"data":[{"x":2,"y":3}]}"#, 1),
            (r#"{"x":2}"#, 0),
            ("[3]", 0),
            ("[]", 0),
            ("", 0),
        ] {
            assert_eq!(shape(text.as_bytes(), &shapes), wanted, "{text}");
        }
    }
}
