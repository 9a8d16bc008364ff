"""Data contracts: what rules count, what a broken one does by its severity, and contracts that are refused."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import polars
import pytest
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs import exceptions

pytestmark = pytest.mark.core

SHIPPED = Path(drugs_rs.__file__).parent / "contracts" / "lake.odcs.yaml"
VOCABULARY = "atccode,drug\nA04AD,DIPHENHYDRAMINE\nN02BA01,ASPIRIN\n"
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: mine\nversion: 1.0.0\nstatus: active\nteam: {name: data}\n"


def contract(folder: Path, text: str, name: str = "mine.odcs.yaml") -> Path:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def rule(text: str, *, column: str = "date", table: str = "publications_all") -> str:
    """A contract with one rule of a column."""
    head = f"schema:\n  - name: {table}\n    properties:\n"
    return f"{head}      - name: {column}\n        quality:\n          - {{{text}}}\n"


def delivery(folder: Path, rows: str, name: str = "pubmed.csv") -> Path:
    path = folder / name
    path.write_text("id,title,date,journal\n" + rows, encoding="utf-8")
    return path


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "drugs.csv"
    path.write_text(VOCABULARY, encoding="utf-8")
    return path


def digests(lake: Path) -> dict[str, str]:
    """The bytes of a lake by file."""
    files = sorted(path for path in lake.rglob("*") if path.is_file())
    return {str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def results(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {result["rule"]: result for result in report["quality"]}


def test_the_shipped_contract_is_what_the_schema_prints() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == drugs_rs.describe_tables("odcs"), "run make contracts"


ROWS = (
    "1,Aspirin for pilots,2020-01-01,Annals\n"
    "2,Diphenhydramine again,,Annals\n"
    "3,A third one,31/02/2020,\n"
    ",Without an id,2020-01-04,Annals\n"
)


def test_the_default_contract_counts_what_the_tables_hold(tmp_path: Path, vocabulary: Path) -> None:
    lake = tmp_path / "lake"
    report = drugs_rs.run(
        drugs=vocabulary, pubmed=delivery(tmp_path, ROWS), lake=lake, dt="2024-01-01", contract="default"
    )
    found = results(report)
    assert {name: (result["count"], result["rows"], result["passed"]) for name, result in found.items()} == {
        "publications_all_rows": (4, 4, True),
        "publications_all_key": (0, 4, True),
        "publication_id_form": (0, 4, True),
        "title_present": (0, 4, True),
        "date_present": (2, 4, False),
        "date_precision_known": (0, 4, True),
        "journal_present": (1, 4, True),
        "status_known": (0, 4, True),
        "bad_date_share": (1, 4, False),
        "synthetic_id_share": (1, 4, False),
        "drugs_all_rows": (2, 2, True),
        "drugs_all_key": (0, 2, True),
        "atccode_form": (0, 2, True),
        "drug_present": (0, 2, True),
    }
    assert found["date_present"] == {
        "rule": "date_present",
        "table": "publications_all",
        "column": "date",
        "metric": "nullValues",
        "dimension": "completeness",
        "severity": "warning",
        "description": "A publication has a date",
        "rows": 4,
        "count": 2,
        "percent": 50.0,
        "allowed": "at most 10 % of rows",
        "passed": False,
    }
    kept = json.loads((lake / "reports/quality/dt=2024-01-01/pubmed.json").read_text(encoding="utf-8"))
    assert kept == {
        "contract": "default",
        "table": "pubmed",
        "dt": "2024-01-01",
        "passed": False,
        "rules": [result for result in report["quality"] if result["table"] == "publications_all"],
    }


def test_without_a_contract_nothing_is_checked(tmp_path: Path, vocabulary: Path) -> None:
    given = delivery(tmp_path, ROWS)
    for number, none in enumerate((None, "none", "")):
        lake = tmp_path / f"lake-{number}"
        report = drugs_rs.run(drugs=vocabulary, pubmed=given, lake=lake, dt="2024-01-01", contract=none)
        assert "quality" not in report
        assert not (lake / "reports/quality").exists()


@pytest.mark.parametrize("severity", ["info", "warning", "error"])
def test_severity_decides(tmp_path: Path, vocabulary: Path, severity: str, caplog: pytest.LogCaptureFixture) -> None:
    broken = rule(f"id: dated, metric: nullValues, mustBe: 0, severity: {severity}")
    path = contract(tmp_path, broken)
    lake = tmp_path / "lake"
    good = delivery(tmp_path, "1,Aspirin,2020-01-01,Annals\n")
    drugs_rs.run(drugs=vocabulary, pubmed=good, lake=lake, dt="2024-01-01", contract=path)
    before = digests(lake)
    poor = delivery(tmp_path, "1,Aspirin,,Annals\n2,Diphenhydramine,2020-01-02,Annals\n", "poor.csv")
    drugs_rs.bronze(pubmed=poor, lake=lake, dt="2024-01-02")
    with_bronze = digests(lake)
    sentence = "publications_all.date: the rule dated (nullValues) counts 1 in 2 rows and allows exactly 0"
    if severity == "error":
        with pytest.raises(exceptions.ContractError) as refused:
            drugs_rs.silver(lake=lake, dt="2024-01-02", contract=path)
        assert str(refused.value) == (
            f"pubmed dt=2024-01-02: {sentence} (contract {path}); nothing was committed; correct the source, or the "
            "rule in the contract"
        )
        assert digests(lake) == with_bronze, "a broken rule must leave the lake as it was"
        assert set(before) <= set(with_bronze)
        return
    report = drugs_rs.silver(lake=lake, dt="2024-01-02", contract=path)
    assert [record.getMessage() for record in caplog.records] == ([sentence] if severity == "warning" else [])
    assert results(report)["dated"]["passed"] is False


def test_a_broken_rule_of_one_table_commits_none(tmp_path: Path, vocabulary: Path) -> None:
    path = contract(tmp_path, rule("metric: nullValues, mustBe: 0, severity: error"))
    lake = tmp_path / "lake"
    with pytest.raises(exceptions.ContractError):
        drugs_rs.run(drugs=vocabulary, pubmed=delivery(tmp_path, ROWS), lake=lake, dt="2024-01-01", contract=path)
    assert not (lake / "silver/drugs").exists()
    assert not (lake / "gold").exists()


def test_rows_that_merging_removes_are_not_counted(tmp_path: Path, vocabulary: Path) -> None:
    """The counts are those of the table, also where it is written anew without the rows that merging took out."""
    rows = (
        "1,Aspirin,,Annals\n"  # replaced by the next row
        "1,Aspirin,2020-01-01,Annals\n"
        "2,Diphenhydramine,,Annals\n"
        "2,Diphenhydramine,,Annals\n"  # the same again
    )
    path = contract(tmp_path, rule("id: dated, metric: nullValues, mustBeLessThan: 100, severity: error"))
    report = drugs_rs.run(
        drugs=vocabulary, pubmed=delivery(tmp_path, rows), lake=tmp_path / "lake", dt="2024-01-01", contract=path
    )
    assert (results(report)["dated"]["count"], results(report)["dated"]["rows"]) == (1, 2)


@pytest.mark.parametrize("repeats", [False, True])
def test_counts_are_those_of_a_recount(tmp_path: Path, vocabulary: Path, repeats: bool) -> None:
    """Several row groups, files in parallel, an unreadable file, and merging in some row groups."""
    texts = (
        "schema:\n  - name: publications_all\n    properties:\n"
        "      - {name: date, quality: [{id: dated, metric: nullValues, mustBe: 0, severity: info}]}\n"
        "      - {name: journal, quality: [{id: annals, metric: invalidValues, arguments: {validValues: [Annals]},"
        " mustBe: 0, severity: info}]}\n"
        "      - {name: title, quality: [{id: named, metric: invalidValues, arguments: {pattern: '7$'}, mustBe: 0,"
        " severity: info}]}\n"
        "      - {name: publication_id, quality: [{id: known, metric: missingValues, arguments:"
        " {missingValues: ['8', '9']}, mustBe: 0, severity: info}]}\n"
        "      - {name: flags, quality: [{id: flagged, type: sql, query: SELECT 1, customProperties:"
        " [{property: flag, value: missing_date}], mustBe: 0, severity: info}]}\n"
    )
    path = contract(tmp_path, texts)
    folder = tmp_path / "in"
    folder.mkdir()
    for file in range(3):
        rows = []
        for number in range(12_000):
            key = number % 11_000 if repeats else number
            date = "" if (number + file) % 5 == 0 else "2020-01-01"
            journal = "" if number % 7 == 0 else ("Annals" if number % 3 else "Letters")
            rows.append(f"{file * 20_000 + key},Title {number},{date},{journal}\n")
        delivery(folder, "".join(rows), f"{file}.csv")
    (folder / "x.csv").write_text("no,header,of\n1,2,3\n", encoding="utf-8")
    lake = tmp_path / "lake"
    report = drugs_rs.run(
        drugs=vocabulary, pubmed=folder, lake=lake, dt="2024-01-01", contract=path, on_bad_file="reject"
    )
    table = drugs_rs.Lake(lake).scan("publications_all").to_polars()
    wanted = {
        "dated": table["date"].null_count(),
        "annals": table.filter(polars.col("journal").is_not_null() & (polars.col("journal") != "Annals")).height,
        "named": table.filter(~polars.col("title").str.ends_with("7")).height,
        "known": table.filter(polars.col("publication_id").is_in(["8", "9"])).height,
        "flagged": table.filter(polars.col("flags").list.contains("missing_date")).height,
    }
    assert (table.height < 36_000) is repeats
    assert {name: result["count"] for name, result in results(report).items()} == wanted
    assert {result["rows"] for result in report["quality"]} == {table.height}
    again = drugs_rs.Lake(lake).quality(path)
    assert {result["rule"]: result["count"] for result in again["rules"]} == wanted


def test_another_contract_is_checked_again_and_changes_no_table(tmp_path: Path, vocabulary: Path) -> None:
    lake = tmp_path / "lake"
    given: dict[str, Any] = {
        "drugs": vocabulary,
        "pubmed": delivery(tmp_path, ROWS),
        "lake": lake,
        "dt": "2024-01-01",
    }
    first = drugs_rs.run(**given)
    tables = {name: digest for name, digest in digests(lake).items() if name.endswith(".parquet")}
    path = contract(tmp_path, rule("id: dated, metric: nullValues, mustBe: 2, severity: error"))
    second = drugs_rs.run(**given, contract=path)
    assert not first["unchanged"] and not second["unchanged"]
    assert results(second)["dated"]["count"] == 2
    third = drugs_rs.run(**given, contract=path)
    assert third["unchanged"]
    assert third["quality"] == second["quality"]
    # Without a contract nothing is to be done, and nothing is said of one.
    fourth = drugs_rs.run(**given)
    assert fourth["unchanged"] and "quality" not in fourth
    stricter = contract(tmp_path, rule("id: dated, metric: nullValues, mustBe: 0, severity: error"), "stricter.yaml")
    before = digests(lake)
    with pytest.raises(exceptions.ContractError, match="counts 2 in 4 rows and allows exactly 0"):
        drugs_rs.run(**given, contract=stricter)
    assert digests(lake) == before
    assert {name: digest for name, digest in digests(lake).items() if name.endswith(".parquet")} == tables


BOUNDS = [
    ("mustBe: 2", True),
    ("mustBe: 1", False),
    ("mustNotBe: 1", True),
    ("mustNotBe: 2", False),
    ("mustBeGreaterThan: 1", True),
    ("mustBeGreaterThan: 2", False),
    ("mustBeGreaterOrEqualTo: 2", True),
    ("mustBeGreaterOrEqualTo: 3", False),
    ("mustBeLessThan: 3", True),
    ("mustBeLessThan: 2", False),
    ("mustBeLessOrEqualTo: 2", True),
    ("mustBeLessOrEqualTo: 1", False),
    ("mustBeBetween: [2, 3]", True),
    ("mustBeBetween: [3, 4]", False),
    ("mustNotBeBetween: [3, 4]", True),
    ("mustNotBeBetween: [1, 2]", False),
    ("mustBe: 50, unit: percent", True),
    ("mustBeLessThan: 50, unit: percent", False),
    ("mustBeLessOrEqualTo: 50.0, unit: percent", True),
    ("mustBe: 2, unit: rows", True),
]


@pytest.mark.parametrize(("bound", "passes"), BOUNDS, ids=[bound for bound, _ in BOUNDS])
def test_every_comparison(tmp_path: Path, vocabulary: Path, bound: str, passes: bool) -> None:
    path = contract(tmp_path, rule(f"id: dated, metric: nullValues, {bound}, severity: info"))
    lake = tmp_path / "lake"
    drugs_rs.bronze(drugs=vocabulary, pubmed=delivery(tmp_path, ROWS), lake=lake, dt="2024-01-01")
    assert results(drugs_rs.silver(lake=lake, dt="2024-01-01", contract=path))["dated"]["passed"] is passes


REFUSED = {
    "no owner": ("team: {}\nschema: []\n", "team: no owner; name who answers for the data"),
    "a blank owner": ("team: {name: '  '}\n", "team: no owner"),
    "another kind": ("kind: Recipe\n", "kind `Recipe`, apiVersion `v3.1.0`"),
    "an unknown table": ("schema:\n  - name: publication_all\n", 'did you mean "publications_all"?'),
    "an unknown column": (
        "schema:\n  - {name: publications_all, properties: [{name: titel}]}\n",
        'property titel: `titel` is unknown; expected "publication_id"',
    ),
    "a contradicting type": (
        "schema:\n  - {name: publications_all, properties: [{name: date, logicalType: string}]}\n",
        "logicalType `string`, and the column is `date`",
    ),
    "a contradicting null": (
        "schema:\n  - {name: publications_all, properties: [{name: date, required: true}]}\n",
        "required, and the column may be null",
    ),
    "an unknown metric": (
        rule("metric: nulValues, mustBe: 0"),
        (
            'quality[0]: metric `nulValues` is unknown; expected "nullValues", "missingValues", "invalidValues" or '
            '"duplicateValues"; did you mean "nullValues"?'
        ),
    ),
    "an unknown type": (rule("type: magic, mustBe: 0"), "`magic` is unknown"),
    "a table's metric of a column": (rule("metric: rowCount, mustBe: 0"), "metric `rowCount` is unknown"),
    "no comparison": (rule("metric: nullValues"), "0 comparisons; write one"),
    "two comparisons": (rule("metric: nullValues, mustBe: 0, mustBeLessThan: 3"), "2 comparisons; write one"),
    "a misspelt comparison": (
        rule("metric: nullValues, mustBeLess: 3"),
        'comparison `mustBeLess` is unknown; expected "mustBe"',
    ),
    "a comparison with a text": (rule("metric: nullValues, mustBe: few"), 'mustBe: "few"'),
    "between one number": (rule("metric: nullValues, mustBeBetween: [1]"), "mustBeBetween: [1]"),
    "an unknown severity": (
        rule("metric: nullValues, mustBe: 0, severity: fatal"),
        'severity `fatal` is unknown; expected "info", "warning" or "error"',
    ),
    "an unknown unit": (rule("metric: nullValues, mustBe: 0, unit: percents"), "the unit `percents`"),
    "percent of rows": (
        "schema:\n  - {name: publications_all, quality: [{metric: rowCount, unit: percent, mustBe: 0}]}\n",
        "rowCount in percent",
    ),
    "no valid values": (
        rule("metric: invalidValues, mustBe: 0", column="title"),
        "invalidValues without valid ones",
    ),
    "a bad pattern": (
        rule("metric: invalidValues, arguments: {pattern: '('}, mustBe: 0", column="title"),
        "pattern: regex parse error",
    ),
    "valid values of a date": (
        rule("metric: invalidValues, arguments: {validValues: ['1']}, mustBe: 0"),
        "invalidValues of a column that is no text",
    ),
    "a list that is none": (
        rule("metric: invalidValues, arguments: {validValues: day}, mustBe: 0", column="title"),
        "validValues is no list",
    ),
    "a key of unknown columns": (
        (
            "schema:\n  - name: drugs_all\n    quality:\n"
            "      - {metric: duplicateValues, arguments: {properties: [code]}, mustBe: 0}\n"
        ),
        "the column `code`, which drugs_all has not",
    ),
    "an unknown flag": (
        rule(
            "type: sql, query: SELECT 1, customProperties: [{property: flag, value: bad_dat}], mustBe: 0",
            column="flags",
        ),
        "flag `bad_dat` is unknown",
    ),
    "a flag of another column": (
        rule("type: sql, query: SELECT 1, customProperties: [{property: flag, value: bad_date}], mustBe: 0"),
        "a flag outside of the column `flags`",
    ),
    "one id twice": (
        (
            "schema:\n  - name: publications_all\n    quality:\n      - {id: a, metric: rowCount, mustBe: 1}\n"
            "      - {id: a, metric: rowCount, mustBe: 2}\n"
        ),
        "two rules with the id `a`",
    ),
    "an objective in another unit": (
        "slaProperties: [{property: freshness, value: 2, unit: years}]\n",
        "slaProperties[0] freshness: 2 in `years`; write a number, 0 or more, in `d`",
    ),
    "an objective without a number": ("slaProperties: [{property: hitRate, value: high}]\n", '"high" in `percent`'),
    "no YAML": ("schema: [\n", "correct the YAML"),
    "a list": ("", "invalid type"),
    "a schema of another shape": ("schema: 7\n", "schema: invalid type: integer `7`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_contracts_are_refused_before_anything_is_read(tmp_path: Path, vocabulary: Path, case: str) -> None:
    text, message = REFUSED[case]
    head = "".join(line + "\n" for line in HEAD.splitlines() if not text.startswith(line.split(":")[0] + ":"))
    path = tmp_path / "mine.odcs.yaml"
    path.write_text("- 1\n" if case == "a list" else head + text, encoding="utf-8")
    lake = tmp_path / "lake"
    with pytest.raises(exceptions.FormatError) as refused:
        drugs_rs.run(drugs=vocabulary, lake=lake, dt="2024-01-01", contract=path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{path}: ")
    assert not lake.exists()


def test_files_that_are_no_contract(tmp_path: Path, vocabulary: Path) -> None:
    lake = tmp_path / "lake"

    def refused(path: Path) -> Exception:
        with pytest.raises(exceptions.DrugsError) as error:
            drugs_rs.run(drugs=vocabulary, lake=lake, dt="2024-01-01", contract=path)
        assert not lake.exists()
        return error.value

    assert isinstance(refused(tmp_path / "missing.yaml"), exceptions.SourceNotFoundError)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("team: é".encode("latin-1"))
    assert str(refused(latin)) == f"{latin}: byte 6: no UTF-8; save the contract as UTF-8"
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * ((16 << 20) + 1))
    assert "more than 16777216 bytes" in str(refused(large))
    bomb = tmp_path / "bomb.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 12)]
    bomb.write_text("\n".join(lines), encoding="utf-8")
    assert isinstance(refused(bomb), exceptions.FormatError)


def test_rules_of_other_tools_are_left_to_them(tmp_path: Path, vocabulary: Path) -> None:
    text = (
        "schema:\n  - name: publications_all\n    quality:\n"
        "      - {id: a, type: sql, query: SELECT count(*) FROM publications_all, mustBe: 99, severity: error}\n"
        "      - {id: b, type: text, description: Titles are English}\n"
        "      - {id: c, type: custom, engine: soda, implementation: x}\n"
        "      - {id: d, metric: rowCount, mustBe: 4}\n"
    )
    lake = tmp_path / "lake"
    drugs_rs.bronze(drugs=vocabulary, pubmed=delivery(tmp_path, ROWS), lake=lake, dt="2024-01-01")
    report = drugs_rs.silver(lake=lake, dt="2024-01-01", contract=contract(tmp_path, text))
    assert [result["rule"] for result in report["quality"]] == ["d"]


def delivered_days(tmp_path: Path, vocabulary: Path, counts: list[int]) -> Path:
    lake = tmp_path / "lake"
    first = 0
    for day, count in enumerate(counts, start=1):
        rows = "".join(f"{first + row},Aspirin {row},2020-01-01,Annals\n" for row in range(count))
        first += count
        given = delivery(tmp_path, rows, f"{day}.csv")
        drugs_rs.run(drugs=vocabulary, pubmed=given, lake=lake, dt=f"2024-01-{day:02}")
    return lake


def test_objectives(tmp_path: Path, vocabulary: Path) -> None:
    lake = drugs_rs.Lake(delivered_days(tmp_path, vocabulary, [10, 12, 8, 40]))
    found = lake.objectives(today="2024-01-05")
    by_name = {(result["objective"], result["table"]): result for result in found}
    assert set(by_name) == {
        ("freshness", None),
        ("volume", "drugs"),
        ("volume", "pubmed"),
        ("rejectedShare", "drugs"),
        ("rejectedShare", "pubmed"),
        ("hitRate", None),
    }
    assert by_name["freshness", None] == {
        "objective": "freshness",
        "table": None,
        "dt": "2024-01-04",
        "measured": 1.0,
        "unit": "d",
        "least": None,
        "most": 2.0,
        "passed": True,
    }
    assert by_name["volume", "pubmed"] == {
        "objective": "volume",
        "table": "pubmed",
        "dt": "2024-01-04",
        "measured": 40.0,
        "unit": "rows",
        "least": 5.0,
        "most": 15.0,
        "passed": False,
    }
    assert by_name["volume", "drugs"]["passed"]
    assert by_name["rejectedShare", "pubmed"]["measured"] == 0.0
    assert by_name["hitRate", None]["measured"] == 100.0
    late = lake.objectives(today=datetime.date(2024, 1, 7))
    assert [result["passed"] for result in late if result["objective"] == "freshness"] == [False]
    whole = lake.quality(today="2024-01-05")
    assert whole["objectives"] == found
    assert whole["passed"] is False


def test_few_deliveries_have_no_band(tmp_path: Path, vocabulary: Path) -> None:
    lake = drugs_rs.Lake(delivered_days(tmp_path, vocabulary, [1, 1, 90]))
    volume = [result for result in lake.objectives() if result["objective"] == "volume"]
    assert [(result["least"], result["passed"]) for result in volume] == [(None, True), (None, True)]


def test_quality_of_a_lake_counts_repeated_keys(tmp_path: Path, vocabulary: Path) -> None:
    """A column that is no key: three titles come twice or more, over two days."""
    lake = tmp_path / "lake"
    for day, rows in enumerate(
        (
            "1,Aspirin,2020,A\n2,Aspirin,2020,A\n3,Other,2020,A\n",
            "4,Other,,A\n5,Fifth,2020,\n6,Aspirin,2020,A\n7,Seventh,,\n",
        )
    ):
        given = delivery(tmp_path, rows, f"{day}.csv")
        drugs_rs.run(drugs=vocabulary, pubmed=given, lake=lake, dt=f"2024-01-0{day + 1}")
    text = (
        "schema:\n  - name: publications_all\n    quality:\n"
        "      - {id: pairs, metric: duplicateValues, arguments: {properties: [journal, date]}, mustBe: 0}\n"
        "    properties:\n      - name: title\n        quality:\n"
        "          - {id: titles, metric: duplicateValues, mustBe: 0, severity: error}\n"
    )
    path = contract(tmp_path, text)
    found = drugs_rs.Lake(lake).quality(path)
    assert {result["rule"]: result["count"] for result in found["rules"]} == {"titles": 2, "pairs": 1}
    assert found["passed"] is False


def test_the_command(tmp_path: Path, vocabulary: Path) -> None:
    lake = delivered_days(tmp_path, vocabulary, [3, 3, 3, 3])
    good = shell("lake", "quality", str(lake), "--today", "2024-01-05")
    assert good.returncode == 0, good.stderr
    assert good.stdout.decode().endswith("objectives reached\n")
    asked = shell("lake", "quality", str(lake), "--today", "2024-01-09", "--json")
    assert asked.returncode == 1
    told = json.loads(asked.stdout)
    assert told == drugs_rs.Lake(lake).quality(today="2024-01-09")
    error = json.loads(asked.stderr)["error"]
    assert error["class"] == "ContractError"
    assert "the objective freshness at dt=2024-01-04 is missed: 5 d, at most 2" in error["message"]
    alone = shell("lake", "quality", str(lake), "--today", "2024-01-05", "--objectives", "--json")
    assert json.loads(alone.stdout)["rules"] == []
    given = delivery(tmp_path, ROWS)
    path = contract(tmp_path, rule("id: dated, metric: nullValues, mustBe: 0, severity: error"))
    words = ("--pubmed", str(given), "--out", str(lake), "--dt", "2024-01-05", "--contract", str(path))
    refused = shell("run", *words)
    assert refused.returncode == 1
    assert "the rule dated (nullValues) counts 2 in 4 rows" in refused.stderr.decode()
    none = shell("lake", "quality", str(lake), "--contract", "none")
    assert none.returncode == 2
    assert "expected `default`" in none.stderr.decode()
