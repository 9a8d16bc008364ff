"""Expressions of polars: the same mentions as `find_many`, in every kind of query."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.plugins import register_plugin_function

import drugs_rs
import drugs_rs.polars

NAMES = {"A01AD": ["epinephrine", "adrenaline"], "B02AA02": ["tranexamic acid"], "L01DB01": ["doxorubicin"]}
TEXTS = [
    "Norepinephrine, (epinephrine)-treated, Tranexamic–acid",
    None,
    "nothing here",
    "",
    "😀 Étude 👩‍⚕️: ADRENALINE, İ ß ﬁ e\u0301pinephrine",
    "doxorubicin (DOX), then DOX",
]
FIELDS = ["atccode", "drug", "start", "end", "surface", "rule"]
OLD = tuple(int(part) for part in pl.__version__.split(".")[:2]) < (1, 23)
# The last polars for Python 3.8 has the older of the two streaming engines.
STREAMING: dict[str, Any] = {"streaming": True} if OLD else {"engine": "streaming"}


@pytest.fixture(scope="module")
def matcher() -> drugs_rs.Matcher:
    """A few names, and abbreviations, so that every rule occurs."""
    return drugs_rs.Matcher.from_names(NAMES, abbreviations=True)


def expected(matcher: drugs_rs.Matcher, texts: list[str | None]) -> list[list[dict[str, Any]] | None]:
    """The same by `find_many`."""
    found: list[list[dict[str, Any]] | None] = [None if text is None else [] for text in texts]
    for mention in matcher.find_many(texts).to_dicts():
        mentions = found[mention.pop("row")]
        assert mentions is not None
        mentions.append(mention)
    return found


def namespace(expression: pl.Expr) -> drugs_rs.polars.DrugsNamespace:
    """`expression.drugs`, which no type checker can know."""
    return expression.drugs  # type: ignore[attr-defined,no-any-return]


def test_eager(matcher: drugs_rs.Matcher) -> None:
    frame = pl.DataFrame({"title": TEXTS}).with_columns(mentions=namespace(pl.col("title")).find(matcher))
    found = frame["mentions"].to_list()
    assert found == expected(matcher, TEXTS)
    assert {mention["rule"] for mentions in found for mention in mentions or []} == {"name", "synonym", "abbreviation"}
    assert frame["title"].to_list() == TEXTS


def test_the_type_is_known_before_the_query_runs(matcher: drugs_rs.Matcher) -> None:
    text, number = pl.String(), pl.Int64()
    fields = [pl.Field(name, number if name in ("start", "end") else text) for name in FIELDS]
    query = pl.LazyFrame({"title": TEXTS}).select(
        mentions=drugs_rs.polars.find("title", matcher),
        count=drugs_rs.polars.count("title", matcher),
        any=drugs_rs.polars.contains("title", matcher),
    )
    assert dict(query.collect_schema()) == {
        "mentions": pl.List(pl.Struct(fields)),
        "count": pl.UInt32,
        "any": pl.Boolean,
    }
    assert query.collect().schema == query.collect_schema()


def test_the_column_keeps_its_name(matcher: drugs_rs.Matcher) -> None:
    assert pl.DataFrame({"title": TEXTS}).select(namespace(pl.col("title")).find(matcher)).columns == ["title"]


def test_count_and_contains(matcher: drugs_rs.Matcher) -> None:
    found = pl.DataFrame({"title": TEXTS}).select(
        count=namespace(pl.col("title")).count(matcher), any=namespace(pl.col("title")).contains(matcher)
    )
    counts = [None if mentions is None else len(mentions) for mentions in expected(matcher, TEXTS)]
    assert found["count"].to_list() == counts == [2, None, 0, 0, 2, 3]
    assert found["any"].to_list() == [None if count is None else count > 0 for count in counts]


def test_offsets_are_code_points(matcher: drugs_rs.Matcher) -> None:
    frame = pl.DataFrame({"title": TEXTS}).with_columns(mention=drugs_rs.polars.find("title", matcher))
    frame = frame.explode("mention").drop_nulls("mention").unnest("mention")
    rows = frame.to_dicts()
    assert len(rows) == 7
    for row in rows:
        assert row["title"][row["start"] : row["end"]] == row["surface"]
    # polars counts characters as Python does.
    sliced = frame.select(pl.col("title").str.slice(pl.col("start"), pl.col("end") - pl.col("start")))
    assert sliced.to_series().to_list() == frame["surface"].to_list()


@pytest.mark.parametrize("how", [{}, STREAMING], ids=["in memory", "streaming"])
def test_lazy(matcher: drugs_rs.Matcher, how: dict[str, Any]) -> None:
    """Long enough for several pieces; the filter is below the other expressions in the plan."""
    query = (
        pl.LazyFrame({"row": range(60_000), "title": TEXTS * 10_000})
        .with_columns(mentions=namespace(pl.col("title")).find(matcher))
        .filter(namespace(pl.col("title")).contains(matcher))
    )
    frame = query.collect(**how).sort("row")
    wanted = [(row, mentions) for row, mentions in enumerate(expected(matcher, TEXTS)) if mentions]
    assert frame["row"].to_list() == [step + row for step in range(0, 60_000, 6) for row, _ in wanted]
    assert frame["mentions"].to_list() == [mentions for _, mentions in wanted] * 10_000


def test_streaming_from_a_file(matcher: drugs_rs.Matcher, tmp_path: Path) -> None:
    pl.DataFrame({"title": TEXTS * 1000}).write_parquet(tmp_path / "titles.parquet")
    query = pl.scan_parquet(tmp_path / "titles.parquet").select(namespace(pl.col("title")).count(matcher).sum())
    assert query.collect(**STREAMING).item() == 7000


def test_group_by(matcher: drugs_rs.Matcher) -> None:
    frame = pl.DataFrame({"group": [1, 1, 2, 2, 1, 2], "title": TEXTS})
    groups = frame.group_by("group").agg(
        found=namespace(pl.col("title")).find(matcher), total=namespace(pl.col("title")).count(matcher).sum()
    )
    wanted = expected(matcher, TEXTS)
    by_group = {row["group"]: row for row in groups.to_dicts()}
    assert by_group[1]["found"] == [wanted[0], wanted[1], wanted[4]]
    assert (by_group[1]["total"], by_group[2]["total"]) == (4, 3)


def test_inside_a_larger_expression(matcher: drugs_rs.Matcher) -> None:
    frame = pl.DataFrame({"title": TEXTS, "row": range(6)})
    codes = namespace(pl.col("title").str.to_uppercase()).find(matcher).list.eval(pl.element().struct.field("atccode"))
    assert frame.select(codes)["title"].to_list()[0] == ["A01AD", "B02AA02"]
    chosen = frame.select(pl.when(namespace(pl.col("title")).contains(matcher)).then(pl.col("row")))
    assert chosen.to_series().to_list() == [0, None, None, None, 4, 5]
    assert frame.select(namespace(pl.lit("adrenaline")).count(matcher)).item() == 1
    window = namespace(pl.col("title")).count(matcher).sum().over(pl.col("row") % 2)
    assert frame.select(window).to_series().to_list() == [4, 3, 4, 3, 4, 3]


@pytest.mark.parametrize("texts", [[], [None], [None, None], [""], ["nothing"]])
def test_columns_without_a_mention(matcher: drugs_rs.Matcher, texts: list[str | None]) -> None:
    frame = pl.DataFrame({"title": pl.Series(texts, dtype=pl.String)})
    found = frame.select(
        mentions=namespace(pl.col("title")).find(matcher), count=namespace(pl.col("title")).count(matcher)
    )
    assert found["mentions"].to_list() == expected(matcher, texts)
    assert found["count"].to_list() == [None if text is None else 0 for text in texts]
    assert isinstance(found["mentions"].dtype, pl.List)
    assert found.select(pl.col("mentions").explode()).unnest("mentions").columns == FIELDS


def test_columns_in_pieces(matcher: drugs_rs.Matcher) -> None:
    """Chunks, slices and nulls of every origin."""
    whole = pl.concat([pl.Series("title", TEXTS), pl.Series("title", TEXTS[::-1])], rechunk=False)
    for column in (whole, whole.slice(1, 7), whole[::-1], whole.filter(whole.is_not_null())):
        texts = column.to_list()
        found = column.to_frame().select(namespace(pl.col("title")).find(matcher))
        assert found["title"].to_list() == expected(matcher, texts)


def test_a_column_of_nulls_alone(matcher: drugs_rs.Matcher) -> None:
    frame = pl.DataFrame({"title": [None, None]})
    assert frame.select(namespace(pl.col("title")).find(matcher))["title"].to_list() == [None, None]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([1, 2], dtype=pl.Int64),
        pl.Series([1, 2], dtype=pl.Int8),
        pl.Series(["a", "b"], dtype=pl.Categorical),
        pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
        pl.Series(["1.5"]).cast(pl.Decimal(10, 2)),
        pl.Series([b"a"], dtype=pl.Binary),
        pl.Series([["a"]], dtype=pl.List(pl.String)),
        pl.Series([["a"]], dtype=pl.Array(pl.String, 1)),
        pl.Series([{"a": "b"}]),
        pl.Series([0], dtype=pl.Datetime("us", "UTC")),
        pl.Series([0], dtype=pl.Time),
        pl.Series([True]),
    ],
    ids=lambda column: str(column.dtype).split("(", maxsplit=1)[0],
)
def test_a_column_of_anything_else(matcher: drugs_rs.Matcher, column: pl.Series) -> None:
    frame = pl.DataFrame({"title": column})
    with pytest.raises(pl.exceptions.ComputeError, match="expected a column of strings") as raised:
        frame.select(namespace(pl.col("title")).find(matcher))
    assert "`title` is " in str(raised.value)
    assert "panic" not in str(raised.value)
    with pytest.raises(pl.exceptions.ComputeError, match="expected a column of strings"):
        frame.lazy().select(namespace(pl.col("title")).count(matcher)).collect_schema()


def test_settings_are_the_matcher_s() -> None:
    """Two matchers of the same names in one query do not mix."""
    words = drugs_rs.Matcher.from_names(NAMES)
    anywhere = drugs_rs.Matcher.from_names(NAMES, boundary="none")
    without = drugs_rs.Matcher.from_names(NAMES, stop_words=["epinephrine"])
    accents = drugs_rs.Matcher.from_names(NAMES, accents="keep")
    matchers = {"words": words, "anywhere": anywhere, "without": without, "accents": accents}
    texts = ["norepinephrine", "epinephrine", "épinephrine", "doxorubicin (DOX)"]
    frame = pl.DataFrame({"title": texts})
    found = frame.select(**{name: namespace(pl.col("title")).count(one) for name, one in matchers.items()})
    assert found.to_dict(as_series=False) == {
        "words": [0, 1, 1, 1],
        "anywhere": [1, 1, 1, 1],
        "without": [0, 0, 0, 1],
        "accents": [0, 1, 0, 1],
    }


def test_the_object_may_go() -> None:
    matcher = drugs_rs.Matcher.from_names({"X": ["goner"]})
    expression = namespace(pl.col("title")).find(matcher)
    del matcher
    gc.collect()
    for _ in range(3):
        drugs_rs.Matcher.from_names({"Y": ["other"]})
    assert pl.DataFrame({"title": ["a goner"]}).select(expression.list.len()).item() == 1


def test_release() -> None:
    frame = pl.DataFrame({"title": ["a thing"]})
    matcher = drugs_rs.Matcher.from_names({"X": ["thing"]})
    assert not drugs_rs.polars.release(matcher), "no expression yet"
    expression = namespace(pl.col("title")).count(matcher)
    equal = drugs_rs.Matcher.from_names({"X": ["thing"]})
    assert drugs_rs.polars.release(equal)
    with pytest.raises(pl.exceptions.ComputeError, match="this process has no such matcher.*drugs_rs.polars.keep"):
        frame.select(expression)
    drugs_rs.polars.keep(equal)
    assert frame.select(expression).item() == 1


def test_fingerprints_do_not_mix() -> None:
    """Names, synonyms and codes that run together to the same letters are different vocabularies."""
    vocabularies = [{"A": ["b", "c"]}, {"A": ["bc"]}, {"A": ["b"], "c": ["x"]}, {"A": ["c", "b"]}, {"A": ["b"]}, {}]
    matchers = [drugs_rs.Matcher.from_names(names, stop_words=[]) for names in vocabularies]
    matchers.append(drugs_rs.Matcher.from_names(vocabularies[0]))
    fingerprints = [pickled(drugs_rs.polars.count("title", matcher)) for matcher in matchers]
    assert len(set(fingerprints)) == len(matchers)
    assert pickled(drugs_rs.polars.count("title", matchers[0])) == fingerprints[0]


@pytest.mark.parametrize("settings", [{}, {"boundary": "none", "stop_words": ["x"]}, {"abbreviations": True}])
def test_a_copy_is_the_same_matcher(settings: dict[str, Any]) -> None:
    """What another process loads or unpickles is what a query names."""
    matcher = drugs_rs.Matcher.from_names(NAMES, **settings)
    copy = pickle.loads(pickle.dumps(matcher))
    assert pickled(drugs_rs.polars.count("title", copy)) == pickled(drugs_rs.polars.count("title", matcher))


def pickled(expression: pl.Expr) -> bytes:
    """The expression as bytes, the fingerprint of its matcher among them."""
    return expression.meta.serialize(format="binary")


def test_a_query_from_another_process(tmp_path: Path) -> None:
    """The bytes name the matcher; the other process finds the one that was built there, or says that it has none."""
    matcher = drugs_rs.Matcher.from_names({"X": ["thing"]}, boundary="none")
    (tmp_path / "expression").write_bytes(pickled(drugs_rs.polars.count("title", matcher)))
    program = """
import sys
import polars as pl
expression = pl.Expr.deserialize(open(sys.argv[1], "rb"), format="binary")
frame = pl.DataFrame({"title": ["some", "somethings"]})
try:
    frame.select(expression)
except pl.exceptions.ComputeError as error:
    print(str(error).splitlines()[0])
import drugs_rs.polars
drugs_rs.polars.keep(drugs_rs.Matcher.from_names({"X": ["thing"]}))
try:
    frame.select(expression)
except pl.exceptions.ComputeError:
    print("other settings, other matcher")
drugs_rs.polars.keep(drugs_rs.Matcher.from_names({"X": ["thing"]}, boundary="none"))
print(frame.select(expression).to_series().to_list())
"""
    talk, other, answer = printed(program, str(tmp_path / "expression")).strip().splitlines()
    assert "made in another process" in talk
    assert (other, answer) == ("other settings, other matcher", "[0, 1]")


def printed(program: str, *arguments: str) -> str:
    """What a program prints in a process of its own; its warnings are errors here."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    output = done.stdout.decode("utf-8")
    assert done.returncode == 0, output
    return output


def test_keywords_that_nobody_wrote(matcher: drugs_rs.Matcher) -> None:
    """Hand-made expressions fail as polars' own do."""
    drugs_rs.polars.keep(matcher)
    path = str(sys.modules["drugs_rs._core"].__file__)

    def made(arguments: list[str], keywords: dict[str, Any]) -> pl.Expr:
        return register_plugin_function(
            plugin_path=path, function_name="count", args=arguments, kwargs=keywords, is_elementwise=True
        )

    frame = pl.DataFrame({"title": TEXTS, "other": TEXTS})
    for expression in (
        made(["title"], {}),
        made(["title"], {"matcher": 7}),
        made(["title"], {"matcher": "no fingerprint"}),
        made(["title", "other"], {"matcher": "no fingerprint"}),
    ):
        with pytest.raises(pl.exceptions.ComputeError) as raised:
            frame.select(expression)
        assert "panic" not in str(raised.value)


def test_no_matcher() -> None:
    with pytest.raises(TypeError, match="Matcher"):
        namespace(pl.col("title")).find("aspirin")  # type: ignore[arg-type]


def test_without_polars() -> None:
    program = """
import sys
sys.modules["polars"] = None
try:
    import drugs_rs.polars
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    assert printed(program).startswith("polars drugs_rs.polars needs polars 1.8 or newer: pip install")


def test_no_thread_of_ours() -> None:
    """A pool of our own would hang in a forked child; polars has brought its threads before."""
    program = """
import os
import polars as pl
import drugs_rs.polars

def threads():
    # The allocator of polars starts threads of its own at any time.
    names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
    return sum(not name.startswith("jemalloc") for name in names)

matcher = drugs_rs.Matcher.from_names({"X": ["thing"]})
titles = {"title": ["thing", None] * 200_000}
frame = pl.DataFrame(titles)
query = frame.lazy().with_columns(pl.col("title").str.to_uppercase().str.len_chars().alias("a"), b=pl.col("title"))
query.collect()
before = threads()
frame.with_columns(pl.col("title").drugs.find(matcher).alias("a"), b=pl.col("title").drugs.count(matcher))
print(threads() - before)
"""
    assert printed(program).strip() == "0"


def test_a_fork() -> None:
    """Our engine in the parent does not harm expressions in the child. polars in the parent would, even without us."""
    program = """
import os, signal
import polars as pl
import drugs_rs.polars

matcher = drugs_rs.Matcher.from_names({"X": ["thing"]})
matcher.find_many(["thing"] * 100_000)
expression = pl.col("title").drugs.count(matcher).sum()
child = os.fork()
if child == 0:
    signal.alarm(60)
    found = pl.DataFrame({"title": ["thing", None] * 1000}).select(expression).item()
    os._exit(0 if found == 1000 else 1)
print(os.waitpid(child, 0)[1])
"""
    assert printed(program).strip().splitlines()[-1] == "0"
