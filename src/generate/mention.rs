//! The places of drugs in a text, in code points, as in `gold/mentions`.

use super::random::drugs::capitalised;

pub(super) const TITLE: &str = "title";
pub(super) const ABSTRACT: &str = "abstract";

/// Marks around a drug in a text that is being built; no word holds them.
const BEGIN: char = '\u{2}';
const END: char = '\u{3}';

/// A place of a drug in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MadeMention {
    pub atccode: String,
    pub field: &'static str,
    pub start: u64,
    pub end: u64,
    /// The text at this place.
    pub surface: String,
}

/// A text and the drugs in it, in the order of their places; a name with several codes has them in order.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub text: String,
    pub mentions: Vec<MadeMention>,
}

/// The name of a drug with marks around it.
pub(super) fn marked(name: &str) -> String {
    format!("{BEGIN}{name}{END}")
}

impl Text {
    /// Removes the marks from a text and capitalises its first letter; `put` holds the codes of each marked name.
    pub(super) fn new(field: &'static str, marked: &str, put: Vec<Vec<String>>) -> Self {
        let mut places = Vec::with_capacity(put.len());
        let mut start = 0;
        let mut at = 0;
        for letter in marked.chars() {
            match letter {
                BEGIN => start = at,
                END => places.push((start, at)),
                _ => at += 1,
            }
        }
        let text = capitalised(&marked.replace([BEGIN, END], ""));
        let mut mentions = Vec::with_capacity(put.len());
        for ((start, end), mut codes) in places.into_iter().zip(put) {
            codes.sort_unstable();
            let surface: String = text.chars().skip(start).take(end - start).collect();
            mentions.extend(codes.into_iter().map(|atccode| MadeMention {
                atccode,
                field,
                start: start as u64,
                end: end as u64,
                surface: surface.clone(),
            }));
        }
        Self { text, mentions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_code_points_of_the_text_without_marks() {
        let marked = format!("{}’s “é”, {} or not", marked("velorin"), marked("dora ntel"));
        let put = vec![vec!["B".to_owned(), "A".to_owned()], vec!["C".to_owned()]];
        let text = Text::new(TITLE, &marked, put);
        assert_eq!(text.text, "Velorin’s “é”, dora ntel or not");
        let told: Vec<String> = text
            .mentions
            .iter()
            .map(|mention| {
                format!(
                    "{} {}-{} {}",
                    mention.atccode, mention.start, mention.end, mention.surface
                )
            })
            .collect();
        assert_eq!(told, ["A 0-7 Velorin", "B 0-7 Velorin", "C 15-24 dora ntel"]);
    }
}
