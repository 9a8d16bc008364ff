//! The pages of NLM's folders: HTML with a link, a date and a size for each file.
//!
//! Only names of PubMed's files are taken from a page. Whatever else it links to, other folders or places outside among
//! them, is passed over.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::settings::day_of;

/// The ending of the file with the MD5 of another one.
const MD5: &str = ".md5";

/// A file of PubMed in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    pub name: String,
    pub number: u64,
    /// The text beside its link: date and size. Another text means that the file was published again.
    pub listed: String,
    pub day: Option<NaiveDate>,
    /// Whether the listing has the file with its MD5.
    pub has_md5: bool,
}

/// The files of a page, by their numbers, and how many links it has in all.
pub(super) fn listed_files(page: &str) -> (Vec<ListedFile>, usize) {
    let mut files = BTreeMap::new();
    let mut sums = Vec::new();
    let mut links = 0;
    for (name, beside) in entries(page) {
        links += 1;
        if let Some(of) = name.strip_suffix(MD5) {
            sums.push(of);
        } else if let Some(number) = number_of(name) {
            let listed = words(beside);
            files.entry(name).or_insert(ListedFile {
                name: name.to_owned(),
                number,
                day: day_in(&listed),
                listed,
                has_md5: false,
            });
        }
    }
    for of in sums {
        if let Some(file) = files.get_mut(of) {
            file.has_md5 = true;
        }
    }
    (files.into_values().collect(), links)
}

/// The targets of links, each with what follows up to the next link.
fn entries(page: &str) -> impl Iterator<Item = (&str, &str)> {
    // The first part is in front of any link.
    page.split("href=").skip(1).filter_map(|part| {
        let quote = part.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (name, rest) = part[1..].split_once(quote)?;
        let beside = rest.split_once("</a>").map_or("", |(_, beside)| beside);
        Some((name, beside))
    })
}

/// The number of a file by its name, such as `pubmed26n0001.xml.gz`.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let (year, number) = name
        .strip_prefix("pubmed")?
        .strip_suffix(".xml.gz")?
        .split_once('n')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = year.len() == 2 && (4..=9).contains(&number.len()) && is_number(year) && is_number(number);
    if fits { number.parse().ok() } else { None }
}

/// A text without tags and with single blanks.
fn words(text: &str) -> String {
    let mut plain = String::new();
    for (at, part) in text.split('<').enumerate() {
        let shown = if at == 0 {
            part
        } else {
            part.split_once('>').map_or("", |(_, shown)| shown)
        };
        plain.push(' ');
        plain.push_str(shown);
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ")
}

/// The first date in a text: `2026-01-09` or `09-Jan-2026`.
fn day_in(text: &str) -> Option<NaiveDate> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    text.split(' ').find_map(|word| {
        let of_month = || {
            let mut parts = word.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?.to_ascii_lowercase(), parts.next()?);
            let month = MONTHS.iter().position(|name| *name == month)? + 1;
            day_of(&format!("{year}-{month:02}-{day:0>2}"))
        };
        day_of(word).or_else(of_month)
    })
}

/// The MD5 in the file beside another one: `MD5(name)= hex`, or `hex  name`. In lower case; `None` if it is of another
/// file, or none at all.
pub(super) fn md5_in(text: &str, name: &str) -> Option<String> {
    let text = text.trim();
    let (of, sum) = match text.strip_prefix("MD5") {
        Some(rest) => {
            let (of, sum) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
            (of, sum.trim_start().strip_prefix('=')?)
        }
        None => {
            let (sum, of) = text.split_once(char::is_whitespace).unwrap_or((text, name));
            (of.trim_start().trim_start_matches('*'), sum)
        }
    };
    let (of, sum) = (of.trim(), sum.trim().to_ascii_lowercase());
    let is_sum = sum.len() == 32 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    // It may begin with the path of where it was made.
    let is_of = of.rsplit('/').next() == Some(name);
    (is_sum && is_of).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0123456789abcdef0123456789abcdef";

    fn file(
        name: &str,
        number: u64,
        listed: &str,
        day: Option<(i32, u32, u32)>,
        has_md5: bool,
    ) -> ListedFile {
        ListedFile {
            name: name.to_owned(),
            number,
            listed: listed.to_owned(),
            day: day.and_then(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day)),
            has_md5,
        }
    }

    #[test]
    fn pages_of_several_servers_are_read() {
        let one = "pubmed26n0001.xml.gz";
        for (page, listed, day) in [
            (
                format!(
                    "<pre>Name Last modified Size<hr><a href=\"/pubmed/\">Parent Directory</a> -\n<a href=\"README.txt\">README.txt</a> 2026-01-01 10:00 4.1K\n\
                     <a href=\"{one}\">{one}</a>   2026-01-09 14:31   17M  \n<a href=\"{one}.md5\">{one}.md5</a> 2026-01-09 14:31 60 \n<hr></pre>"
                ),
                "2026-01-09 14:31 17M",
                Some((2026, 1, 9)),
            ),
            (
                format!(
                    "<table><tr><td><a href='{one}'>{one}</a></td><td align=\"right\">2026-01-09 14:31  </td><td> 17M</td></tr>\
                     <tr><td><a href='{one}.md5'>x</a></td></tr></table>"
                ),
                "2026-01-09 14:31 17M",
                Some((2026, 1, 9)),
            ),
            (
                format!("<a href=\"{one}\">{one}</a> 09-Jan-2026 14:31 17825792\r\n<a href=\"{one}.md5\">"),
                "09-Jan-2026 14:31 17825792",
                Some((2026, 1, 9)),
            ),
            (
                format!("<a href=\"{one}.md5\">x</a><a href=\"{one}\">x</a>"),
                "",
                None,
            ),
        ] {
            let (files, _) = listed_files(&page);
            assert_eq!(files, [file(one, 1, listed, day, true)], "{page}");
        }
    }

    #[test]
    fn nothing_else_is_taken_from_a_page() {
        for name in [
            "../pubmed26n0001.xml.gz",
            "/pubmed/baseline/pubmed26n0001.xml.gz",
            "https://evil.example/pubmed26n0001.xml.gz",
            "pubmed26n0001.xml.gz/../../x",
            "pubmed26n0001.xml.gz%00",
            "pubmed26n0001.xml",
            "pubmed26n001.xml.gz",
            "pubmed26n.xml.gz",
            "pubmed26n0000000001.xml.gz",
            "pubmed2６n0001.xml.gz",
            "PUBMED26N0001.XML.GZ",
            "pubmed26n0001.xml.gz?C=N;O=D",
            "pubmed26n0001_stats.html",
            "",
        ] {
            assert_eq!(number_of(name), None, "{name}");
            let (files, links) = listed_files(&format!("<a href=\"{name}\">x</a>"));
            assert_eq!((files, links), (Vec::new(), 1), "{name}");
        }
        for page in [
            "",
            "href=",
            "href=\"",
            "href=\"a",
            "<a href=x>",
            "href='é",
            "</a>",
            "href=é\"",
        ] {
            assert_eq!(listed_files(page).0, [], "{page}");
        }
        assert_eq!(number_of("pubmed26n1275.xml.gz"), Some(1275));
    }

    #[test]
    fn an_md5_is_that_of_its_file() {
        let name = "pubmed26n0001.xml.gz";
        for text in [
            format!("MD5({name})= {SUM}\n"),
            format!("MD5 ({name}) = {}", SUM.to_uppercase()),
            format!("MD5(/net/build/{name})={SUM}"),
            format!("{SUM}  {name}\n"),
            format!("{SUM} *{name}"),
            SUM.to_owned(),
        ] {
            assert_eq!(md5_in(&text, name).as_deref(), Some(SUM), "{text}");
        }
        for text in [
            String::new(),
            format!("MD5(pubmed26n0002.xml.gz)= {SUM}"),
            format!("{SUM} pubmed26n0002.xml.gz"),
            format!("MD5({name})= {}", &SUM[1..]),
            format!("MD5({name})= {}g", &SUM[1..]),
            "<html>404</html>".to_owned(),
        ] {
            assert_eq!(md5_in(&text, name), None, "{text}");
        }
    }
}
