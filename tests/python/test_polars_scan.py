"""`drugs_rs.polars.scan`: the rows of `Lake.scan` in lazy queries, without reading what a query does not need."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import polars as pl
import pytest
from lake_story import EARLY, FIRST, FOURTH, SECOND, TABLES, THIRD, sources
from written_sources import write_drugs, write_pubmed

import drugs_rs
import drugs_rs.polars
from drugs_rs import exceptions

OLD = tuple(int(part) for part in pl.__version__.split(".")[:2]) < (1, 31)
needs_sources = pytest.mark.skipif(OLD, reason="this polars has no sources of this kind")
ENGINES: tuple[Any, ...] = ("in-memory", "streaming")

of_dt, of_kind, of_code = pl.col("dt"), pl.col("kind"), pl.col("atccode")
# Conditions on mentions.
CONDITIONS: dict[str, pl.Expr] = {
    "a date": of_dt == FIRST,
    "a date on the other side": pl.lit(FIRST) == of_dt,
    "dates": of_dt.is_in([FIRST, THIRD]),
    "dates and kind": (of_dt >= FIRST) & (of_dt < THIRD) & (of_kind == "pubmed"),
    "no such date": of_dt == "1999-01-01",
    "no such kind": of_kind == "novel",
    "not a kind": of_kind != "pubmed",
    "kind or date": (of_kind == "preprint") | (of_dt == EARLY),
    "kind and date or code": ((of_kind == "pubmed") & (of_dt == SECOND)) | (of_code == "B01AA03"),
    "kind with date": of_kind + of_dt == "pubmed" + FIRST,
    "a code": of_code == "B01AA03",
    "codes": of_code.is_in(["B01AA03", "N02BA01", "nothing"]),
    "beginnings of codes": of_code.str.starts_with("N02"),
    "no such code": of_code == "x\"; '\u202e\n",
    "not a code": ~(of_code == "B01AA03"),
    "code and surface": (of_code == "B01AA03") & (pl.col("surface").str.to_lowercase() == "warfarin"),
    "code, kind and title": (of_code == "N02BE01") & (of_kind == "clinical_trial") & (pl.col("start") > 0),
    "nulls": of_dt.is_null() | of_code.is_null(),
    "no nulls": of_kind.is_not_null() & of_code.is_not_null(),
    "always": pl.lit(value=True),
    "never": pl.lit(value=False),
    "a date of a text": of_dt.str.to_date() == datetime.date(2024, 3, 1),
    "a date that not all texts are": of_kind.str.to_date("%Y-%m-%d", strict=False).is_null() & (of_dt == FIRST),
    "the last date": of_dt == of_dt.max(),
    "the last date of a kind": of_dt == of_dt.max().over("kind"),
    "other columns": (pl.col("start") == 0) & pl.col("journal").is_not_null(),
    "all of a list": pl.all_horizontal(of_dt == FIRST, of_kind == "pubmed"),
    "xor": (of_dt == FIRST) ^ (of_kind == "pubmed"),
    "many": pl.fold(
        pl.lit(value=True), lambda one, other: one & other, [of_dt != f"1999-01-{day:02}" for day in range(1, 31)]
    ),
}


def eager(lake: drugs_rs.Lake, table: str = "mentions") -> pl.DataFrame:
    return lake.scan(table).to_polars()


class Recorded:
    """A lake that notes what is asked of it, and how many row groups are read."""

    scans: list[tuple[str, Any, dict[str, Any]]]
    batches: int

    def __init__(self, root: Any) -> None:
        self.lake, self.scans, self.batches = drugs_rs.Lake(root), [], 0
        self.schema, self.files = self.lake.schema, self.lake.files

    def scan(self, table: str, columns: Any = None, **filters: Any) -> Any:
        self.scans.append((table, columns, filters))
        found = self.lake.scan(table, columns, **filters)

        def read() -> Iterator[drugs_rs.Table]:
            for batch in found:
                self.batches += 1
                yield batch

        class Scan:
            to_polars = found.to_polars

            def __iter__(self) -> Iterator[drugs_rs.Table]:
                return read()

        return Scan()


@pytest.fixture
def recorded(story: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Recorded:
    lake = Recorded(story["late"])
    monkeypatch.setattr(drugs_rs.polars, "_core", SimpleNamespace(Lake=Recorded))
    return lake


@pytest.mark.skipif(not OLD, reason="this polars has sources of this kind")
def test_an_old_polars_is_named(story: dict[str, Path]) -> None:
    with pytest.raises(
        exceptions.MissingLibraryError, match=rf"needs polars 1\.31 or newer, and this is {pl.__version__}"
    ):
        drugs_rs.polars.scan(story["late"], "mentions")


@needs_sources
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_that_of_the_lake(table: str, engine: Any, story: dict[str, Path]) -> None:
    for path in story.values():
        lake = drugs_rs.Lake(path)
        expected = eager(lake, table)
        query = drugs_rs.polars.scan(lake, table)
        assert query.collect_schema() == expected.schema
        assert query.collect(engine=engine).equals(expected)
        assert query.select(pl.len()).collect(engine=engine).item() == expected.height
        for column in expected.columns:
            assert query.select(column).collect(engine=engine).equals(expected.select(column))
        if {"kind", "dt"}.issubset(expected.columns):
            for condition in (
                of_kind == "pubmed",
                of_kind.is_null(),
                (of_kind.is_null()) & (of_dt == FIRST),
                of_dt > FIRST,
            ):
                found = query.filter(condition).collect(engine=engine)
                assert found.equals(expected.filter(condition)), (table, str(condition))


@needs_sources
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_are_those_of_an_eager_frame(name: str, engine: Any, story: dict[str, Path]) -> None:
    lake, condition = drugs_rs.Lake(story["late"]), CONDITIONS[name]
    expected, query = eager(lake), drugs_rs.polars.scan(str(story["late"]), "mentions")
    assert query.filter(condition).collect(engine=engine).equals(expected.filter(condition))
    some = query.filter(condition).select("surface", "drug").collect(engine=engine)
    assert some.equals(expected.filter(condition).select("surface", "drug"))
    counted = query.filter(condition).group_by("kind").agg(pl.len()).sort("kind").collect(engine=engine)
    assert counted.equals(expected.filter(condition).group_by("kind").agg(pl.len()).sort("kind"))
    for count in (0, 1, 3, 10_000):
        first = query.head(count).filter(condition).collect(engine=engine)
        assert first.equals(expected.head(count).filter(condition)), "the first rows, and then the condition"
        found = query.filter(condition).head(count).collect(engine=engine)
        assert found.height == min(count, expected.filter(condition).height)
    joined = query.join(query.filter(condition).select("publication_id").unique(), on="publication_id", how="semi")
    ids = expected.filter(condition)["publication_id"].to_list()
    assert sorted(joined.collect(engine=engine)["publication_id"]) == sorted(
        value for value in expected["publication_id"] if value in ids
    )


@needs_sources
@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_conditions_are_errors_of_polars(engine: Any, story: dict[str, Path]) -> None:
    query = drugs_rs.polars.scan(story["late"], "mentions")
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        query.filter(pl.col("nothing") == 1).collect(engine=engine)
    with pytest.raises(pl.exceptions.PolarsError):
        query.filter(of_kind.str.to_date() == datetime.date(2024, 3, 1)).collect(engine=engine)


@needs_sources
@pytest.mark.parametrize(
    ("condition", "filters"),
    [
        (of_dt == FIRST, {"dt": {FIRST}, "kind": {"pubmed", "clinical_trial", "preprint"}}),
        ((of_kind == "pubmed") & (of_dt > FIRST), {"dt": {SECOND, THIRD}, "kind": {"pubmed"}}),
        (of_code == "B01AA03", {"atccode": {"B01AA03"}}),
        (
            of_code.str.starts_with("N02") & (of_kind == "preprint"),
            {"atccode": {"N02BE01", "N02BA01"}, "kind": {"preprint"}, "dt": {FIRST}},
        ),
        (of_dt == "1999-01-01", {"dt": set(), "kind": set()}),
        ((of_kind == "preprint") | (pl.col("start") == 0), {}),
        (pl.col("start") == 0, {}),
    ],
    ids=lambda value: str(value) if isinstance(value, pl.Expr) else "",
)
def test_what_is_not_needed_is_not_read(condition: pl.Expr, filters: dict[str, set[str]], recorded: Recorded) -> None:
    query = drugs_rs.polars.scan(recorded, "mentions")  # type: ignore[arg-type]
    recorded.scans.clear()
    query.filter(condition).select("surface").collect()
    table, columns, found = recorded.scans[-1]
    assert table == "mentions"
    assert {name: set(values) for name, values in found.items()} == filters
    assert set(columns) == {"surface", *condition.meta.root_names()}


@needs_sources
def test_files_of_other_partitions_are_not_opened(story: dict[str, Path], tmp_path: Path) -> None:
    lake = drugs_rs.Lake(tmp_path / "lake")
    shutil.copytree(str(story["late"]), lake.root)
    files = lake.files("mentions").to_dicts()
    for file in files:
        if (file["kind"], file["dt"]) != ("pubmed", SECOND):
            Path(file["uri"]).write_bytes(b"")
    query = drugs_rs.polars.scan(lake, "mentions")
    expected = lake.scan("mentions", kind="pubmed", dt=SECOND).to_polars()
    assert expected.height and query.filter((of_kind == "pubmed") & (of_dt == SECOND)).collect().equals(expected)
    for engine in ENGINES:
        with pytest.raises(Exception, match="it has 0 bytes, and the manifest says"):
            query.collect(engine=engine)


@needs_sources
def test_large_tables_come_in_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", ("A", "warfarin"), ("B", "aspirin"), ("C", "digoxin"))
    names = ("warfarin", "aspirin", "nothing")
    rows = [(str(n), f"About {names[n // 20_000]} {n}", "2020", "J") for n in range(50_000)]
    drugs_rs.run(out=tmp_path / "lake", dt=FIRST, drugs=drugs, pubmed=write_pubmed(tmp_path / "p.csv", *rows))
    lake = Recorded(tmp_path / "lake")
    monkeypatch.setattr(drugs_rs.polars, "_core", SimpleNamespace(Lake=Recorded))
    query, expected = drugs_rs.polars.scan(lake, "publications"), eager(lake.lake, "publications")  # type: ignore[arg-type]
    groups = -(-len(rows) // 16_384)
    for engine in ENGINES:
        lake.batches = 0
        assert query.collect(engine=engine).equals(expected)
        assert lake.batches == groups
        lake.batches = 0
        assert query.head(10).collect(engine=engine).equals(expected.head(10))
        assert lake.batches == 1, "the first rows need no more"
        condition = pl.col("title").str.ends_with("7")
        counted = query.filter(condition).group_by(pl.col("title").str.len_chars()).agg(pl.len().alias("n"))
        assert counted.collect(engine=engine)["n"].sum() == 5_000
    written = tmp_path / "titles.parquet"
    query.select("publication_id", "title").sink_parquet(written)
    assert pl.read_parquet(written).equals(expected.select("publication_id", "title"))
    mentions = drugs_rs.polars.scan(lake, "mentions").filter(of_code == "B")  # type: ignore[arg-type]
    assert mentions.select("surface").collect()["surface"].value_counts().rows() == [("aspirin", 20_000)]
    assert mentions.filter(of_code == "C").collect().is_empty()


@needs_sources
def test_each_run_of_a_query_sees_the_state_of_its_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days, lake = sources(tmp_path), drugs_rs.Lake(tmp_path / "lake")
    drugs_rs.run(lake=lake.root, dt=FIRST, **days[FIRST])
    query = drugs_rs.polars.scan(lake, "mentions").filter(of_code != "X")
    before = query.collect()
    assert before.equals(eager(lake))
    drugs_rs.run(lake=lake.root, dt=SECOND, **days[SECOND])
    assert query.collect().equals(eager(lake)) and not query.collect().equals(before)

    # Now a run commits after the query has looked at the codes: its new code must not be missing.
    class Busy(Recorded):
        def scan(self, table: str, columns: Any = None, **filters: Any) -> Any:
            found = super().scan(table, columns, **filters)
            codes = found.to_polars() if table == "drugs" else None
            if table == "drugs" and len(self.scans) < 4:
                drugs_rs.run(lake=lake.root, dt=FOURTH, drugs=more, pubmed=late)
            return SimpleNamespace(to_polars=lambda: codes) if table == "drugs" else found

    more = write_drugs(tmp_path / "more.csv", ("B01AA03", "WARFARIN"), ("NEW", "novelol"))
    late = write_pubmed(tmp_path / "late.csv", ("50", "Novelol and warfarin", "2021", "J"))
    monkeypatch.setattr(drugs_rs.polars, "_core", SimpleNamespace(Lake=Busy))
    busy = Busy(lake.root)
    found = drugs_rs.polars.scan(busy, "mentions").filter(of_code != "X").collect()  # type: ignore[arg-type]
    assert found.equals(eager(lake)) and "NEW" in found["atccode"]
    assert sum(table == "mentions" for table, *_ in busy.scans) == 3, "once for the names, and twice for the query"


@needs_sources
def test_wrong_names_are_errors_at_once(story: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(exceptions.ArgumentError, match='did you mean "mentions"'):
        drugs_rs.polars.scan(story["late"], "mention")
    with pytest.raises(exceptions.SourceNotFoundError):
        drugs_rs.polars.scan(tmp_path / "none", "mentions")
    with pytest.raises(TypeError):
        drugs_rs.polars.scan(7, "mentions")  # type: ignore[arg-type]
    drugs_rs.bronze(out=tmp_path / "lake", dt=FIRST, **sources(tmp_path)[FIRST])
    with pytest.raises(exceptions.SourceNotFoundError, match="run the gold step first"):
        drugs_rs.polars.scan(tmp_path / "lake", "mentions")
    assert drugs_rs.polars.scan(tmp_path / "lake", "drugs_all").filter(of_dt == FIRST).collect().is_empty()
