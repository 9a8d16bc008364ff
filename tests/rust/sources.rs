//! Exports of PubMed and ClinicalTrials.gov, recognised by content: XML, MEDLINE, the CSV exports, studies of the API.

use std::io::Cursor;

use drugs_rs::error::Error;
use drugs_rs::formats::{Encoding, Input, ReaderNotes, open_shaped};
use drugs_rs::schema::PublicationKind;
use drugs_rs::silver::shapes::shapes;
use drugs_rs::storage::source::expand_all;
use drugs_rs::task::Task;

/// What records say beside title, date and journal: `tests/python/test_record_details.py` looks at it, as silver has it.
const DETAILS: [&str; 11] = [
    "doi",
    "pmcid",
    "publication_types",
    "notices",
    "mesh",
    "substances",
    "trial_ids",
    "phase",
    "trial_status",
    "conditions",
    "intervention_list",
];

/// The result of a source: one line for each row with bars between the fields, `-` for a missing value.
#[derive(Debug)]
struct Read {
    rows: Vec<String>,
    rejected: Vec<String>,
    deleted: Vec<(usize, String)>,
    notes: ReaderNotes,
    format: &'static str,
}

fn read(kind: PublicationKind, content: &str) -> Result<Read, Error> {
    let shapes = shapes(kind);
    let bytes = content.as_bytes().to_vec();
    let input = Input::new("file", Box::new(Cursor::new(bytes)), Encoding::Utf8)?;
    let mut reader = open_shaped(input, shapes)?;
    let (mut rows, mut rejected, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(batch) = reader.next_batch(&Task::new())? {
        let base = rows.len();
        for row in 0..batch.frame.height() {
            let columns = batch.frame.columns().iter();
            let columns = columns.filter(|column| !DETAILS.contains(&column.name().as_str()));
            let values = columns.map(|column| match column.str() {
                Ok(texts) => texts.get(row).unwrap_or("-").to_owned(),
                Err(_) => column.u64().unwrap().get(row).unwrap().to_string(),
            });
            rows.push(values.collect::<Vec<_>>().join("|"));
        }
        rejected.extend(
            batch
                .rejected
                .iter()
                .map(|row| format!("{}: {}", row.source_row, row.reason.name())),
        );
        deleted.extend(
            batch
                .deletions
                .into_iter()
                .map(|notice| (base + notice.behind, notice.publication_id)),
        );
    }
    Ok(Read {
        rows,
        rejected,
        deleted,
        notes: reader.notes(),
        format: reader.format(),
    })
}

fn pubmed(content: &str) -> Read {
    read(PublicationKind::Pubmed, content).unwrap()
}

fn trials(content: &str) -> Read {
    read(PublicationKind::ClinicalTrial, content).unwrap()
}

fn fault(content: &str) -> String {
    read(PublicationKind::Pubmed, content).unwrap_err().to_string()
}

/// An article around the tested elements.
fn article(inside: &str) -> String {
    format!(
        "<PubmedArticleSet><PubmedArticle><MedlineCitation>{inside}</MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )
}

#[test]
fn an_article_gives_its_few_wanted_values() {
    let xml = r#"<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2019//EN" "http://dtd.nlm.nih.gov/x.dtd">
<!-- two articles -->
<PubmedArticleSet>
 <PubmedArticle><MedlineCitation Status="MEDLINE">
  <PMID Version="2">11</PMID>
  <Article><Journal><ISSN>1</ISSN><JournalIssue><PubDate><Year>1979</Year><Month>Jun</Month><Day>3</Day></PubDate></JournalIssue>
   <Title>Journal of A &amp; B</Title><ISOAbbreviation>J A B</ISOAbbreviation></Journal>
   <ArticleTitle>Uptake of <sup>3</sup>H-<i>ouabain</i> &lt; 5 &#956;M</ArticleTitle>
   <Abstract><AbstractText Label="AIM">To see.</AbstractText><AbstractText Label="UNLABELLED">And more.</AbstractText>
    <CopyrightInformation>not ours</CopyrightInformation></Abstract></Article>
  <MedlineJournalInfo><MedlineTA>J A B</MedlineTA><NlmUniqueID>0370077</NlmUniqueID><ISSNLinking>2</ISSNLinking></MedlineJournalInfo>
  <CommentsCorrectionsList><CommentsCorrections><PMID Version="1">99</PMID></CommentsCorrections></CommentsCorrectionsList>
 </MedlineCitation></PubmedArticle>
 <PubmedArticle><MedlineCitation><PMID>12</PMID><Article><Journal><JournalIssue><PubDate/></JournalIssue>
   <ISSN>3</ISSN><ISOAbbreviation>J C</ISOAbbreviation></Journal><ArticleTitle/></Article></MedlineCitation></PubmedArticle>
 <DeleteCitation><PMID Version="1">7</PMID><PMID>8</PMID></DeleteCitation>
</PubmedArticleSet>
"#;
    let found = pubmed(xml);
    assert_eq!(found.format, "pubmed_xml");
    assert_eq!(
        found.rows,
        [
            "1|11|Uptake of 3H-ouabain < 5 μM|1979 Jun 3|Journal of A & B|AIM: To see. And more.|2|0370077|2",
            "2|12|-|-|J C|-|-|-|3",
        ]
    );
    assert_eq!(found.deleted, [(2, "7".to_owned()), (2, "8".to_owned())]);
    assert_eq!(found.notes.remarks, ["2 deletion notices"]);
}

#[test]
fn the_id_of_a_record_is_none_of_those_that_it_corrects() {
    let list = "<CommentsCorrectionsList><CommentsCorrections RefType=\"Cites\"><RefSource>X</RefSource><PMID \
                Version=\"1\">99999</PMID></CommentsCorrections></CommentsCorrectionsList>";
    let inside = "<Article><Journal><Title>J</Title></Journal><ArticleTitle>A title</ArticleTitle></Article>";
    for (before, behind, id) in [
        ("<PMID Version=\"1\">5</PMID>", list, "5"),
        (list, "<PMID Version=\"1\">5</PMID>", "5"),
        (list, "", "-"),
        ("<CommentsCorrectionsList/><PMID>5</PMID>", list, "5"),
        ("", list, "-"),
    ] {
        let row = &pubmed(&article(&format!("{before}{inside}{behind}"))).rows[0];
        assert!(row.starts_with(&format!("1|{id}|A title|-|J|")), "{row}");
    }
}

/// Each of them once lost something silently: a notice, a journal, a part of a title; or a copyright became an
/// abstract.
#[test]
fn xml_that_is_valid_and_rare_is_read_all_the_same() {
    let notices = "<PubmedArticleSet><DeleteCitation><PMID/><PMID Version=\"1\">2</PMID><PMID>&#51;</PMID></DeleteCitation></PubmedArticleSet>";
    assert_eq!(
        pubmed(notices).deleted,
        [(0, "2".to_owned()), (0, "3".to_owned())]
    );
    let title = "<PMID>1</PMID><Article><ArticleTitle>a <?pi it's?>b <?pi x > y?>c</ArticleTitle>";
    let copyright = "<Abstract><CopyrightInformation>not ours</CopyrightInformation></Abstract>";
    let journal = "<MedlineJournalInfo><MedlineTA>J A B</MedlineTA></MedlineJournalInfo>";
    let found = pubmed(&article(&format!("{title}{copyright}</Article>{journal}")));
    assert_eq!(found.rows, ["1|1|a b c|-|J A B|-|-|-|-"]);
    // The label of a section without text became part of the abstract, and notices of deleted books were skipped.
    for section in [
        "<AbstractText Label=\"C\"/>",
        "<AbstractText Label=\"C\"> <i/>\n</AbstractText>",
    ] {
        let inside = format!(
            "<PMID>1</PMID><ArticleTitle>a</ArticleTitle><Abstract>{section}<AbstractText Label=\"D\">b</AbstractText>{section}</Abstract>"
        );
        assert_eq!(pubmed(&article(&inside)).rows, ["1|1|a|-|-|D: b|-|-|-"]);
        let alone = format!("<PMID>1</PMID><ArticleTitle>a</ArticleTitle><Abstract>{section}</Abstract>");
        assert_eq!(pubmed(&article(&alone)).rows, ["1|1|a|-|-|-|-|-|-"]);
    }
    let books = "<PubmedBookArticleSet><DeleteDocument><PMID Version=\"1\">5</PMID></DeleteDocument></PubmedBookArticleSet>";
    assert_eq!(pubmed(books).deleted, [(0, "5".to_owned())]);
    let old = "<PMID>1</PMID><Article><ArticleTitle>a</ArticleTitle><Abstract>Words.</Abstract></Article>";
    assert_eq!(pubmed(&article(old)).rows, ["1|1|a|-|-|Words.|-|-|-"]);
}

/// The first was taken for truncated, or its end for text; the second lost its title, or got another element's.
#[test]
fn what_a_comment_holds_ends_nothing_and_closing_tags_may_have_blanks() {
    for hidden in [
        "<!-- </PubmedArticle> </MedlineCitation > -->",
        "<!-- <PubmedArticle> <MedlineCitation> -->",
        "<!-- </ArticleTitle> --><!-- --><!----><!--></PubmedArticle>-->",
    ] {
        let inside = format!("<PMID>1</PMID>{hidden}<ArticleTitle>a {hidden}title</ArticleTitle>");
        assert_eq!(pubmed(&article(&inside)).rows, ["1|1|a title|-|-|-|-|-|-"]);
    }
    let data =
        "<PMID>1</PMID><ArticleTitle>one <![CDATA[</PubmedArticle><PubmedArticle>]]> two</ArticleTitle>";
    let row = "1|1|one </PubmedArticle><PubmedArticle> two|-|-|-|-|-|-";
    assert_eq!(pubmed(&article(data)).rows, [row]);
    let blanks = "<PubmedArticleSet><PubmedArticle ><PMID >1</PMID ><Journal ><Title >J</Title\n></Journal\t><ArticleTitle\n>a</ArticleTitle >\
        <Abstract><AbstractText >b</AbstractText ><AbstractText>c</AbstractText></Abstract ></PubmedArticle\n>\
        <PubmedArticle><PMID>2</PMID><ArticleTitle>d</ArticleTitle></PubmedArticle>\
        <DeleteCitation><PMID>3</PMID\r\n><PMID>4</PMID></DeleteCitation ></PubmedArticleSet >";
    let found = pubmed(blanks);
    assert_eq!(found.rows, ["1|1|a|-|J|b c|-|-|-", "2|2|d|-|-|-|-|-|-"]);
    assert_eq!(found.deleted, [(2, "3".to_owned()), (2, "4".to_owned())]);
}

#[test]
fn every_shape_of_a_publication_date() {
    let cases = [
        ("<Year>2020</Year>", "2020", "a year"),
        (
            "<Year>2020</Year><Month>06</Month>",
            "2020-06",
            "a month as a number",
        ),
        (
            "<Year>2020</Year><Month>6</Month><Day>5</Day>",
            "2020-6-5",
            "a day in numbers",
        ),
        (
            "<Year>2020</Year><Month>Jun</Month><Day>05</Day>",
            "2020 Jun 05",
            "a month by name",
        ),
        (
            "<Year>2020</Year><Season>Spring</Season>",
            "2020 Spring",
            "a season",
        ),
        (
            "<MedlineDate>1975 Jan-Feb</MedlineDate>",
            "1975 Jan-Feb",
            "a span",
        ),
        ("", "-", "nothing"),
    ];
    for (inside, wanted, reason) in cases {
        let xml = article(&format!(
            "<PMID>1</PMID><Journal><PubDate>{inside}</PubDate></Journal><ArticleTitle>T</ArticleTitle>"
        ));
        let date = pubmed(&xml).rows[0].split('|').nth(3).unwrap().to_owned();
        assert_eq!(date, wanted, "{reason}");
    }
}

#[test]
fn the_title_is_whatever_title_there_is() {
    let cases = [
        (
            "<ArticleTitle>Own</ArticleTitle><VernacularTitle>Eigen</VernacularTitle>",
            "Own",
        ),
        (
            "<ArticleTitle>[Not Available].</ArticleTitle><VernacularTitle>Eigen</VernacularTitle>",
            "Eigen",
        ),
        (
            "<ArticleTitle> </ArticleTitle><VernacularTitle>Eigen</VernacularTitle>",
            "Eigen",
        ),
        ("<BookTitle>A book</BookTitle>", "A book"),
        (
            "<ArticleTitle><![CDATA[a < b & <i>c</i>]]></ArticleTitle>",
            "a < b & <i>c</i>",
        ),
        (
            "<ArticleTitle>one<!-- <ArticleTitle>no</ArticleTitle> --> two</ArticleTitle>",
            "one two",
        ),
        (
            "<ArticleTitle book=\"x\" part='a > b'>With attributes</ArticleTitle>",
            "With attributes",
        ),
        (
            "<ArticleTitle><mml:math><mml:mi>x</mml:mi></mml:math> of y</ArticleTitle>",
            "x of y",
        ),
        ("<ArticleTitle>&xxe; stays</ArticleTitle>", "&xxe; stays"),
    ];
    for (inside, wanted) in cases {
        let found = pubmed(&article(&format!("<PMID>1</PMID><Journal></Journal>{inside}")));
        assert_eq!(found.rows[0].split('|').nth(2), Some(wanted), "{inside}");
    }
}

#[test]
fn text_between_records_may_be_longer_than_what_is_read_at_once() {
    // The limit fell inside a letter, and the file was rejected as not UTF-8.
    let record = "<PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>A title</ArticleTitle></Article></MedlineCitation></PubmedArticle>";
    for before in ["x", "xx"] {
        let text = "\u{e9}".repeat(1 << 20);
        let read = pubmed(&format!(
            "<PubmedArticleSet>{before}{text}{record}</PubmedArticleSet>"
        ));
        assert_eq!((read.rows.len(), read.rejected.len()), (1, 0));
        assert!(read.notes.remarks[0].ends_with("of text between records at byte 18"));
    }
}

#[test]
fn xml_that_cannot_be_trusted_is_an_error_that_names_the_byte() {
    let whole = article("<PMID>1</PMID><ArticleTitle>T</ArticleTitle>");
    for end in 1..whole.len() {
        // Truncated anywhere, it is never taken for a smaller but whole file.
        let cut = &whole[..end];
        let message = fault(cut);
        let tells = ["cut off", "inside what begins here", "is closed", "XML or HTML"];
        assert!(
            tells.iter().any(|words| message.contains(words)),
            "{end}: {message}"
        );
    }
    let bomb = format!(r#"<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>{whole}"#);
    assert!(fault(&bomb).contains("never expanded"), "{}", fault(&bomb));
    let external = format!(r#"<!DOCTYPE x [ <!ENTITY xxe SYSTEM "file:///etc/passwd"> ]>{whole}"#);
    assert!(fault(&external).contains("never fetched"));
    assert!(fault("<html><body>PubmedArticleSet</body></html>").contains("XML or HTML"));
    assert!(fault("<Other><PubmedArticleSet/></Other>").contains("<Other>"));
    assert!(fault("<PubmedArticleSet></PubmedArticle></PubmedArticleSet>").contains("without its beginning"));
    assert!(fault("<PubmedArticleSet></DeleteCitation></PubmedArticleSet>").contains("are open"));
}

#[test]
fn articles_are_found_across_the_borders_of_batches() {
    // Records of all lengths around the size of a batch, so that its end falls on every part of one.
    let mut xml = String::from("<PubmedArticleSet>");
    let count = 700;
    for number in 0..count {
        let title = "long ".repeat(number % 1009);
        xml.push_str(&format!(
            "<PubmedArticle><PMID Version='1'>{number}</PMID><ArticleTitle>{title}{number}</ArticleTitle></PubmedArticle>\n"
        ));
    }
    xml.push_str("</PubmedArticleSet>");
    let found = pubmed(&xml);
    assert_eq!(found.rows.len(), count);
    for (number, row) in found.rows.iter().enumerate() {
        assert!(row.starts_with(&format!("{}|{number}|", number + 1)));
        assert_eq!(
            row.split('|').nth(2).unwrap().split(' ').count(),
            number % 1009 + 1
        );
    }
}

#[test]
fn medline_records_end_at_a_blank_line_or_the_next_pmid() {
    let text = "\r\n\nPMID- 1\r\nTI  - First\r\n      title\r\nDP  - 2020 Jan-Feb\r\nJT  - Journal\r\nJID - 0370077\r\nIS  - 1 (Print)\r\nIS  - 2 (Linking)\r\nAB  - Text - with dash\r\n\r\n\
                PMID- 2\nTI  - Second\nTA  - J Abbr\nPMID- 3\nTI  - Third\n\nno tag at all\n\nOWN - NLM\nTI  - No id";
    let found = pubmed(text);
    assert_eq!(found.format, "medline");
    assert_eq!(
        found.rows,
        [
            "3|1|First title|2020 Jan-Feb|Journal|Text - with dash|-|0370077|1 (Print) 2 (Linking)",
            "13|2|Second|-|J Abbr|-|-|-|-",
            "16|3|Third|-|-|-|-|-|-",
            "21|-|No id|-|-|-|-|-|-",
        ]
    );
    assert_eq!(found.rejected, ["19: malformed_row"]);
}

/// A record whose `PMID` was not its first tag became two: one without an id, and one without the tags before it.
#[test]
fn other_tags_of_medline_may_stand_before_the_id() {
    let text = "STAT- MEDLINE\nTI  - First\nPMID- 1\nDP  - 2020\n\nOWN - NLM\nPMID- 2\nTI  - Second\nPMID- 3\nTI  - Third\n\n\
                saved from a page\nPMID- 4\nTI  - Fourth\n";
    let found = pubmed(text);
    assert_eq!(
        found.rows,
        [
            "1|1|First|2020|-|-|-|-|-",
            "6|2|Second|-|-|-|-|-|-",
            "9|3|Third|-|-|-|-|-|-",
            "13|4|Fourth|-|-|-|-|-|-",
        ]
    );
    assert_eq!(found.rejected, ["12: malformed_row"]);
}

#[test]
fn studies_are_read_from_deep_inside_their_objects() {
    let study = r#"{"hasResults":false,"protocolSection":{"identificationModule":{"nctId":"NCT01","briefTitle":"Brief",
        "officialTitle":"Official \"one\"","organization":{"fullName":"X"}},"statusModule":{"startDateStruct":{"date":"2024-12"}},
        "descriptionModule":{"briefSummary":"A summary."},"armsInterventionsModule":{"interventions":[
        {"type":"DRUG","name":"Docetaxel","otherNames":["Taxotere","T"]},{"type":"OTHER","name":"Rest"},{"type":"DRUG"}]}},
        "derivedSection":{"x":[1,2]}}"#;
    let line = study.replace('\n', "");
    let row = r#"NCT01|Official "one"|2024-12|-|A summary.|Brief|DRUG: Docetaxel (Taxotere, T)|OTHER: Rest"#;
    for (content, format) in [
        (format!("[{study},\n{study}]"), "json"),
        (format!("{line}\n{line}\n"), "ndjson"),
        (format!("{study}\n{study}"), "json"),
    ] {
        let found = trials(&content);
        assert_eq!(found.format, format);
        let rows: Vec<&str> = found
            .rows
            .iter()
            .map(|row| row.split_once('|').unwrap().1)
            .collect();
        assert_eq!(rows, [row, row]);
    }
    let bare = trials(
        r#"[{"protocolSection":{"identificationModule":{"nctId":"NCT02","briefTitle":"Only brief"}}}]"#,
    );
    assert_eq!(bare.rows, ["1|NCT02|-|-|-|-|Only brief|-"]);
    let broken =
        trials(r#"[{"protocolSection":{"identificationModule":{"nctId":5}}},{"protocolSection":{}}]"#);
    assert_eq!(broken.rejected, ["1: wrong_type"]);
}

#[test]
fn a_study_with_a_value_of_another_type_is_told_apart_from_broken_json() {
    let study = |id: &str| {
        format!(
            "{{\"protocolSection\":{{\"identificationModule\":{{\"nctId\":{id},\"briefTitle\":\"B\"}}}}}}"
        )
    };
    let found = trials(&[study("[\"x\"]"), study("\"y\""), study("x")].join("\n"));
    assert_eq!(found.rejected, ["1: wrong_type", "3: invalid_json"]);
    assert_eq!(found.rows.len(), 1);
}

#[test]
fn exports_of_both_sites_are_told_by_their_headers() {
    let classic =
        "Rank,NCT Number,Title,Interventions,Start Date\n1,NCT1,A trial,Drug: X|Drug: Y,\"March 1, 2020\"\n";
    assert_eq!(
        trials(classic).rows,
        ["2|NCT1|A trial|March 1, 2020|-|-|-|Drug: X|Drug: Y"]
    );
    let new = "NCT Number,Study Title,Brief Summary,Start Date\nNCT2,Another,In short,2020-01\n";
    assert_eq!(trials(new).rows, ["2|NCT2|Another|2020-01|-|In short|-|-"]);
    let without_dates = "NCT Number,Study Title\nNCT3,Undated\n";
    assert_eq!(trials(without_dates).rows, ["2|NCT3|Undated|-|-|-|-|-"]);
    let plain = "id,scientific_title,date,journal\nNCT4,Old,1 January 2020,J\n";
    assert_eq!(trials(plain).rows, ["2|NCT4|Old|1 January 2020|J|-|-|-"]);
    let message = read(PublicationKind::ClinicalTrial, "a,b\n1,2\n")
        .unwrap_err()
        .to_string();
    assert!(message.contains("NCT Number"), "the shapes are told: {message}");
}

#[test]
fn the_comma_behind_each_row_of_the_old_export_is_no_field() {
    let text = "Title,Details,ShortDetails,EntrezUID\nOne,\"N. 2019 Jun 26;6\",\"N.  2019\",7,\nTwo,\"N. 2018;6\",\"N.  2018\",8,extra\n";
    let found = pubmed(text);
    assert_eq!(found.rows, ["2|7|One|N. 2019 Jun 26;6|N.  2019|-|-"]);
    assert_eq!(
        found.rejected,
        ["3: malformed_row"],
        "a field too many with something in it is still a fault"
    );
    assert_eq!(found.notes.remarks, ["line 2: a separator after the last field"]);
}

/// The extra comma was allowed in any row, so a comma in a title shifted the columns after it.
#[test]
fn a_comma_in_a_title_is_no_comma_too_many() {
    let text =
        "id,title,date,journal\n1,Aspirin,2020,J\n2,\"Aspirin, a trial\",2020,\n3,Aspirin, a trial,2020,\n";
    let found = pubmed(text);
    assert_eq!(found.rows.len(), 2, "{:?}", found.rows);
    assert_eq!(found.rejected, ["4: malformed_row"]);
    assert!(found.notes.remarks.is_empty());
    let every = "id,title,date,journal\n\n1,A,2020,J,\n2,B, and more,2020,J,\n3,C,2020,J\n";
    let found = pubmed(every);
    assert_eq!(found.rows.len(), 2, "{:?}", found.rows);
    assert_eq!(found.rejected, ["4: malformed_row"]);
    assert_eq!(found.notes.remarks, ["line 3: a separator after the last field"]);
}

/// The first row alone decided whether rows end with a comma: if it was broken, or had none, all others were rejected.
#[test]
fn one_odd_row_does_not_speak_for_the_others() {
    let header = "id,title,date,journal\n";
    let with: Vec<String> = (1..=9).map(|id| format!("{id},T,2020,J,\n")).collect();
    let (with, broken) = (with.concat(), "x\n");
    let open = "99,\"T,2020,J,\n";
    for (name, rows, kept, rejected) in [
        ("broken first", format!("{broken}{with}"), 9, 1),
        ("longer first", format!("1,2,3,4,5,6,7\n{with}"), 9, 1),
        ("blank first", format!(" \n\n{with}"), 9, 0),
        ("without the comma first", format!("99,T,2020,J\n{with}"), 10, 0),
        ("an open quote first", format!("{open}{with}"), 9, 1),
        ("an open quote last", format!("{with}{open}"), 9, 1),
        ("broken last", format!("{with}{broken}"), 9, 1),
        (
            "few with it",
            "99,T,2020,J\n98,T,2020,J\n97,T, and more,2020,\n".to_owned(),
            2,
            1,
        ),
    ] {
        let found = pubmed(&format!("{header}{rows}"));
        assert_eq!(
            (found.rows.len(), found.rejected.len()),
            (kept, rejected),
            "{name}: {found:?}"
        );
        assert_eq!(
            found.notes.remarks.len(),
            usize::from(name != "few with it"),
            "{name}: {found:?}"
        );
    }
}

/// No row was judged if the first quote was not closed within a megabyte, or if the first row was longer than that:
/// then all rows that end with a comma were rejected.
#[test]
fn rows_are_judged_behind_a_quote_that_stays_open_and_behind_a_long_row() {
    let rows: String = (2..30_000)
        .map(|id| format!("{id},Title {id} {},2020-01-05,J,\n", "x".repeat(40)))
        .collect();
    let header = "id,title,date,journal\n";
    let found = pubmed(&format!("{header}1,\"Unclosed,2020-01-05,J,\n{rows}"));
    assert_eq!(found.rejected, ["2: unclosed_quote"]);
    assert_eq!(found.rows.len(), 29_998);
    let long = "x y ".repeat(300_000);
    let found = pubmed(&format!(
        "{header}1,{long},2020-01-05,J,\n2,T,2020,J,\n3,T,2020,J,\n"
    ));
    assert_eq!((found.rows.len(), found.rejected.len()), (3, 0));
    let blank = " ".repeat((1 << 20) + 10);
    let found = pubmed(&format!("{blank}\n{header}1,A,2020,J\n"));
    assert_eq!(
        found.rows,
        ["3|1|A|2020|J|-|-|-|-"],
        "a long blank line was taken for the header"
    );
    assert_eq!(found.notes.blank_lines, 1);
}

/// A line of a quoted text with as many commas as a row became a publication that does not exist.
#[test]
fn a_text_over_lines_in_a_row_of_a_wrong_length_is_no_row() {
    let header = "id,title,date,journal\n";
    for (row, rejected) in [
        ("1,\"Dose\nx,y,z,w\"\n", "2: malformed_row"),
        (
            "1,A, b,2020,\"First\nof three, and a, b, c\nend, of it\nthere\"\n",
            "2: malformed_row",
        ),
        (
            "1,A, b,2020,\"First, part\nof, three, and, a\"\n",
            "2: malformed_row",
        ),
    ] {
        for ending in ["\n", "\r\n", "\r"] {
            let text = format!("{header}{row}9,Last,2020,J\n").replace('\n', ending);
            let found = pubmed(&text);
            assert_eq!(found.rejected, [rejected], "{text:?}");
            let line = 2 + row.matches('\n').count();
            assert_eq!(found.rows, [format!("{line}|9|Last|2020|J|-|-|-|-")], "{text:?}");
        }
    }
}

/// After an unclosed quote, rows are found again: whole rows up to the next quote, or a first line that fits by itself.
/// With CR alone they were not, and a CR inside quotes did not end a line.
#[test]
fn rows_behind_an_open_quote_are_rows_whatever_ends_lines() {
    let header = "id,title,date,journal\n";
    for (rows, kept) in [
        (
            "1,\"A,2020,J\n2,B,2020,J\n3,C\",2020,J,K\n4,D,2020,J\n",
            "3|2 5|4",
        ),
        (
            "1,\"A, with, commas,2020,J\n2,B,2020,J\n3,B,2020,J\n4,C\",2020,J,K\n5,D,2020,J\n",
            "3|2 4|3 6|5",
        ),
        (
            "1,\"A,2020,J\n2,B,2020,J\nbroken\n4,C\",2020,J,K\n5,D,2020,J\n",
            "3|2 6|5",
        ),
        ("1,\"A\nB\",2020,J\n2,C,2020,J\n", "2|1 4|2"),
    ] {
        for ending in ["\n", "\r\n", "\r"] {
            let text = format!("{header}{rows}").replace('\n', ending);
            let found = pubmed(&text);
            let ids: Vec<String> = found
                .rows
                .iter()
                .map(|row| row.split('|').take(2).collect::<Vec<_>>().join("|"))
                .collect();
            assert_eq!(ids.join(" "), kept, "{text:?}: {found:?}");
        }
    }
}

/// An empty `id` hid the `pmid` after it, and the row got a made-up id.
#[test]
fn a_blank_value_hides_none_under_another_name() {
    for (keys, id) in [
        (r#""id":"","pmid":"5""#, "5"),
        (r#""pmid":"5","id":" ""#, "5"),
        (r#""id":null,"pmid":"5""#, "5"),
        (r#""pmid":"5","id":"6""#, "6"),
        (r#""id":"6","pmid":"5""#, "6"),
        (r#""id":"6","id":"7""#, "7"),
        (r#""id":"6","id":"""#, ""),
        (r#""pmid":"","id":"""#, ""),
    ] {
        let found = pubmed(&format!(
            "{{{keys},\"title\":\"T\",\"date\":\"2020\",\"journal\":\"J\"}}"
        ));
        assert_eq!(found.rows, [format!("1|{id}|T|2020|J|-|-|-|-")], "{keys}");
    }
}

/// The message listed names that the file does not have.
#[test]
fn missing_keys_are_told_beside_those_of_the_file() {
    let text = r#"{"Key":"1","Title":"T","Brief Summary":"q"}"#;
    let Err(Error::Schema { found, missing, .. }) = read(PublicationKind::ClinicalTrial, text) else {
        panic!("keys are missing")
    };
    assert_eq!(found, ["title", "Brief Summary", "Key"]);
    assert_eq!(missing, ["id` or `nct_id` or `publication_id", "date", "journal"]);
}

/// A pipe was opened, recognised and closed; a fast writer lost its reader, and the next open waited for ever.
#[cfg(unix)]
#[test]
fn a_pipe_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let mut files = expand_all(&[pipe.display().to_string()], "a pipe", &Task::new()).unwrap();
    let file = files.remove(0);
    let (tell, told) = std::sync::mpsc::channel();
    // Opening a pipe waits for a writer, and there is none.
    std::thread::spawn(move || tell.send(file.open_file().unwrap().is_none()));
    let is_no_file = told.recv_timeout(std::time::Duration::from_secs(20));
    assert!(is_no_file.expect("it was opened"));
}
