//! Pages of ClinicalTrials.gov's API: an object that holds studies, `{"studies": […], "nextPageToken": "…"}`.

/// Where the first study of a page may come: behind the bracket that opens the list. Nothing where no page begins, or where
/// these bytes end before that is sure.
pub(super) fn studies(bytes: &[u8]) -> Option<usize> {
    let mut at = behind(bytes, 0, b'{')?;
    loop {
        let key = text(bytes, at)?;
        let value = blank(bytes, behind(bytes, key.1, b':')?);
        match &bytes[key.0..key.1] {
            br#""studies""# => return behind(bytes, value, b'['),
            // What a page may say before: a number, a text or null.
            br#""totalCount""# | br#""nextPageToken""# => {
                let comma = bytes[value..].iter().position(|byte| *byte == b',')?;
                at = value + comma + 1;
            }
            _ => return None,
        }
    }
}

/// The first byte from `at` that is no white space.
fn blank(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Behind a letter that must come next.
fn behind(bytes: &[u8], at: usize, letter: u8) -> Option<usize> {
    let at = blank(bytes, at);
    (bytes.get(at) == Some(&letter)).then_some(at + 1)
}

/// From where to where the next value stands, which must be a text without escapes, with its quotes.
fn text(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let start = behind(bytes, at, b'"')?;
    let length = memchr::memchr(b'"', &bytes[start..])?;
    Some((start - 1, start + length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_with_what_pages_hold() {
        for (page, wanted) in [
            (r#"{"studies":[{}]}"#, Some(r"{}]}")),
            ("{ \"studies\" :\n [\n{}]}", Some("\n{}]}")),
            (r#"{"totalCount": 12, "studies": []}"#, Some("]}")),
            (r#"{"nextPageToken":"a,b","studies":[]}"#, None),
            (
                r#"{"nextPageToken":"ab","totalCount":1,"studies":[]}"#,
                Some("]}"),
            ),
            (r#"{"id":"1","studies":[]}"#, None),
            (r#"{"studies":"two"}"#, None),
            (r#"{"studies":"#, None),
            (r#"{"studies"#, None),
            (r#"["studies"]"#, None),
            ("{", None),
            ("", None),
        ] {
            let rest = studies(page.as_bytes()).map(|at| &page[at..]);
            assert_eq!(rest, wanted, "{page}");
        }
    }
}
