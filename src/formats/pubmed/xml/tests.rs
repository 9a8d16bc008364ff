use std::cell::Cell;

use super::*;
use crate::formats::pubmed::xml_record::own_pmid;

thread_local! {
    /// The number of bytes that searches have looked at.
    pub(crate) static SEARCHED: Cell<usize> = const { Cell::new(0) };
}

fn searched_by(work: impl FnOnce()) -> usize {
    let before = SEARCHED.get();
    work();
    SEARCHED.get() - before
}

/// A title of a million `<a` without any `>` took minutes: each search ran to the end of the text.
#[test]
fn what_never_ends_costs_as_much_as_it_is_long() {
    type Cost = (&'static str, fn(usize) -> String, fn(&str));
    let shapes: [Cost; 11] = [
        ("tags", |n| "<a".repeat(n), |xml| drop(text(xml).into_owned())),
        (
            "quotes",
            |n| format!("<a {}>", "\"\"".repeat(n)),
            |xml| drop(text(xml).into_owned()),
        ),
        (
            "open quotes",
            |n| "<a \"".repeat(n),
            |xml| drop(text(xml).into_owned()),
        ),
        (
            "both quotes",
            |n| "<a '\"".repeat(n),
            |xml| drop(text(xml).into_owned()),
        ),
        (
            "references",
            |n| "&#x".repeat(n),
            |xml| drop(text(xml).into_owned()),
        ),
        (
            "instructions",
            |n| "<?a <!".repeat(n),
            |xml| drop(text(xml).into_owned()),
        ),
        (
            "longer names",
            |n| format!("<a>{}</a>", "<ab></ab".repeat(n)),
            |xml| assert!(ElementName::new("<a", "</a").find(xml, 0).is_some()),
        ),
        (
            "comments",
            |n| format!("{}</a>", "<!--</a>-->".repeat(n)),
            |xml| assert!(record_end(&memmem::Finder::new("</a"), xml.as_bytes()).is_some()),
        ),
        (
            "declarations",
            |n| format!("{}</a>", "<!x <![CDATA[]]>".repeat(n)),
            |xml| assert!(record_end(&memmem::Finder::new("</a"), xml.as_bytes()).is_some()),
        ),
        (
            "lists before the id",
            |n| format!("{}<PMID>1</PMID>", "<CommentsCorrectionsList/>".repeat(n)),
            |xml| assert_eq!(own_pmid(xml).map(|id| id.inner), Some("1")),
        ),
        (
            "ids in lists",
            |n| "<CommentsCorrectionsList><PMID>1</PMID></CommentsCorrectionsList>".repeat(n),
            |xml| assert_eq!(own_pmid(xml), None),
        ),
    ];
    for (name, shape, work) in shapes {
        for n in [1000, 2000, 4000, 8000] {
            let xml = shape(n);
            let looked_at = searched_by(|| work(&xml));
            assert!(
                looked_at <= 4 * xml.len(),
                "{name} {n}: {looked_at} of {}",
                xml.len()
            );
        }
    }
}

#[test]
fn the_text_of_an_element_is_without_tags_and_references() {
    let cases = [
        ("plain", "plain"),
        ("H<sub>2</sub>O", "H2O"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&#945;-tocopherol &#x3B1;", "α-tocopherol α"),
        // Never expanded, never fetched.
        ("&xxe; &lol9;", "&xxe; &lol9;"),
        (
            "&#0;&#xD800;&#99999999;&#x110000000;",
            "\u{fffd}\u{fffd}\u{fffd}&#x110000000;",
        ),
        ("a & b &", "a & b &"),
        ("p < 0.05", "p < 0.05"),
        ("a <?pi it's?>b <?pi x > y?>c", "a b c"),
        ("p < 5 and x > 3, <2 mg> too", "p < 5 and x > 3, <2 mg> too"),
        // A tag that never ends is text, and hides no words after it.
        ("a<b and c<sub>2</sub> d", "a<b and c2 d"),
        ("a<b title=\"c <i>d</i>", "a<b title=\"c d"),
        (r#"<a title="x > y">z</a>"#, "z"),
        ("<mml:math><mml:mi>x</mml:mi></mml:math>", "x"),
        (
            "<p>one</p><P>two</P>three<br/>four<break/>",
            " one  two three four",
        ),
    ];
    for (xml, wanted) in cases {
        assert_eq!(text(xml), wanted, "{xml}");
    }
}

#[test]
fn elements_are_found_by_their_whole_name() {
    let name = ElementName::new("<Abstract", "</Abstract");
    let xml = "<AbstractText>no</AbstractText><Abstract lang='en'>yes</Abstract><Abstract >a</AbstractText></Abstract\n><Abstract/>";
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(element) = name.find(xml, at) {
        at = element.end;
        found.push((element.inner, element.attributes));
    }
    let wanted = [("yes", " lang='en'"), ("a</AbstractText>", " "), ("", "")];
    assert_eq!(found, wanted);
    assert_eq!(at, xml.len());
    assert_eq!(name.find("<Abstract>never closed", 0), None);
    assert_eq!(name.find("<Abstract", 0), None);
    assert_eq!(
        name.find("<Abstract>closes a longer name</AbstractText>", 0),
        None
    );
}

#[test]
fn a_record_ends_where_its_tag_closes_and_nothing_hides_it() {
    let close = memmem::Finder::new("</a");
    for (xml, wanted) in [
        ("<a>x</a>", Some((8, false))),
        ("<a>x</a\n >y", Some((10, false))),
        ("<a></ab></a>", Some((12, false))),
        ("<a><!x></a>", Some((11, true))),
        ("<a><!-- </a> --></a>", Some((20, true))),
        ("<a><![CDATA[</a>]]><!--></a>--></a>", Some((35, true))),
        // The comment after it hides nothing before it.
        ("<a></a><!-- </a> -->", Some((7, false))),
        // The end of these may be in the bytes that follow.
        ("<a><!-- </a>", None),
        ("<a><![CDATA[</a>--></a>", None),
        ("<a><!-- </a> -->", None),
        ("<a></a", None),
        ("<a>", None),
    ] {
        let wanted = wanted.map(|(end, hides)| RecordEnd { end, hides });
        assert_eq!(record_end(&close, xml.as_bytes()), wanted, "{xml}");
    }
}

#[test]
fn attributes_have_values_in_either_quotes() {
    let attributes = r#" Label='A "quoted" one' NlmCategory = "A &amp; B""#;
    assert_eq!(
        attribute(attributes, "Label").as_deref(),
        Some("A \"quoted\" one")
    );
    assert_eq!(attribute(attributes, "NlmCategory").as_deref(), Some("A & B"));
    assert_eq!(attribute(attributes, "Other"), None);
    assert_eq!(attribute("broken=x", "broken"), None);
}

#[test]
fn comments_go_and_cdata_becomes_text() {
    let cases = [
        ("a<!-- </x> -->b", "ab"),
        ("<![CDATA[a < b & <i>]]>", "a &lt; b &amp; &lt;i&gt;"),
        ("<!-- never closed", ""),
        ("<![CDATA[never closed", "never closed"),
        ("<!x>kept", "<!x>kept"),
        ("nothing", "nothing"),
    ];
    for (xml, wanted) in cases {
        assert_eq!(plain(xml), wanted, "{xml}");
    }
}
