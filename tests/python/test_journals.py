"""One journal under several names: sources that give a journal an id say which names are one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from lake_tables import publications, rows

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

XML = "<PubmedArticleSet>{}</PubmedArticleSet>"
ARTICLE = (
    '<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><Journal>{issn}<JournalIssue><PubDate>'
    "<Year>2020</Year></PubDate></JournalIssue><Title>{title}</Title></Journal>"
    "<ArticleTitle>Aspirin {pmid}</ArticleTitle>"
    "<Abstract><AbstractText>Words.</AbstractText></Abstract></Article><MedlineJournalInfo>{info}</MedlineJournalInfo>"
    "<ChemicalList><NlmUniqueID>9999999</NlmUniqueID></ChemicalList></MedlineCitation></PubmedArticle>"
)
MEDLINE = "PMID- {pmid}\nTI  - Aspirin {pmid}\nDP  - 2020\nJT  - {title}\n{more}\n"


def article(pmid: int, title: str, nlm_id: str = "", linking: str = "", issn: str = "") -> str:
    info = f"<MedlineTA>x</MedlineTA><NlmUniqueID>{nlm_id}</NlmUniqueID>" if nlm_id else "<MedlineTA>x</MedlineTA>"
    info += f"<ISSNLinking>{linking}</ISSNLinking>" if linking else ""
    given = f'<ISSN IssnType="Print">{issn}</ISSN>' if issn else ""
    return ARTICLE.format(pmid=pmid, title=title, info=info, issn=given)


def delivered(lake: Path, dt: str, name: str, text: str, **keywords: Any) -> None:
    source = lake.parent / name
    source.write_text(text, encoding="utf-8")
    drugs = lake.parent / "drugs.csv"
    drugs.write_text("atccode,drug\nN02BA01,aspirin\n", encoding="utf-8")
    drugs_rs.bronze(drugs=drugs, pubmed=source, out=lake, dt=dt)
    drugs_rs.silver(out=lake, dt=dt, **keywords)


def graph(lake: Path, dt: str) -> dict[str, list[str]]:
    """The journals of the graph, and the publications that mention something in each."""
    drugs_rs.gold(out=lake, dt=dt)
    found: dict[str, list[str]] = {}
    for mention in drugs_rs.read_graph(lake).mentions().to_dicts():
        found.setdefault(mention["journal"], []).append(mention["publication_id"])
    return {journal: sorted(ids) for journal, ids in sorted(found.items())}


def known(lake: Path, dt: str) -> list[tuple[str, str | None, str | None]]:
    path = lake / "silver" / "journals" / "kind=pubmed" / f"dt={dt}" / "part-00000.parquet"
    return [(row["journal_key"], row["nlm_id"], row["issn"]) for row in rows(path)] if path.exists() else []


def test_names_with_one_id_are_one_journal_over_partitions_and_formats(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    first = [
        article(1, "The Journal of Pharmacy", "0370077", "0006-2952", "1873-2968"),
        article(2, "The Journal of Pharmacy", "0370077", "0006-2952"),
        article(3, "Annals", "0000123"),
    ]
    delivered(lake, "2020-01-01", "first.xml", XML.format("".join(first)))
    # The linking ISSN, not the other one, and no id from elsewhere in the record.
    assert known(lake, "2020-01-01") == [
        ("annals", "0000123", None),
        ("the journal of pharmacy", "0370077", "0006-2952"),
    ]
    assert graph(lake, "2020-01-01") == {"Annals": ["3"], "The Journal of Pharmacy": ["1", "2"]}

    # Later the catalogue changes the title, and another source abbreviates it.
    medline = MEDLINE.format(pmid=4, title="Journal of pharmacy (Paris)", more="JID - 0370077") + "\n"
    medline += MEDLINE.format(pmid=5, title="J Pharm", more="IS  - 1873-2968 (Electronic)\nIS  - 0006-2952 (Linking)")
    delivered(lake, "2020-01-02", "second.txt", medline)
    assert known(lake, "2020-01-02") == [("j pharm", None, "0006-2952"), ("journal of pharmacy paris", "0370077", None)]
    whole = {"Annals": ["3"], "The Journal of Pharmacy": ["1", "2", "4", "5"]}
    assert graph(lake, "2020-01-02") == whole
    top = json.loads((lake / "gold" / "top_journals.json").read_text(encoding="utf-8"))
    assert top == {"Annals": 1, "The Journal of Pharmacy": 1}
    # Each row keeps its own spelling and key.
    assert {row["journal"] for row in publications(lake, dt="2020-01-02")} == {"Journal of pharmacy (Paris)", "J Pharm"}

    # A held date has no effect; after its release it has again.
    drugs_rs.hold(lake, "2020-01-02", "a look at it")
    assert graph(lake, "2020-01-02") == {"Annals": ["3"], "The Journal of Pharmacy": ["1", "2"]}
    drugs_rs.release(lake, "2020-01-02")
    assert graph(lake, "2020-01-02") == whole

    backwards = tmp_path / "backwards"
    delivered(backwards, "2020-01-02", "second.txt", medline)
    delivered(backwards, "2020-01-01", "first.xml", XML.format("".join(first)))
    assert graph(backwards, "2020-01-02") == whole


def test_an_id_never_parts_what_a_name_joins(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    articles = [article(1, "Medicine", "0370077"), article(2, "MEDICINE", "0000123"), article(3, "Medicine")]
    delivered(lake, "2020-01-01", "same.xml", XML.format("".join(articles)))
    assert graph(lake, "2020-01-01") == {"Medicine": ["1", "2", "3"]}


@pytest.mark.parametrize(
    ("issn", "joined"),
    [("0006-2952", True), ("00062952", True), ("0006-2953", False), ("n/a", False), ("", False)],
)
def test_an_issn_counts_if_it_is_one(issn: str, joined: bool, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    articles = [article(1, "J Pharm", issn=issn), article(2, "Journal of Pharmacy", issn="0006-2952")]
    delivered(lake, "2020-01-01", "articles.xml", XML.format("".join(articles)))
    found = graph(lake, "2020-01-01")
    assert found == ({"J Pharm": ["1", "2"]} if joined else {"J Pharm": ["1"], "Journal of Pharmacy": ["2"]})


@pytest.mark.parametrize("issn", ["0006-2952", ["0006-2952", "1873-2968"], {"print": "0006-2952"}, 62952, True, None])
def test_a_column_of_that_name_in_another_format_is_passed_over(issn: object, tmp_path: Path) -> None:
    """Rows were rejected for the type of a value that nothing needs."""
    lake = tmp_path / "lake"
    line = {"id": "1", "title": "Aspirin", "date": "2020", "journal": "J Pharm", "issn": issn, "nlm_id": issn}
    delivered(lake, "2020-01-01", "rows.ndjson", json.dumps(line) + "\n")
    assert graph(lake, "2020-01-01") == {"J Pharm": ["1"]}
    assert known(lake, "2020-01-01") == []


def test_sections_under_one_issn_stay_journals_of_their_own(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    articles = [
        article(1, "Acta. Section A", "0370077", "0006-2952"),
        article(2, "Acta. Section B", "0000123", "0006-2952"),
    ]
    delivered(lake, "2020-01-01", "sections.xml", XML.format("".join(articles)))
    assert graph(lake, "2020-01-01") == {"Acta. Section A": ["1"], "Acta. Section B": ["2"]}


def test_a_name_that_two_journals_share_joins_neither(tmp_path: Path) -> None:
    """The catalogue knows the last two apart, but each was called by the first name in some record."""
    lake = tmp_path / "lake"
    articles = [
        article(1, "Bulletin", "0370077"),
        article(2, "Bulletin", "0000123"),
        article(3, "Bulletin of A", "0370077"),
        article(4, "Bulletin of B", "0000123"),
        article(5, "Bull B", "0000123"),
    ]
    delivered(lake, "2020-01-01", "bulletins.xml", XML.format("".join(articles)))
    assert graph(lake, "2020-01-01") == {"Bull B": ["4", "5"], "Bulletin": ["1", "2"], "Bulletin of A": ["3"]}


@pytest.mark.parametrize("ids", [("0000000", ""), ("9999999", ""), ("", "0000-0000"), ("", "9999-9994")])
def test_what_stands_for_an_unknown_id_joins_nothing(ids: tuple[str, str], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    nlm_id, issn = ids
    articles = [article(1, "J Pharm", nlm_id, issn=issn), article(2, "Annals", nlm_id, issn=issn)]
    delivered(lake, "2020-01-01", "articles.xml", XML.format("".join(articles)))
    assert graph(lake, "2020-01-01") == {"Annals": ["2"], "J Pharm": ["1"]}


def test_a_bad_file_says_nothing_of_journals(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    folder = tmp_path / "delivery"
    folder.mkdir()
    good = [article(1, "J Pharm", "0000123"), article(2, "Journal of Pharmacy", "0000456")]
    (folder / "a.xml").write_text(XML.format("".join(good)), encoding="utf-8")
    # Truncated after records that would join the two.
    liar = article(3, "J Pharm", "0370077") + article(4, "Journal of Pharmacy", "0370077")
    (folder / "b.xml").write_text("<PubmedArticleSet>" + liar, encoding="utf-8")
    drugs = tmp_path / "drugs.csv"
    drugs.write_text("atccode,drug\nN02BA01,aspirin\n", encoding="utf-8")
    drugs_rs.bronze(drugs=drugs, pubmed=folder, out=lake, dt="2020-01-01")
    drugs_rs.silver(out=lake, dt="2020-01-01", on_bad_file="reject")
    assert known(lake, "2020-01-01") == [("j pharm", "0000123", None), ("journal of pharmacy", "0000456", None)]
    assert graph(lake, "2020-01-01") == {"J Pharm": ["1"], "Journal of Pharmacy": ["2"]}


def test_a_file_of_ids_that_is_gone_or_cut_is_told_and_made_again(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    dt = "2020-01-01"
    articles = article(1, "J Pharm", "0370077") + article(2, "Journal of Pharmacy", "0370077")
    delivered(lake, dt, "articles.xml", XML.format(articles))
    path = lake / "silver" / "journals" / "kind=pubmed" / f"dt={dt}" / "part-00000.parquet"
    whole = path.read_bytes()
    assert graph(lake, dt) == {"J Pharm": ["1", "2"]}
    answers = (lake / "gold" / "drug_graph.json").read_bytes()
    assert drugs_rs.silver(out=lake, dt=dt)["unchanged"]
    for cut in (None, b"", whole[: len(whole) // 2]):
        path.unlink()
        if cut is not None:
            path.write_bytes(cut)
        # Without its index gold reads everything again.
        (lake / "gold" / "index" / "sums.bin").unlink()
        with pytest.raises(exceptions.DrugsError, match="silver/journals/kind=pubmed/dt=2020-01-01/part-00000.parquet"):
            drugs_rs.gold(out=lake, dt=dt)
        assert (lake / "gold" / "drug_graph.json").read_bytes() == answers
        assert not drugs_rs.silver(out=lake, dt=dt)["unchanged"]
        assert path.read_bytes() == whole
        drugs_rs.gold(out=lake, dt=dt)
        assert (lake / "gold" / "drug_graph.json").read_bytes() == answers


def test_ids_of_no_sensible_size_are_none(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    delivered(lake, "2020-01-01", "huge.xml", XML.format(article(1, "J", "9" * 2_000_000, "1" * 2_000_000)))
    assert known(lake, "2020-01-01") == []
    delivered(lake, "2020-01-02", "none.xml", XML.format(""))
    assert known(lake, "2020-01-02") == []


def test_a_delivery_without_ids_takes_the_old_ones_away(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    delivered(lake, "2020-01-01", "with.xml", XML.format(article(1, "J Pharm", "0370077")))
    assert known(lake, "2020-01-01") == [("j pharm", "0370077", None)]
    delivered(lake, "2020-01-01", "without.xml", XML.format(article(1, "J Pharm")))
    assert known(lake, "2020-01-01") == []
