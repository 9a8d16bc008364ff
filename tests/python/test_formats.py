"""The same records in every format, compression and encoding give the same tables."""

from __future__ import annotations

import bz2
import datetime
import gzip
import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Callable

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from lake_tables import DT, Row, clean, without
from shell import drugs_rs as shell
from written_sources import PUBMED_COLUMNS, Record, csv_text, json_text, ndjson_text

import drugs_rs
from drugs_rs.exceptions import EncodingError, FormatError

pytestmark = pytest.mark.core

RECORDS: list[Record] = [
    ("1", "Warfarin and the étude of waiting", "2020-01-05", "Annals of Testing"),
    ("2", 'A "quoted" title, with commas', "25/05/2020", "Médecine générale"),
    ("3", "A title\nover two lines", "", "Annals of Testing"),
    ("", "No id here", "2020-01", ""),
    ("4", "Gen\\xc3\\xa8ve", "31/02/2020", "Annals of Testing"),
    ("5", "  ", "2020-01-05", "Annals of Testing"),
]

# The columns that differ: after a line break in a record, the line number of CSV is ahead of the element's
# number.
WHERE = ("source_uri", "source_row")


def zstd(content: bytes) -> bytes:
    """A zstd stream as the `zstd` command writes it: the frame does not say how much is in it."""
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as stream:
        stream.write(content)
    compressed: bytes = target.getvalue().to_pybytes()
    return compressed


FORMATS: dict[str, Callable[[list[Record]], str]] = {
    "csv": lambda records: csv_text(PUBMED_COLUMNS, records),
    "json": json_text,
    "ndjson": ndjson_text,
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


def written(folder: Path, name: str, content: bytes) -> Path:
    """A file with these bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


@pytest.fixture
def plain(tmp_path: Path) -> list[Row]:
    """The kept rows of the records as a plain CSV file."""
    return clean(tmp_path / "plain", written(tmp_path, "plain.csv", FORMATS["csv"](RECORDS).encode("utf-8"))).kept


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda name: str(name) or "plain")
@pytest.mark.parametrize("form", FORMATS)
def test_formats_and_compressions(form: str, compression: str, plain: list[Row], tmp_path: Path) -> None:
    content = COMPRESSIONS[compression](FORMATS[form](RECORDS).encode("utf-8"))
    cleaned = clean(tmp_path / "lake", written(tmp_path, f"articles.{form}{compression}", content))
    assert len(plain) == 5
    assert without(cleaned.kept, *WHERE) == without(plain, *WHERE)
    source = cleaned.only_source()
    assert (source["rows_in"], source["rows_kept"], source["rows_rejected"]) == (6, 5, 1)
    assert source["format"].startswith(form)
    assert source["bytes"] == len(content)


PARQUET_TEXTS: dict[str, Callable[[list[str]], pa.Array]] = {
    "string": lambda texts: pa.array(texts, pa.string()),
    "large string": lambda texts: pa.array(texts, pa.large_string()),
    "dictionary": lambda texts: pa.array(texts).dictionary_encode(),
    "binary": lambda texts: pa.array([text.encode("utf-8") for text in texts], pa.binary()),
}


def parquet_file(path: Path, make: Callable[[list[str]], pa.Array], **options: object) -> Path:
    """The records as Parquet, two a row group."""
    columns = {name: [record[place] for record in RECORDS] for place, name in enumerate(PUBMED_COLUMNS)}
    table = pa.table({name: make(texts) for name, texts in columns.items()})
    parquet.write_table(table, str(path), row_group_size=2, **options)
    return path


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip", "brotli", "lz4"])
@pytest.mark.parametrize("text", PARQUET_TEXTS)
def test_parquet(text: str, compression: str, plain: list[Row], tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "articles.parquet", PARQUET_TEXTS[text], compression=compression)
    cleaned = clean(tmp_path / "lake", path)
    assert without(cleaned.kept, *WHERE) == without(plain, *WHERE)
    assert [row["source_row"] for row in cleaned.kept] == [1, 2, 3, 4, 5]
    source = cleaned.only_source()
    assert (source["format"], source["rows_in"], source["rows_rejected"]) == ("parquet", 6, 1)
    (row,) = cleaned.rejected
    assert row["reason"] == "blank_title"
    assert row["raw"] == '{"date":"2020-01-05","id":"5","journal":"Annals of Testing","title":"  "}'


def test_parquet_with_types_of_its_own(tmp_path: Path) -> None:
    """What pandas and Spark write: numbers as ids, days and instants, a time zone, gaps."""
    day = datetime.date(2020, 5, 25)
    instant = datetime.datetime(2020, 5, 25, 10, 30, tzinfo=datetime.timezone.utc)
    for name, values, wanted in (
        ("days", pa.array([day, None], pa.date32()), day),
        ("instants", pa.array([instant, None], pa.timestamp("us", "UTC")), day),
        ("instants of nanoseconds", pa.array([instant.replace(tzinfo=None), None], pa.timestamp("ns")), day),
        ("Spark's instants", pa.array([instant.replace(tzinfo=None), None], pa.timestamp("ns")), day),
    ):
        table = pa.table(
            {"id": pa.array([7.0, None]), "title": ["Ethanol", "Methanol"], "date": values, "journal": ["J", None]}
        )
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(table, str(path), use_deprecated_int96_timestamps=name.startswith("Spark"))
        first, second = clean(tmp_path / name, path).kept
        assert (first["publication_id"], first["date"]) == ("7", wanted), name
        assert second["flags"] == ["synthetic_id", "missing_date", "missing_journal"], name


def test_parquet_with_two_columns_of_a_name_is_not_called_broken(tmp_path: Path) -> None:
    names = ["id", "title", "date", "journal", "note", "note"]
    path = tmp_path / "twice.parquet"
    parquet.write_table(pa.table([["1"], ["T"], ["2020"], ["J"], ["x"], ["y"]], names=names), str(path))
    with pytest.raises(FormatError, match="twice.parquet: .*two columns named `note`; give each"):
        drugs_rs.read_publications(path)


def test_a_pipeline_from_parquet_alone(tmp_path: Path) -> None:
    drugs = pa.table({"atccode": ["B01AA03"], "drug": ["WARFARIN"], "synonyms": [["Coumadin", "Jantoven"]]})
    parquet.write_table(drugs, str(tmp_path / "drugs.parquet"))
    trials = {"nct_id": ["NCT1"], "title": ["Coumadin"], "date": ["2020"], "journal": ["Annals"]}
    parquet.write_table(pa.table(trials), str(tmp_path / "trials.parquet"))
    report = drugs_rs.run(
        drugs=tmp_path / "drugs.parquet", clinical_trials=tmp_path / "trials.parquet", out=tmp_path / "lake", dt=DT
    )
    assert report["rows_kept"] == 2
    assert drugs_rs.read_graph(tmp_path / "lake").top_journals() == {"Annals": 1}
    matcher = drugs_rs.Matcher.from_vocabulary(tmp_path / "drugs.parquet")
    assert [mention.rule for mention in matcher.find("Jantoven")] == ["synonym"]


def test_a_column_of_parquet_is_matched_in_a_shell(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "a.parquet", PARQUET_TEXTS["string"])
    drugs = written(tmp_path, "drugs.csv", b"atccode,drug\nB01AA03,WARFARIN\n")
    found = shell("match", "--vocabulary", drugs, "--column", "title", path)
    assert [json.loads(line)["row"] for line in found.stdout.splitlines()] == [0]
    lines = shell("match", "--vocabulary", drugs, path)
    assert lines.returncode == 1
    assert b"name the column" in lines.stderr


def test_parquet_may_be_packed_like_any_other_format(tmp_path: Path) -> None:
    content = parquet_file(tmp_path / "a.parquet", PARQUET_TEXTS["string"]).read_bytes()
    plain = clean(tmp_path / "plain", tmp_path / "a.parquet").kept
    assert plain
    packed = {"a.gz": gzip.compress(content), "a.zst": zstd(content), "a.bz2": bz2.compress(content)}
    paths = [written(tmp_path, name, whole) for name, whole in packed.items()]
    with tarfile.open(str(tmp_path / "a.tar"), "w") as archive:
        archive.add(str(tmp_path / "a.parquet"), "inner.parquet")
    paths += [tmp_path / "a.tar", written(tmp_path, "a.tar.gz", gzip.compress((tmp_path / "a.tar").read_bytes()))]
    with zipfile.ZipFile(str(tmp_path / "a.zip"), "w") as zipped:
        zipped.writestr("inner.parquet", content)
        zipped.writestr("inner.parquet.gz", gzip.compress(content))
    for path in [*paths, tmp_path / "a.zip"]:
        kept = clean(tmp_path / f"lake-{path.name}", path).kept
        assert [row["title"] for row in kept] == [row["title"] for row in plain], path.name
    for name, cut in (("cut.parquet", content[: len(content) // 2]), ("cut.gz", packed["a.gz"][:-20])):
        with pytest.raises(FormatError, match="cut off or broken"):
            clean(tmp_path / "lake", written(tmp_path, name, cut))


@pytest.mark.parametrize("form", FORMATS)
def test_source_rows(form: str, tmp_path: Path) -> None:
    """A row of a text file is found by its line, an element of an array by its number."""
    cleaned = clean(tmp_path / "lake", written(tmp_path, "articles." + form, FORMATS[form](RECORDS).encode("utf-8")))
    found = [row["source_row"] for row in cleaned.kept] + [row["source_row"] for row in cleaned.rejected]
    # The third record takes two lines of the CSV file.
    assert found == {"csv": [2, 3, 4, 6, 7, 8], "json": [1, 2, 3, 4, 5, 6], "ndjson": [1, 2, 3, 4, 5, 6]}[form]


@pytest.mark.parametrize(
    "name", ["articles", "articles.txt", "articles.json", "articles.csv.gz", "articles.ndjson.zst"]
)
@pytest.mark.parametrize("form", FORMATS)
def test_content_decides_and_not_the_name(name: str, form: str, plain: list[Row], tmp_path: Path) -> None:
    path = written(tmp_path / "source", name, FORMATS[form](RECORDS).encode("utf-8"))
    assert without(clean(tmp_path / "lake", path).kept, *WHERE) == without(plain, *WHERE)


def test_compressed_under_a_plain_name(plain: list[Row], tmp_path: Path) -> None:
    for place, compress in enumerate((COMPRESSIONS[".gz"], COMPRESSIONS[".zst"])):
        path = written(tmp_path / "source", f"articles{place}.csv", compress(FORMATS["csv"](RECORDS).encode("utf-8")))
        assert without(clean(tmp_path / str(place), path).kept, *WHERE) == without(plain, *WHERE)


def test_several_gzip_members_are_one_file(plain: list[Row], tmp_path: Path) -> None:
    """`cat a.gz b.gz` is a gzip file; a reader that stops at the first member loses rows in silence."""
    content = FORMATS["csv"](RECORDS).encode("utf-8")
    joined = gzip.compress(content[:70]) + gzip.compress(content[70:])
    assert without(clean(tmp_path / "lake", written(tmp_path, "joined.csv.gz", joined)).kept, *WHERE) == without(
        plain, *WHERE
    )


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode("utf-8"),
    "byte order mark and CRLF": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "UTF-16 little-endian": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "UTF-16 big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "no newline at the end": lambda text: text.rstrip("\n").encode("utf-8"),
    "blank lines around": lambda text: ("\n \n" + text + "\t\n\n").encode("utf-8"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_encodings_and_line_ends(encoding: str, form: str, plain: list[Row], tmp_path: Path) -> None:
    path = written(tmp_path, "articles." + form, ENCODINGS[encoding](FORMATS[form](RECORDS)))
    cleaned = clean(tmp_path / "lake", path)
    assert without(cleaned.kept, *WHERE) == without(plain, *WHERE)
    assert cleaned.only_source()["rows_in"] == 6, "blank lines and marks are no rows"


def test_letters_beyond_the_basic_plane_in_utf16(tmp_path: Path) -> None:
    text = csv_text(PUBMED_COLUMNS, [("1", "Pills 💊 and 𝛽-blockers", "2020", "Annals")])
    (row,) = clean(tmp_path / "lake", written(tmp_path, "a.csv", b"\xff\xfe" + text.encode("utf-16-le"))).kept
    assert row["title"] == "Pills 💊 and 𝛽-blockers"


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("wrong", ["half a pair", "half a unit"])
def test_broken_utf16_is_an_error_that_names_the_byte(wrong: str, order: str, tmp_path: Path) -> None:
    """Broken bytes once became U+FFFD silently."""
    mark, half = ("\ufeff", "\ud800") if wrong == "half a pair" else ("\ufeff", "")
    content = f"{mark}id,title,date,journal\n1,a {half}b,2020,J\n".encode(f"utf-16-{order}", "surrogatepass")
    byte = content.index("a ".encode(f"utf-16-{order}")) + 4
    if wrong == "half a unit":
        content, byte = content[:-1], len(content) - 2
    with pytest.raises(EncodingError, match=rf"broken\.csv: byte {byte}: half a character of UTF-16"):
        clean(tmp_path / "lake", written(tmp_path, "broken.csv", content))


JSON_ODDITIES = {
    "comma behind the last element": '[{"id": 1, "title": "A", "date": "2020", "journal": "J"},]',
    "comma behind the last key": '[{"id": 1, "title": "A", "date": "2020", "journal": "J",}]',
    "escapes of JSON itself": '[{"id": 1, "title": "\\u0041", "date": "2020", "journal": "J"}]',
    "keys in another order": '[{"journal": "J", "date": "2020", "title": "A", "id": 1}]',
    "extra keys of any type": '[{"id": 1, "title": "A", "date": "2020", "journal": "J", "x": {"y": [1, {}]}}]',
    "blanks everywhere": ' \n[ { "id" : 1 , "title" : "A" , "date" : "2020" , "journal" : "J" } ] \n',
}


@pytest.mark.parametrize("case", JSON_ODDITIES)
def test_json_oddities(case: str, tmp_path: Path) -> None:
    cleaned = clean(tmp_path / "lake", written(tmp_path, "articles.json", JSON_ODDITIES[case].encode("utf-8")))
    assert [(row["publication_id"], row["title"], row["journal"]) for row in cleaned.kept] == [("1", "A", "J")]
    noted = any("comma" in note for note in cleaned.only_source()["notes"])
    assert noted == ("comma" in case), "tolerated, and said so"


@pytest.mark.parametrize("text", ["[]", "[ ]\n"])
def test_empty_array_is_an_empty_table(text: str, tmp_path: Path) -> None:
    cleaned = clean(tmp_path / "lake", written(tmp_path, "articles.json", text.encode("utf-8")))
    assert cleaned.kept == []
    assert cleaned.only_source()["rows_in"] == 0


def test_vocabulary_and_trials_in_any_format(tmp_path: Path) -> None:
    drugs = written(tmp_path, "drugs.ndjson.gz", gzip.compress(b'{"atccode": "B01AA03", "drug": "WARFARIN"}\n'))
    text = '[{"id": "NCT1", "scientific_title": "Warfarin", "date": "2020-01-05", "journal": "Annals"}]'
    trials = written(tmp_path, "trials.json.zst", zstd(text.encode("utf-8")))
    report = drugs_rs.run(out=tmp_path / "lake", dt=DT, drugs=drugs, clinical_trials=trials)
    assert report["rows_kept"] == 2
    assert drugs_rs.read_graph(tmp_path / "lake").top_journals() == {"Annals": 1}


def test_null_in_a_study_is_nothing(tmp_path: Path) -> None:
    """Tools such as polars write all objects with the same keys, `null` for what one has not: they were lost."""
    names = {"briefTitle": "T", "officialTitle": None}
    drug = {"type": "DRUG", "name": "Aspirin", "otherNames": ["ASA", None]}
    sections: list[dict[str, object]] = [
        {"statusModule": None, "descriptionModule": None, "armsInterventionsModule": None},
        {"statusModule": {"startDateStruct": None}, "armsInterventionsModule": {"interventions": None}},
        {"armsInterventionsModule": {"interventions": [None, {**drug, "otherNames": None}, drug]}},
        {"statusModule": {"startDateStruct": {"date": None}}, "descriptionModule": {"briefSummary": None}},
    ]
    studies = [
        {"protocolSection": {"identificationModule": {**names, "nctId": f"NCT{number}"}, **section}}
        for number, section in enumerate(sections)
    ]
    path = tmp_path / "studies.json"
    path.write_text(json.dumps(studies), encoding="utf-8")
    table = drugs_rs.read_publications(path, kind="clinical_trial", on_bad_file="fail")
    assert len(table.rejected) == 0
    (row,) = [row for row in table.to_dicts() if row["abstract"]]
    assert row["abstract"] == "Interventions: DRUG: Aspirin; DRUG: Aspirin (ASA)."
    path.write_text(
        '[{"protocolSection": null, "id": "1", "title": "T", "date": "2020", "journal": "J"}]', encoding="utf-8"
    )
    assert len(drugs_rs.read_publications(path, kind="clinical_trial")) == 1
    path.write_text(json.dumps([{"protocolSection": {"statusModule": 3}}, studies[0]]), encoding="utf-8")
    (refused,) = drugs_rs.read_publications(path, kind="clinical_trial").rejected.to_dicts()
    assert refused["reason"] == "wrong_type"
    assert "expected an object" in refused["message"]
    # The message did not say which value of the study it was.
    wrong = {**drug, "otherNames": ["ASA", 5]}
    study = {"identificationModule": names, "armsInterventionsModule": {"interventions": [{}, wrong]}}
    path.write_text(json.dumps([{"protocolSection": study}]), encoding="utf-8")
    (refused,) = drugs_rs.read_publications(path, kind="clinical_trial").rejected.to_dicts()
    place = "`protocolSection.armsInterventionsModule.interventions[1].otherNames[1]`"
    assert f"{place} is of another type than belongs there: invalid type: integer `5`" in refused["message"]
    path.write_text('[{"atccode": "N02BA01", "drug": "aspirin", "synonyms": ["ASA", null]}]', encoding="utf-8")
    assert drugs_rs.read_drugs(path).to_dicts()[0]["synonyms"] == ["ASA"]


def test_globs_pass_over_hidden_folders(tmp_path: Path) -> None:
    """Copies that editors and other programs keep became rows."""
    for folder in ("a", "a/.ipynb_checkpoints", "a/_temporary", ".named"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "x.csv").write_text(
            csv_text(PUBMED_COLUMNS, [("1", folder, "2020", "J")]), encoding="utf-8"
        )

    def titles(pattern: str) -> list[str]:
        return [row["title"] for row in drugs_rs.read_publications(str(tmp_path / pattern)).to_dicts()]

    assert titles("**/*.csv") == titles("*/*.csv") == titles("*/x.csv") == ["a"]
    assert titles(".named/*.csv") == titles(".n*/*.csv") == [".named"]
    assert titles("a/_temporary/*.csv") == titles("*/_temporary/*.csv") == titles("a/_t*/*.csv") == ["a/_temporary"]
    assert drugs_rs.read_publications(tmp_path / "a" / "_temporary").to_dicts()[0]["title"] == "a/_temporary"


def test_folder_glob_and_list_are_the_same_source(tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    one = written(folder, "a.csv", FORMATS["csv"](RECORDS[:3]).encode("utf-8"))
    two = written(folder, "b.json", FORMATS["json"](RECORDS[3:]).encode("utf-8"))
    by_list = clean(tmp_path / "list", one, two).kept
    by_folder = clean(tmp_path / "folder", folder).kept
    by_glob = clean(tmp_path / "glob", folder / "*.*").kept
    assert len(by_list) == 5
    assert without(by_list, "source_uri") == without(by_folder, "source_uri") == without(by_glob, "source_uri")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are texts there")
@pytest.mark.parametrize("form", ["in", "in/*.csv", "*/*.csv", "in/?.csv", "**/*.csv", "in/**/*.csv"])
def test_names_that_are_no_texts_are_files_too(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a glob passed over them, and of two that looked alike a folder gave one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate([b"\xe8.csv", b"\xe9.csv", b"e.csv", b".\xe9.csv"]):
        (folder / os.fsdecode(name)).write_text(f"id,title,date,journal\n{number},T,2020,J\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cleaned = clean(tmp_path / "lake", Path(form))
    assert sorted((row["publication_id"], row["source_uri"]) for row in cleaned.kept) == [
        ("0", "in/\\xE8.csv"),
        ("1", "in/\\xE9.csv"),
        ("2", "in/e.csv"),
    ]
