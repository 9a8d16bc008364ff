"""The SQL models give what the core gives, row by row, on DuckDB and PostgreSQL, for lakes of every kind.

The texts for BigQuery and Spark are read by sqlglot and run on DuckDB. `tests/dbt_package` runs the dbt package.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Iterator, Union

import pytest
from lake_story import STATES, in_order
from model_lakes import JOINED, LAKES, chain, snapshots
from postgres_server import Postgres, postgres
from sql_warehouses import Duck, PostgresServer, Rows, found_in, plain
from written_sources import csv_text, write, write_drugs, write_pubmed

import drugs_rs
from drugs_rs import sql
from drugs_rs.exceptions import ArgumentError, SourceNotFoundError
from drugs_rs.loading import load_tables

core = pytest.mark.core

Warehouse = Union[Duck, PostgresServer]
Loader = Callable[[drugs_rs.Lake], Warehouse]
TABLES = ("publications", "mentions", "journal_drugs")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        # The order of its texts is not that of their bytes.
        assert found.run("SELECT 'a' < 'B' COLLATE \"en-x-icu\"").strip() == "t"
        yield found


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: build(tmp_path_factory.mktemp("lake")) for name, build in LAKES.items()}


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Loader:
    """Loads a lake into a warehouse, for the dialect that is the fixture's parameter."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("server")
        return lambda lake: PostgresServer(server, lake)
    return lambda lake: Duck(lake, request.param)


def in_dialects(*dialects: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("load", dialects, indirect=True)


def matcher_of(lake: drugs_rs.Lake, folder: Path) -> drugs_rs.Matcher:
    """A matcher of the vocabulary that gold used, from its table."""
    rows = [(row["atccode"], row["drug"], "|".join(row["synonyms"])) for row in lake.scan("drugs").read()]
    path = write(folder / "vocabulary.csv", csv_text(("atccode", "drug", "synonyms"), rows))
    return drugs_rs.Matcher.from_vocabulary(path)


def check(place: Path, load: Loader, folder: Path) -> dict[str, Rows]:
    """Compare every model with the core; return the rows of the core."""
    lake = drugs_rs.Lake(place)
    of_core = {table: plain(list(lake.scan(table).read())) for table in TABLES}
    warehouse = load(lake)
    publications = warehouse.make("publications")
    assert in_order(publications) == in_order(of_core["publications"])
    warehouse.insert("found", found_in(publications, matcher_of(lake, folder)))
    mentions, journal_drugs = warehouse.make("mentions"), warehouse.rows("journal_drugs")
    assert in_order(mentions) == in_order(of_core["mentions"])
    assert in_order(journal_drugs) == in_order(of_core["journal_drugs"])
    for table, rows in zip(TABLES, (publications, mentions, journal_drugs)):
        assert all(list(row) == list(lake.schema(table)) for row in rows)

    published = drugs_rs.read_answers(place)
    top, exclusive = warehouse.rows("top_journals"), warehouse.rows("exclusive_drugs")
    assert [(row["journal"], row["drugs"]) for row in top] == list(published["top_journals"].items())
    assert lists_of(exclusive) == {code: others for code, others in published["exclusive_drugs"].items() if others}
    graph = drugs_rs.read_graph(place)
    assert top == graph.answer("top_journals").to_dicts()
    assert exclusive == graph.answer("exclusive_drugs", max_exclusive=0).to_dicts()
    assert warehouse.rows("top_journals", unit="code") == graph.answer("top_journals", unit="code").to_dicts()
    by_code = graph.answer("exclusive_drugs", unit="code", max_exclusive=0).to_dicts()
    assert warehouse.rows("exclusive_drugs", unit="code") == [names_in_order(row) for row in by_code]
    return of_core


def lists_of(exclusive: Rows) -> dict[str, list[str]]:
    """For each code the others, as in `exclusive_drugs.json`."""
    found: dict[str, list[str]] = {}
    for row in exclusive:
        found.setdefault(row["atccode"], []).append(row["other_atccode"])
    return found


def names_in_order(row: dict[str, Any]) -> dict[str, Any]:
    """The only deviation: tables have no order, so the model sorts the names of a code, which the core does not."""
    return {
        name: " | ".join(sorted(value.split(" | "))) if name.endswith("drug") else value for name, value in row.items()
    }


def test_the_four_files_on_every_duckdb(sample_lake: Path, tmp_path: Path) -> None:
    """On Python 3.8 too, where DuckDB is an old one."""
    assert all(check(sample_lake, Duck, tmp_path).values())


@core
@in_dialects("bigquery", "postgres", "spark")
def test_the_four_files(sample_lake: Path, load: Loader, tmp_path: Path) -> None:
    assert all(check(sample_lake, load, tmp_path).values())


@core
@in_dialects("duckdb", "postgres")
@pytest.mark.parametrize("state", STATES)
def test_a_lake_over_several_days(state: str, story: dict[str, Path], load: Loader, tmp_path: Path) -> None:
    """Corrections, a deletion, a late delivery, a held and a released date, preprints, other vocabularies."""
    assert all(check(story[state], load, tmp_path).values())


@core
@in_dialects("bigquery", "duckdb", "postgres")
@pytest.mark.parametrize("name", LAKES)
def test_lakes_of_every_kind(name: str, lakes: dict[str, Path], load: Loader, tmp_path: Path) -> None:
    assert all(check(lakes[name], load, tmp_path).values())


@core
def test_the_lakes_have_what_they_are_for(lakes: dict[str, Path]) -> None:
    """Otherwise the comparison would prove little."""
    query = {
        "an earlier row": "SELECT kind, publication_id FROM publications_all GROUP BY ALL HAVING count(*) > 1",
        "a deleted one": "SELECT a.dt FROM publications_all AS a ANTI JOIN publications USING (kind, publication_id)",
        "one that came back": "SELECT d.dt FROM deleted AS d JOIN publications AS p USING (kind, publication_id) "
        "WHERE p.dt > d.dt",
        "a name of several keys": "SELECT journal FROM publications GROUP BY ALL "
        "HAVING count(DISTINCT journal_key) > 1",
        "a key that the ids do not join": "SELECT journal_key FROM journal_ids GROUP BY ALL "
        "HAVING count(DISTINCT nlm_id) > 1",
        "a key of an id and three others": "SELECT journal_key FROM journal_ids GROUP BY ALL "
        "HAVING count(DISTINCT nlm_id) = 1 AND count(DISTINCT issn) > 2",
        "a notice of the day of the row": "SELECT dt FROM deleted JOIN publications USING (kind, publication_id, dt)",
        "several substances of a code": "SELECT atccode FROM drugs GROUP BY ALL HAVING count(DISTINCT substance) > 1",
        "several codes of a substance": "SELECT substance FROM drugs GROUP BY ALL HAVING count(DISTINCT atccode) > 1",
    }
    found: dict[str, set[str]] = {name: set() for name in query}
    for name, place in lakes.items():
        connection = drugs_rs.Lake(place).duckdb()
        for what, text in query.items():
            if connection.execute(text).fetchall():
                found[what].add(name)
    assert found == {
        "an earlier row": {"ten days", "dirt", "journals", "notices", "snapshots"},
        "a deleted one": {"ten days", "journals", "notices", "snapshots"},
        "one that came back": {"ten days", "snapshots"},
        "a name of several keys": {"ten days", "journals"},
        "a key that the ids do not join": {"journals"},
        "a key of an id and three others": {"journals"},
        "a notice of the day of the row": {"notices"},
        "several substances of a code": {"vocabulary"},
        "several codes of a substance": {"dirt", "vocabulary"},
    }
    status = drugs_rs.Lake(lakes["ten days"]).status().to_dicts()
    assert {True, False} == {row["held"] for row in status}
    assert any(row["dt"] > row["as_of"] for row in status)
    # Of each kind, and some that do not count.
    rows = [row for row in drugs_rs.Lake(lakes["snapshots"]).status() if row["snapshot"]]
    assert {row["table"] for row in rows} == {"pubmed", "clinical_trials", "preprints"}
    assert any(row["held"] for row in rows) and any(row["dt"] > row["as_of"] for row in rows)


@core
@in_dialects("bigquery", "duckdb", "postgres", "spark")
def test_a_snapshot_that_is_held_in_the_warehouse_replaces_nothing(load: Loader, tmp_path: Path) -> None:
    """And one that is released there replaces what came before it."""
    place = snapshots(tmp_path)
    warehouse = load(drugs_rs.Lake(place))
    before = in_order(warehouse.make("publications"))
    warehouse.change_status("SET held = dt <> '2024-12-08' WHERE dt IN ('2024-12-05', '2024-12-08')")
    drugs_rs.hold(place, "2024-12-05", "a look at it")
    drugs_rs.release(place, "2024-12-08")
    drugs_rs.gold(lake=place, dt="2024-12-08")
    rows = in_order(warehouse.rows("publications"))
    assert rows == in_order(plain(list(drugs_rs.Lake(place).scan("publications").read())))
    assert rows != before


@core
@in_dialects("bigquery", "duckdb", "postgres")
def test_lakes_without_rows(load: Loader, tmp_path: Path) -> None:
    """A folder without anything, a lake without gold, and one whose only publications are held."""
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "WARFARIN"))
    pubmed = write_pubmed(tmp_path / "pubmed.csv", ("1", "Warfarin", "2020", "Annals"))
    lake = tmp_path / "lake"
    lake.mkdir()

    def rows() -> Rows:
        warehouse = load(drugs_rs.Lake(lake))
        found = warehouse.make("publications")
        warehouse.insert("found", found_in([], drugs_rs.Matcher.from_names({})))
        assert warehouse.make("mentions") == []
        assert all(warehouse.rows(name) == [] for name in ("journal_drugs", "top_journals", "exclusive_drugs"))
        return found

    assert rows() == []
    drugs_rs.bronze(lake=lake, dt="2024-01-01", drugs=drugs, pubmed=pubmed)
    drugs_rs.silver(lake=lake, dt="2024-01-01")
    with pytest.raises(SourceNotFoundError):
        drugs_rs.Lake(lake).scan("publications").read()
    assert rows() == []
    drugs_rs.run(lake=lake, dt="2024-01-02", drugs=drugs)
    assert len(rows()) == 1
    drugs_rs.hold(lake, "2024-01-01", "a look at it")
    # The core leaves it out from its next run on, the models at once.
    assert len(drugs_rs.Lake(lake).scan("publications").read()) == 1
    assert rows() == []
    drugs_rs.gold(lake=lake, dt="2024-01-02")
    assert len(drugs_rs.Lake(lake).scan("publications").read()) == 0


@core
@in_dialects("duckdb", "postgres")
def test_an_earlier_state(load: Loader, story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["released"])
    states = [row["state"] for row in lake.states()]
    assert len(states) == len(STATES)
    different = set()
    for state in states:
        earlier = lake.at(state)
        rows = in_order(load(earlier).make("publications"))
        assert rows == in_order(plain(list(earlier.scan("publications").read())))
        different.add(repr(rows))
    assert len(different) > 3


@core
def test_ids_that_join_names_in_a_chain(server: Postgres, tmp_path: Path) -> None:
    """BigQuery and Spark repeat a step as often as the text says: a longer chain is an error there."""
    place = chain(tmp_path, JOINED + 2)
    core_rows = in_order(plain(list(drugs_rs.Lake(place).scan("publications").read())))
    assert {row["journal"] for row in core_rows} == {"Journal 01"}
    lake = drugs_rs.Lake(place)
    for warehouse in (Duck(lake), PostgresServer(server, lake)):
        assert in_order(warehouse.make("publications")) == core_rows
    for dialect in ("bigquery", "spark"):
        with pytest.raises(Exception, match=r"publications: joined_keys still changes after 6 rounds"):
            Duck(lake, dialect).make("publications")
    shorter = drugs_rs.Lake(chain(tmp_path / "shorter", JOINED + 1))
    rows = in_order(plain(list(shorter.scan("publications").read())))
    assert [in_order(Duck(shorter, dialect).make("publications")) for dialect in ("bigquery", "spark")] == [rows] * 2


@core
@in_dialects("bigquery", "duckdb", "postgres")
def test_what_the_vocabulary_lacks_has_no_substance(load: Loader, sample_lake: Path) -> None:
    """A matcher of another vocabulary: the row is there, and `not_null` of the dbt package finds it."""
    warehouse = load(drugs_rs.Lake(sample_lake))
    publications = warehouse.make("publications")
    matcher = drugs_rs.Matcher.from_names({"NEW": [re.findall(r"\w+", publications[0]["title"])[0]]})
    # What is found in a publication that is not current is left out.
    gone = {**publications[0], "publication_id": "gone"}
    warehouse.insert("found", found_in([gone, *publications], matcher))
    rows = warehouse.make("mentions")
    assert {(row["atccode"], row["substance"]) for row in rows} == {("NEW", None)}
    assert "gone" not in {row["publication_id"] for row in rows}


@core
def test_the_committed_files_are_what_the_scripts_write() -> None:
    """`make sql-models` writes them anew."""
    import render_dbt_package
    import render_sql_models

    folder = Path(sql.__file__).parent
    written = {
        **render_sql_models.render_all(),
        **{f"dbt/{place}": text for place, text in render_dbt_package.package().items()},
    }
    sources = {f"models/{name}.sql" for name in sql.names()}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in (".sql", ".yml")}
    assert found == {*written, *sources}
    for place, text in written.items():
        assert (folder / place).read_text(encoding="utf-8") == text, place


@core
def test_the_dbt_package_has_the_status_that_loads_bring() -> None:
    import render_dbt_package

    (loaded,) = load_tables(["status"])
    status = render_dbt_package.STATUS
    assert (status.name, status.description, status.key) == (loaded.name, loaded.description, loaded.key)
    columns = [(column.name, column.description, not column.nullable) for column in loaded.columns]
    assert [tuple(column) for column in status.columns] == columns


@core
@pytest.mark.parametrize("dialect", sql.DIALECTS)
@pytest.mark.parametrize("name", sql.names())
def test_every_text_is_of_its_dialect(name: str, dialect: str) -> None:
    """A parser reads it, every relation is a given one, and every column is quoted: `end` is a word of SQL."""
    import sqlglot
    from sqlglot import exp

    query = sqlglot.parse_one(sql.model(name, dialect, schema="somewhere"), read=dialect)
    tables = {table.alias for table in query.find_all(exp.CTE)}
    read = {(table.db, table.name) for table in query.find_all(exp.Table) if table.name not in tables}
    assert read == {("somewhere", table) for table in sql.inputs(name)}
    columns = [column.this for column in query.find_all(exp.Column) if not column.is_star]
    assert columns
    assert all(column.quoted for column in columns)


def test_names_and_inputs() -> None:
    assert sql.names() == ["exclusive_drugs", "journal_drugs", "mentions", "publications", "top_journals"]
    assert {name: sql.inputs(name) for name in sql.names()} == {
        "exclusive_drugs": ["drugs", "mentions"],
        "journal_drugs": ["mentions"],
        "mentions": ["drugs", "found", "publications"],
        "publications": ["deleted", "journal_ids", "publications_all", "status"],
        "top_journals": ["mentions"],
    }
    assert (Path(sql.dbt_package()) / "dbt_project.yml").is_file()


@pytest.mark.parametrize(
    ("dialect", "tables", "schema", "expected"),
    [
        ("duckdb", {}, None, '"mentions"'),
        ("duckdb", {"mentions": "made.m"}, "main", '"made"."m"'),
        ("duckdb", {"mentions": ['a"b.c', "m"]}, None, '"a""b.c"."m"'),
        ("postgres", {}, "drugs", '"drugs"."mentions"'),
        ("postgres", {}, "Drugs of 'x'", '"Drugs of \'x\'"."mentions"'),
        ("postgres", {"mentions": "{status}"}, None, '"{status}"'),
        ("bigquery", {}, "my-project.drugs", "`my-project`.`drugs`.`mentions`"),
        ("bigquery", {"mentions": ("example.com:p", "d", "m")}, "x", "`example.com:p`.`d`.`m`"),
        ("spark", {"mentions": "a`b"}, None, "`a``b`"),
    ],
)
def test_a_relation_is_quoted(dialect: str, tables: dict[str, Any], schema: str | None, expected: str) -> None:
    text = sql.model("journal_drugs", dialect, tables, schema=schema)
    assert re.findall(r"FROM (.*) AS [\"`]mentions[\"`]", text) == [expected]


NAMES = "exclusive_drugs, journal_drugs, mentions, publications, top_journals"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "journals"}, f"model: `journals` is none of {NAMES}"),
        ({"dialect": "mysql"}, "dialect: `mysql` is none of bigquery, duckdb, postgres, spark"),
        ({"tables": {"found": "f"}}, "input of journal_drugs: `found` is none of mentions"),
        (
            {"tables": {"mentions": ""}},
            "mentions: `` has a part without a name; expected a relation such as `schema.table`",
        ),
        ({"schema": "a..b"}, "schema: `a..b` has a part without a name; expected a relation such as `schema.table`"),
        ({"schema": ()}, "schema: `()` has a part without a name; expected a relation such as `schema.table`"),
        ({"unit": "codes"}, "unit: `codes` is none of substance, code"),
        ({"unit": "code"}, "unit: the model `journal_drugs` counts nothing as one drug; leave `unit` out"),
        (
            {"dialect": "bigquery", "schema": "a`b"},
            "mentions: `a`b` cannot be a name in BigQuery, because of its backtick, backslash or line break",
        ),
    ],
)
def test_what_there_is_not_is_an_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        sql.model(**{"name": "journal_drugs", "dialect": "duckdb", **arguments})
    assert str(error.value) == message
