"""What records say beside title, date and journal, from every format that has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from written_sources import write_drugs

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path


NOTHING: dict[str, Any] = {
    "doi": None,
    "pmcid": None,
    "version": None,
    "publication_types": [],
    "status": None,
    "mesh": [],
    "substances": [],
    "trial_ids": [],
    "phase": None,
    "trial_status": None,
    "conditions": [],
    "interventions": [],
}


def details(path: Path, text: str, kind: Any = "pubmed") -> list[dict[str, Any]]:
    """The details of each row of a source: those that differ from nothing."""
    path.write_text(text, encoding="utf-8")
    rows = drugs_rs.read_publications(path, kind=kind).to_dicts()
    return [{name: row[name] for name, nothing in NOTHING.items() if row[name] != nothing} for row in rows]


def article(
    pmid: int = 1, *, version: int = 1, inside: str = "", behind: str = "", data: str = "", title: str = "A title"
) -> str:
    """A record with more at the end of the article, behind the journal's information, and in `PubmedData`."""
    return f"""<PubmedArticle><MedlineCitation><PMID Version="{version}">{pmid}</PMID>
<Article><Journal><JournalIssue><PubDate><Year>2020</Year></PubDate></JournalIssue><Title>Annals</Title></Journal>
<ArticleTitle>{title}</ArticleTitle>{inside}</Article>
<MedlineJournalInfo><MedlineTA>Ann</MedlineTA></MedlineJournalInfo>{behind}</MedlineCitation>
<PubmedData>{data}</PubmedData></PubmedArticle>"""


def article_set(*articles: str) -> str:
    return f"<PubmedArticleSet>{''.join(articles)}</PubmedArticleSet>"


def types(*names: str) -> str:
    inner = "".join(f"<PublicationType>{name}</PublicationType>" for name in names)
    return f"<PublicationTypeList>{inner}</PublicationTypeList>"


def notices(*kinds: str) -> str:
    inner = "".join(f'<CommentsCorrections RefType="{kind}"><PMID>9</PMID></CommentsCorrections>' for kind in kinds)
    return f"<CommentsCorrectionsList>{inner}</CommentsCorrectionsList>"


def test_xml_has_ids_types_headings_substances_and_trials(tmp_path: Path) -> None:
    inside = (
        '<ELocationID EIdType="doi" ValidYN="Y">10.1/location</ELocationID><Abstract><AbstractText>Text</AbstractText>'
        "</Abstract><AuthorList><Author><LastName>Doe</LastName></Author></AuthorList><DataBankList><DataBank>"
        "<DataBankName>ClinicalTrials.gov</DataBankName><AccessionNumberList><AccessionNumber>NCT01234567"
        "</AccessionNumber><AccessionNumber>NCT0123456</AccessionNumber></AccessionNumberList></DataBank><DataBank>"
        "<DataBankName>GENBANK</DataBankName><AccessionNumberList><AccessionNumber>AF1</AccessionNumber>"
        "</AccessionNumberList></DataBank></DataBankList>" + types("Journal Article", "Randomized &amp; Controlled")
    )
    behind = (
        "<ChemicalList><Chemical><RegistryNumber>6T84R30KC1</RegistryNumber><NameOfSubstance UI="
        '"D014148">Tranexamic Acid</NameOfSubstance></Chemical><Chemical><RegistryNumber>0</RegistryNumber>'
        '<NameOfSubstance UI="D000911">Antibodies, &lt;x&gt;</NameOfSubstance></Chemical></ChemicalList>'
        "<MeshHeadingList><MeshHeading><DescriptorName UI="
        '"D000001" MajorTopicYN="N">A</DescriptorName><QualifierName UI="Q000627">use</QualifierName></MeshHeading>'
        '<MeshHeading><DescriptorName UI="D000002">B</DescriptorName></MeshHeading></MeshHeadingList>'
    )
    data = (
        '<History/><ArticleIdList><ArticleId IdType="pubmed">1</ArticleId><ArticleId IdType="pmc">PMC77</ArticleId>'
        '<ArticleId IdType="doi">10.1016/j.x&lt;1&gt;</ArticleId></ArticleIdList><ReferenceList><Reference>'
        '<ArticleIdList><ArticleId IdType="doi">10.9/cited</ArticleId></ArticleIdList></Reference></ReferenceList>'
    )
    found = details(tmp_path / "a.xml", article_set(article(inside=inside, behind=behind, data=data, version=3)))
    assert found == [
        {
            "doi": "10.1016/j.x<1>",
            "pmcid": "PMC77",
            "version": 3,
            "publication_types": ["Journal Article", "Randomized & Controlled"],
            "mesh": ["D000001", "D000002"],
            "substances": [
                {"name": "Tranexamic Acid", "registry_number": "6T84R30KC1", "ui": "D014148"},
                {"name": "Antibodies, <x>", "registry_number": None, "ui": "D000911"},
            ],
            "trial_ids": ["NCT01234567"],
        }
    ]


OWN_IDS = '<ArticleIdList><ArticleId IdType="doi">10.1/b</ArticleId></ArticleIdList>'


@pytest.mark.parametrize(
    ("inside", "data", "doi"),
    [
        ('<ELocationID EIdType="doi">10.1/here</ELocationID>', "", "10.1/here"),
        ('<ELocationID EIdType="pii">10.1/here</ELocationID>', "", None),
        ('<ELocationID EIdType="doi" ValidYN="N">10.1/here</ELocationID>', "", None),
        ('<ELocationID EIdType="doi">10.1/a</ELocationID>', OWN_IDS, "10.1/b"),
        ("", f"<ReferenceList><Reference>{OWN_IDS}</Reference></ReferenceList>", None),
        ('<Abstract><AbstractText>no doi 10.1/x</AbstractText></Abstract>', "", None),
        ('<ELocationID EIdType="doi">not one</ELocationID>', "", None),
    ],
)  # fmt: skip
def test_the_doi_of_xml_is_that_of_the_record(tmp_path: Path, inside: str, data: str, doi: str | None) -> None:
    [found] = details(tmp_path / "a.xml", article_set(article(inside=inside, data=data)))
    assert found.get("doi") == doi


@pytest.mark.parametrize(
    ("inside", "behind", "status"),
    [
        (types("Journal Article", "Retracted Publication"), "", "retracted"),
        ("", notices("Cites", "RetractionIn"), "retracted"),
        (types("Retraction of Publication"), "", "retraction_notice"),
        (types("Retraction Notice"), notices("RetractionOf"), "retraction_notice"),
        (types("Expression of Concern"), "", "expression_of_concern"),
        ("", notices("ExpressionOfConcernIn", "ErratumIn"), "expression_of_concern"),
        ("", notices("ErratumIn"), "corrected"),
        ("", notices("CorrectedandRepublishedIn"), "corrected"),
        ("", notices("PartialRetractionIn"), "corrected"),
        (types("Journal Article"), notices("Cites", "CommentIn", "ErratumFor", "UpdateIn"), None),
        (types("Retracted Publication"), notices("ErratumIn", "ExpressionOfConcernIn"), "retracted"),
    ],
)
def test_the_status_of_a_publication(tmp_path: Path, inside: str, behind: str, status: str | None) -> None:
    [found] = details(tmp_path / "a.xml", article_set(article(inside=inside, behind=behind)))
    assert found.get("status") == status


def test_a_record_in_comments_and_cdata_reads_the_same(tmp_path: Path) -> None:
    behind = "<!-- <ChemicalList><Chemical><NameOfSubstance>No</NameOfSubstance></Chemical></ChemicalList> -->"
    inside = "<PublicationTypeList><PublicationType><![CDATA[Review & more]]></PublicationType></PublicationTypeList>"
    [found] = details(tmp_path / "a.xml", article_set(article(inside=inside, behind=behind)))
    assert found == {"version": 1, "publication_types": ["Review & more"]}


def test_control_characters_do_not_part_a_list(tmp_path: Path) -> None:
    """Lists travel with separators between readers and silver; a text that holds one is no second item."""
    inside = types("One\u001eitem", "Two\u001fparts", "\u001d")
    [found] = details(tmp_path / "a.xml", article_set(article(inside=inside)))
    assert found["publication_types"] == ["One item", "Two parts"]


MEDLINE = """PMID- 7
TI  - A title.
LID - 110535 [pii]
LID - 10.1016/j.nut.2019.06.016 [doi]
DP  - 2021 Mar 13
JT  - Annals
PT  - Journal Article
PT  - Randomized Controlled
      Trial
PMC - PMC7026692
RN  - 11000-17-2 (Vasopressins)
RN  - 0 (Somatostatin (1-14)
      analogue)
SI  - ClinicalTrials.gov/NCT01234567
SI  - GENBANK/AF1
EIN - J Foo. 2021 Mar 14. PMID: 8
MH  - Adult
AID - 10.1016/other [doi]

PMID- 8
TI  - Retracted.
DP  - 2021
JT  - Annals
RIN - J Foo. 2021
      Mar. PMID: 9
"""


def test_medline_has_what_its_tags_say(tmp_path: Path) -> None:
    assert details(tmp_path / "a.nbib", MEDLINE) == [
        {
            "doi": "10.1016/j.nut.2019.06.016",
            "pmcid": "PMC7026692",
            "publication_types": ["Journal Article", "Randomized Controlled Trial"],
            "status": "corrected",
            "substances": [
                {"name": "Vasopressins", "registry_number": "11000-17-2", "ui": None},
                {"name": "Somatostatin (1-14) analogue", "registry_number": None, "ui": None},
            ],
            "trial_ids": ["NCT01234567"],
        },
        {"status": "retracted"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.ris",
            "TY  - JOUR\nAN  - 1\nTI  - A title\nJF  - Annals\nPY  - 2020\nDO  - https://doi.org/10.1/x\nER  - \n",
            {"doi": "10.1/x"},
        ),
        (
            "ovid.txt",
            "<1. >\nUI  - 1\nTI  - A title\nJT  - Annals\nDP  - 2020\nPT  - Review\nDO  - 10.1/x\n",
            {"doi": "10.1/x", "publication_types": ["Review"]},
        ),
        (
            "today.csv",
            """PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,Create Date,PMCID,NIHMS ID,DOI
1,A title,Doe.,"Eur J. 2020 Feb;63(2):1. doi: 10.1/y. Epub.",Doe,Eur J,2020,2019/03/30,PMC77,,10.1/x
""",
            {"doi": "10.1/x", "pmcid": "PMC77"},
        ),
        (
            "legacy.csv",
            """Title,URL,Description,Details,ShortDetails,Resource,Type,Identifiers,Db,EntrezUID,Properties
"A title","/pubmed/1","Doe.","Nutrition. 2019 Jun 26;67:1. doi: 10.1016/j.nut.2. [Epub]","Nutrition.  2019","PubMed",\
"citation","PMID:1 | PMCID:PMC66","pubmed","1","create date:2019/08/11"
""",
            {"doi": "10.1016/j.nut.2", "pmcid": "PMC66"},
        ),
        (
            "plain.csv",
            "id,title,date,journal,DOI,pmcid\n1,A title,2020,Annals,doi:10.1/x,none\n",
            {"doi": "10.1/x"},
        ),
        (
            "plain.json",
            '[{"id": 1, "title": "A title", "date": "2020", "journal": "J", "doi": ["10.1/x"], "pmcid": {"a": 1}}]',
            {},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_other_formats_of_articles(tmp_path: Path, name: str, text: str, expected: dict[str, Any]) -> None:
    assert details(tmp_path / name, text) == [expected]


STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT01234567", "officialTitle": "A study"},
        "statusModule": {"overallStatus": "ACTIVE_NOT_RECRUITING", "startDateStruct": {"date": "2020-01"}},
        "conditionsModule": {"conditions": ["Asthma", "COPD | severe"]},
        "designModule": {"phases": ["PHASE2", "PHASE3"]},
        "armsInterventionsModule": {
            "armGroups": [
                {"label": "One", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Alpha", "Drug: Beta"]},
                {"label": "Two", "type": "PLACEBO_COMPARATOR", "interventionNames": ["Drug: Placebo"]},
                {"label": "Three", "type": "ACTIVE_COMPARATOR"},
                {"label": "Four", "type": "SHAM_COMPARATOR"},
                {"label": "Five"},
            ],
            "interventions": [
                {"type": "DRUG", "name": "Alpha", "otherNames": ["A | 1", "A2"], "armGroupLabels": ["One", "Three"]},
                {"type": "DRUG", "name": "Beta"},
                {"type": "DRUG", "name": "Placebo", "armGroupLabels": ["Two"]},
                {"type": "DEVICE", "name": "Needle", "armGroupLabels": ["Four", "Five"]},
                {"name": "Rest", "armGroupLabels": ["Nowhere"]},
                {"type": "DRUG", "name": "Gamma", "armGroupLabels": ["Five"]},
            ],
        },
    }
}


def test_studies_of_the_api_have_roles_by_their_arms(tmp_path: Path) -> None:
    """By the labels that an intervention names, and by the names that an arm gives; one without a type is `other`."""
    [found] = details(tmp_path / "a.json", json.dumps([STUDY]), "clinical_trial")
    assert found == {
        "phase": "PHASE2/PHASE3",
        "trial_status": "ACTIVE_NOT_RECRUITING",
        "conditions": ["Asthma", "COPD | severe"],
        "interventions": [
            {
                "type": "DRUG",
                "name": "Alpha",
                "other_names": ["A | 1", "A2"],
                "roles": ["experimental", "active_comparator"],
            },
            {"type": "DRUG", "name": "Beta", "other_names": [], "roles": ["experimental"]},
            {"type": "DRUG", "name": "Placebo", "other_names": [], "roles": ["placebo_comparator"]},
            {"type": "DEVICE", "name": "Needle", "other_names": [], "roles": ["other"]},
            {"type": None, "name": "Rest", "other_names": [], "roles": []},
            {"type": "DRUG", "name": "Gamma", "other_names": [], "roles": ["other"]},
        ],
    }  # fmt: skip


def test_a_detail_of_another_type_rejects_no_study(tmp_path: Path) -> None:
    study = json.loads(json.dumps(STUDY))
    section = study["protocolSection"]
    section["conditionsModule"] = {"conditions": "Asthma"}
    section["designModule"] = ["PHASE2"]
    section["statusModule"]["overallStatus"] = 7
    section["armsInterventionsModule"]["armGroups"] = {"label": "One"}
    [found] = details(tmp_path / "a.json", json.dumps([study]), "clinical_trial")
    assert set(found) == {"interventions"} and all(its["roles"] == [] for its in found["interventions"])


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "NCT Number,Study Title,Study Status,Conditions,Interventions,Phases,Start Date",
            "NCT01234567,A study,COMPLETED,Asthma|COPD,DRUG: A: 5 mg|DIETARY_SUPPLEMENT: B|Rest: no,PHASE1|PHASE2,2020",
            {
                "phase": "PHASE1/PHASE2",
                "trial_status": "COMPLETED",
                "conditions": ["Asthma", "COPD"],
                "interventions": [("DRUG", "A: 5 mg"), ("DIETARY_SUPPLEMENT", "B"), (None, "Rest: no")],
            },
        ),
        (
            "Rank,NCT Number,Title,Status,Conditions,Interventions,Phases,Start Date",
            '1,NCT01234567,A study,"Active, not recruiting",Asthma,Dietary Supplement: Beta,Early Phase 1,2020-03-01',
            {
                "phase": "EARLY_PHASE1",
                "trial_status": "ACTIVE_NOT_RECRUITING",
                "conditions": ["Asthma"],
                "interventions": [("DIETARY_SUPPLEMENT", "Beta")],
            },
        ),
        (
            "NCT Number,Study Title,Study Status,Conditions,Interventions,Phases,Start Date",
            "NCT01234567,A study,,,,NA,2020-01",
            {"phase": "NA"},
        ),
    ],
)
def test_exports_of_trials(tmp_path: Path, header: str, row: str, expected: dict[str, Any]) -> None:
    [found] = details(tmp_path / "a.csv", f"{header}\n{row}\n", "clinical_trial")
    pairs = [(its["type"], its["name"]) for its in found.get("interventions", [])]
    assert {**found, "interventions": pairs} == {"interventions": [], **expected}


def test_the_tables_of_aact(tmp_path: Path) -> None:
    text = (
        "nct_id|official_title|start_date|brief_title|phase|overall_status\n"
        "NCT01234567|A study|2020-01-01|Brief|Phase 2/Phase 3|Unknown status\n"
        "NCT01234568|Another|2020-01-01|Brief|N/A|\n"
    )
    found = details(tmp_path / "studies.txt", text, "clinical_trial")
    assert found == [{"phase": "PHASE2/PHASE3", "trial_status": "UNKNOWN_STATUS"}, {"phase": "NA"}]


def test_a_record_of_which_only_details_change_is_a_new_version(tmp_path: Path) -> None:
    """A retraction changes neither title nor date; the row of the retracted state replaces the other one."""
    for order in (1, -1):
        records = [article(7), article(7, inside=types("Retracted Publication"))][::order]
        rows = tmp_path / f"{order}.xml"
        rows.write_text(article_set(*records), encoding="utf-8")
        lake = tmp_path / f"lake{order}"
        drugs_rs.run(drugs=write_drugs(tmp_path / "drugs.csv", ("A", "alpha")), pubmed=rows, lake=lake, dt="2024-01-01")
        [row] = drugs_rs.Lake(lake).scan("publications_all").read().to_dicts()
        assert row["status"] == ("retracted" if order == 1 else None)
