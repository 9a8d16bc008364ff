"""What silver makes of ids, halves, duplicates, text, journals and drugs; of dates in `test_dates.py`."""

from __future__ import annotations

import json
import re
import unicodedata
import uuid
from pathlib import Path

import pytest
from lake_tables import Row, clean, conserved
from written_sources import Record, csv_text, json_text, write, write_drugs, write_pubmed, write_trials

pytestmark = pytest.mark.core

DATA = Path(__file__).resolve().parent.parent / "data"
DAY = "2020-01-01"


def cleaned_rows(folder: Path, *records: Record) -> list[Row]:
    """The kept rows of a PubMed CSV with these records."""
    return clean(folder / "lake", write_pubmed(folder / "articles.csv", *records)).kept


def only(found: list[Row]) -> Row:
    """The one row."""
    (row,) = found
    return row


def cleaned_title(folder: Path, title: str) -> Row:
    """One record with this title."""
    return only(cleaned_rows(folder, ("1", title, DAY, "Annals")))


# Ids

IDS = [
    ("7", "7"),
    ("  7\t", "7"),
    ("007", "007"),
    ("NCT01", "NCT01"),
    ("31400738.0", "31400738"),
    (" 1.00 ", "1"),
    ("1.5", "1.5"),
    ("1.", "1."),
    ("NCT01.0", "NCT01.0"),
]


@pytest.mark.parametrize(("identifier", "wanted"), IDS)
def test_ids_are_trimmed_text(identifier: str, wanted: str, tmp_path: Path) -> None:
    row = only(cleaned_rows(tmp_path, (identifier, "A title", DAY, "Annals")))
    assert row["publication_id"] == wanted
    assert "synthetic_id" not in row["flags"]


def test_numbers_in_json_become_text(tmp_path: Path) -> None:
    elements = '[{"id": 9, "title": "A", "date": "2020", "journal": "J"}, {"id": 12345678901234567890, "title": "B", '
    elements += '"date": "2020", "journal": "J"}, {"id": 31400738.0, "title": "D", "date": "2020", "journal": "J"}, '
    elements += '{"id": "9a", "title": "C", "date": "2020", "journal": "J"}]'
    kept = clean(tmp_path / "lake", write(tmp_path / "articles.json", elements)).kept
    # More digits than a 64-bit number has: read as a float, it would become another id.
    assert [row["publication_id"] for row in kept] == ["9", "12345678901234567890", "31400738", "9a"]


@pytest.mark.parametrize("missing", ['""', '"  "', "null", '"null"', '"N/A"', '"NaN"', '"-"'])
def test_missing_id_is_made_from_the_record(missing: str, tmp_path: Path) -> None:
    text = f'[{{"id": {missing}, "title": "A title", "date": "2020-01-01", "journal": "Annals"}}]'
    row = only(clean(tmp_path / "lake", write(tmp_path / "articles.json", text)).kept)
    assert uuid.UUID(row["publication_id"]).version == 5
    assert "synthetic_id" in row["flags"]


WORDS_FOR_NOTHING = ("null", "N/A", "NA", "None", "NaN", "-")


@pytest.mark.parametrize("table", ["pubmed", "clinical_trials"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.ndjson", "a.parquet"])
def test_words_for_nothing_are_nothing_but_in_titles(name: str, table: str, tmp_path: Path) -> None:
    title = "title" if table == "pubmed" else "scientific_title"
    records = [(word, word, word, word) for word in WORDS_FOR_NOTHING]
    columns = ("id", title, "date", "journal")
    source = tmp_path / name
    if name == "a.csv":
        write(source, csv_text(columns, records))
    elif name == "a.parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        arrow = pytest.importorskip("pyarrow")
        parquet.write_table(arrow.table(dict(zip(columns, map(list, zip(*records))))), source)
    else:
        objects = [json.dumps(dict(zip(columns, record))) for record in records]
        write(source, "\n".join(objects) if name == "a.ndjson" else "[" + ",".join(objects) + "]")
    kept = clean(tmp_path / "lake", source, table=table).kept
    assert [row["title"] for row in kept] == list(WORDS_FOR_NOTHING)
    for row in kept:
        assert uuid.UUID(row["publication_id"]).version == 5
        assert (row["date"], row["journal"]) == (None, None)
        assert set(row["flags"]) == {"synthetic_id", "missing_date", "missing_journal"}


def test_made_ids_depend_on_what_the_record_says_and_on_nothing_else(tmp_path: Path) -> None:
    def made(folder: str, *record: str) -> str:
        return str(only(cleaned_rows(tmp_path / folder, ("", *record)))["publication_id"])

    first = made("a", "A title", DAY, "Annals")
    assert made("b", "A  title ", "01/01/2020", "Annals") == first, "another lake, the same record in another dress"
    others = {made("c", "Another title", DAY, "Annals"), made("d", "A title", "2020-01-02", "Annals")}
    others |= {made("e", "A title", DAY, "Acta"), made("f", "A title", "", "Annals"), made("g", "A title", DAY, "")}
    trials = write_trials(tmp_path / "trials.csv", ("", "A title", DAY, "Annals"))
    others.add(only(clean(tmp_path / "h", trials, table="clinical_trials").kept)["publication_id"])
    assert len(others) == 6
    assert first not in others


# Halves and duplicates


@pytest.mark.parametrize("swap", [False, True], ids=["id first", "journal first"])
def test_two_halves_are_one_record(swap: bool, tmp_path: Path) -> None:
    halves = [("7", "One study", "25/05/2020", ""), ("", " One  study", "2020-05-25", "Annals")]
    between = ("8", "Another study", DAY, "Annals")
    first, second = reversed(halves) if swap else iter(halves)
    cleaned = clean(tmp_path / "lake", write_pubmed(tmp_path / "articles.csv", first, between, second))
    merged = only([row for row in cleaned.kept if row["title"] == "One study"])
    assert (merged["publication_id"], merged["journal"]) == ("7", "Annals")
    assert "merged_halves" in merged["flags"]
    assert not {"synthetic_id", "missing_journal"} & set(merged["flags"])
    source = cleaned.only_source()
    assert (source["rows_in"], source["rows_kept"], source["rows_merged"]) == (3, 2, 1)
    assert source["merged"]["half_row"] == 1


NOT_HALVES: dict[str, list[Record]] = {
    "another date": [("7", "One study", DAY, ""), ("", "One study", "2020-01-02", "Annals")],
    "another title": [("7", "One study", DAY, ""), ("", "One study more", DAY, "Annals")],
    "both have an id": [("7", "One study", DAY, ""), ("8", "One study", DAY, "Annals")],
    "both have a journal": [("7", "One study", DAY, "Acta"), ("", "One study", DAY, "Annals")],
    "one has nothing": [("", "One study", DAY, ""), ("7", "One study", DAY, "Annals")],
}


@pytest.mark.parametrize("case", NOT_HALVES)
def test_what_is_not_two_halves_stays_two_records(case: str, tmp_path: Path) -> None:
    kept = cleaned_rows(tmp_path, *NOT_HALVES[case])
    assert len(kept) == 2
    assert not any("merged_halves" in row["flags"] for row in kept)


def test_duplicate_ids(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, DATA / "duplicates.csv")
    assert sorted((row["publication_id"], row["title"]) for row in cleaned.kept) == [
        ("1", "The same row twice"),
        ("2", "Second version"),
    ]
    source = cleaned.only_source()
    assert (source["rows_in"], source["rows_kept"], source["rows_merged"]) == (4, 2, 2)
    assert (source["merged"]["identical"], source["merged"]["superseded"]) == (1, 1)


def test_later_source_supersedes_the_earlier_and_each_file_is_accounted_for(tmp_path: Path) -> None:
    first = write_pubmed(tmp_path / "a.csv", ("1", "Old", DAY, "Annals"), ("2", "Alone", DAY, "Annals"))
    second = write(tmp_path / "b.json", json_text([("1", "New", DAY, "Annals")]))
    cleaned = clean(tmp_path / "lake", first, second)
    assert sorted((row["publication_id"], row["title"]) for row in cleaned.kept) == [("1", "New"), ("2", "Alone")]
    for source in cleaned.report["sources"]:
        assert conserved(source) is None, conserved(source)
    assert [source["rows_merged"] for source in cleaned.report["sources"]] == [1, 0]


def test_kinds_have_ids_of_their_own(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    clean(lake, write_trials(tmp_path / "t.csv", ("1", "A trial", DAY, "J")), table="clinical_trials")
    articles = clean(lake, write_pubmed(tmp_path / "p.csv", ("1", "An article", DAY, "J"))).kept
    assert only(articles)["title"] == "An article"
    assert only(articles)["kind"] == "pubmed"


# Text: (raw, clean, flags that only this repair sets)

TITLES = (
    ("  A \t title\u00a0 here\u2009", "A title here", ()),
    ("A title\nover two lines", "A title over two lines", ()),
    (unicodedata.normalize("NFD", "Étude à Genève"), "Étude à Genève", ()),
    # Compatibility letters are different: NFC keeps them.
    ("Stage Ⅱ, ½ dose, Ａ", "Stage Ⅱ, ½ dose, Ａ", ()),
    ("Gen\\xc3\\xa8ve", "Genève", ("decoded_escapes",)),
    ("Gen\\\\xc3\\\\xa8ve", "Genève", ("decoded_escapes",)),
    ("GEN\\xC3\\xA8VE", "GENèVE", ("decoded_escapes",)),
    ("or \\xc3\\xb1 Laminectomy", "or ñ Laminectomy", ("decoded_escapes",)),
    ("price in \\xe2\\x82\\xac today", "price in € today", ("decoded_escapes",)),
    ("e\\xcc\\x81tude", "étude", ("decoded_escapes",)),
    ("nursing\\xc3\\x28", "nursing", ("removed_escapes",)),
    # The blank after it goes too, or two would be left.
    ("nursing \\xc3\\x28 weekly", "nursing weekly", ("removed_escapes",)),
    # The whole run must be valid: decoding half of it would be a guess.
    ("a\\xc3\\xa8\\xc3 b", "a b", ("removed_escapes",)),
    ("one \\xc3\\xa8 and \\xc3\\x28 two", "one è and two", ("decoded_escapes", "removed_escapes")),
    ("C:\\xylophone \\x1 \\xzz", "C:\\xylophone \\x1 \\xzz", ()),
    ("H<sub>2</sub>O and <i>in vivo</i> data", "H2O and in vivo data", ("markup_removed",)),
    ("p < 0.05 and n > 3", "p < 0.05 and n > 3", ()),
    ("Mother & child", "Mother & child", ()),
)
REPAIRS = {"decoded_escapes", "removed_escapes", "markup_removed"}


@pytest.mark.parametrize(("raw", "wanted", "flags"), TITLES)
def test_titles(raw: str, wanted: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    row = cleaned_title(tmp_path, raw)
    assert row["title"] == wanted
    assert set(row["flags"]) & REPAIRS == set(flags)


@pytest.mark.parametrize("raw", ["", "  ", "\u00a0\t", "\\xc3\\x28", "<i> </i>"])
def test_blank_titles_are_rejected(raw: str, tmp_path: Path) -> None:
    """Blank after cleaning: what the reader sees decides, not what the file has."""
    cleaned = clean(tmp_path / "lake", write_pubmed(tmp_path / "articles.csv", ("1", raw, DAY, "Annals")))
    assert cleaned.kept == []
    assert only(cleaned.rejected)["reason"] == "blank_title"
    assert only(cleaned.rejected)["source_row"] == 2


# Journals


def journal_row(folder: Path, journal: str) -> Row:
    """One record with this journal."""
    return only(cleaned_rows(folder, ("1", "A title", DAY, journal)))


def test_journals_are_cleaned_for_display(tmp_path: Path) -> None:
    row = journal_row(tmp_path, " Journal of  emergency nursing\\xc3\\x28")
    assert row["journal"] == "Journal of emergency nursing"
    assert "removed_escapes" in row["flags"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Journal of Pediatrics", "the journal of pediatrics"),
        ("Médecine générale", "Medecine generale"),
        ("J. Clin. Oncol.", "J Clin Oncol"),
        ("Journal of allergy: In practice", "Journal of allergy. In practice"),
        ("Maternal–fetal medicine", "Maternal-fetal medicine"),
    ],
)
def test_spellings_of_a_journal_meet(one: str, other: str, tmp_path: Path) -> None:
    first, second = journal_row(tmp_path / "one", one), journal_row(tmp_path / "other", other)
    assert first["journal_key"] == second["journal_key"]
    assert (first["journal"], second["journal"]) == (one, other)


def test_different_journals_stay_apart(tmp_path: Path) -> None:
    names = ("Annals", "Annals B", "Annales", "Анналы", "年報")
    keys = {journal_row(tmp_path / str(place), name)["journal_key"] for place, name in enumerate(names)}
    assert len(keys) == len(names)
    assert all(keys), "letters of any script count"


@pytest.mark.parametrize("blank", ["", "  ", "null", "N/A", " na", "None", "NaN", "-"])
def test_blank_journal_is_null(blank: str, tmp_path: Path) -> None:
    row = journal_row(tmp_path, blank)
    assert row["journal"] is None
    assert row["journal_key"] is None
    assert "missing_journal" in row["flags"]


# Drugs


def vocabulary(folder: Path, *records: Record, source: Path | None = None) -> list[Row]:
    """The kept drugs of these records, or of a file."""
    return clean(folder / "lake", source or write_drugs(folder / "drugs.csv", *records), table="drugs").kept


def test_names_and_codes_are_trimmed(tmp_path: Path) -> None:
    row = only(vocabulary(tmp_path, (" N02BE01 ", "\tPARACETAMOL  ")))
    assert (row["atccode"], row["drug"], row["flags"]) == ("N02BE01", "PARACETAMOL", [])


@pytest.mark.parametrize("code", ["A", "A04", "A04A", "A04AD", "N02BE01"])
def test_every_level_of_the_atc_is_atc(code: str, tmp_path: Path) -> None:
    assert "not_atc" not in only(vocabulary(tmp_path, (code, "SOMETHING")))["flags"]


@pytest.mark.parametrize("code", ["6302001", "A4AD", "N02BE1", "N02BE011", "DB00316"])
def test_what_is_not_atc_is_kept_with_a_flag(code: str, tmp_path: Path) -> None:
    row = only(vocabulary(tmp_path, (code, "SOMETHING")))
    assert row["atccode"] == code
    assert "not_atc" in row["flags"]


def test_shared_names_and_codes(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, DATA / "shared_names.csv", table="drugs")
    flags = {(row["atccode"], row["drug"]): set(row["flags"]) for row in cleaned.kept}
    assert flags == {
        ("A01AB03", "CHLORHEXIDINE"): {"shared_name"},
        ("B05CA02", "CHLORHEXIDINE"): {"shared_name"},
        ("B01AA03", "WARFARIN"): {"shared_code"},
        ("B01AA03", "COUMADIN"): {"shared_code"},
    }
    source = cleaned.only_source()
    assert (source["rows_in"], source["rows_kept"], source["rows_merged"]) == (5, 4, 1)


def test_blank_names_and_missing_codes(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, DATA / "blank_names.csv", table="drugs")
    assert only(cleaned.rejected)["reason"] == "blank_drug"
    assert only(cleaned.rejected)["source_row"] == 3
    flags = {row["drug"]: row["flags"] for row in cleaned.kept}
    assert flags["WARFARIN"] == []
    assert "missing_atccode" in flags["IBUPROFEN"]
    assert "not_atc" in flags["COLCHICINE"]


def test_names_that_are_patterns_are_literal_text(tmp_path: Path) -> None:
    kept = vocabulary(tmp_path, source=DATA / "regex_names.csv")
    assert [row["drug"] for row in kept] == ["c++ (drug", "a|b", ".*", "[warfarin]?"]


def test_flags_and_reasons_are_words_of_one_list(tmp_path: Path) -> None:
    kept = cleaned_rows(tmp_path, ("", "A\\xc3\\x28 <b>title</b> Gen\\xc3\\xa8ve", "2020", ""))
    assert all(re.fullmatch(r"[a-z_]+", flag) for flag in only(kept)["flags"])
    wanted = {"synthetic_id", "missing_journal", "removed_escapes", "decoded_escapes", "markup_removed"}
    assert wanted <= set(only(kept)["flags"])
    assert len(set(only(kept)["flags"])) == len(only(kept)["flags"]), "each once"
