"""The native module: what `drugs_rs` offers, documented where editors and type checkers look.

Import these names from `drugs_rs`; only the façade imports this module.
"""

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, SupportsIndex, final, overload

import duckdb
import networkx
import pandas
import polars
import pyarrow
from typing_extensions import Self, TypeAlias, disjoint_base

from drugs_rs.table import TableSchema

__all__ = [
    "CleanTable",
    "DrugGraph",
    "Lake",
    "LakeDiff",
    "LoadCommand",
    "Matcher",
    "Mention",
    "MentionColumn",
    "PairEvidence",
    "PublicationBatches",
    "Table",
    "TableScan",
    "__version__",
    "bronze",
    "describe_tables",
    "fetch",
    "generate",
    "gold",
    "hold",
    "iter_publications",
    "keep_matcher",
    "list_sources",
    "main",
    "read_answers",
    "read_drugs",
    "read_graph",
    "read_publications",
    "release",
    "release_matcher",
    "run",
    "silver",
]

# A path, a glob, a folder or a URI, or several of them.
_Path: TypeAlias = str | os.PathLike[str]
_Source: TypeAlias = _Path | Sequence[_Path]
_Date: TypeAlias = str | datetime.date
_Boundary: TypeAlias = Literal["word", "none"]
_Accents: TypeAlias = Literal["fold", "keep"]
_GraphOutput: TypeAlias = Literal["json", "none"]
_Field: TypeAlias = Literal["title", "abstract", "interventions", "substances"]
_Status: TypeAlias = Literal["retracted", "retraction_notice", "expression_of_concern", "corrected"]
_Unit: TypeAlias = Literal["substance", "code"]
_Encoding: TypeAlias = Literal["windows-1252"]
_OnBadFile: TypeAlias = Literal["fail", "reject"]
_Table: TypeAlias = Literal["drugs", "pubmed", "clinical_trials", "preprints"]
_SchemaForm: TypeAlias = Literal["arrow", "bigquery", "dbt", "duckdb", "json", "markdown", "odcs", "postgres", "spark"]
_Kind: TypeAlias = Literal["pubmed", "clinical_trial", "preprint"]
_Plain: TypeAlias = Literal["csv", "json", "ndjson", "parquet"]
_ArticlesFormat: TypeAlias = _Plain | Literal["pubmed-xml", "medline", "pubmed-csv"]
_TrialsFormat: TypeAlias = (
    _Plain | Literal["ctgov-csv", "ctgov-classic-csv", "studies-json", "studies-ndjson", "study-files"]
)

# Anything with the Arrow PyCapsule interface, whichever library it comes from.
class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

_ArrowTexts: TypeAlias = _ArrowArray | _ArrowStream
_Texts: TypeAlias = Sequence[str | None] | _ArrowTexts

__version__: str

def run(
    *,
    drugs: _Source | None = None,
    pubmed: _Source | None = None,
    clinical_trials: _Source | None = None,
    preprints: _Source | None = None,
    lake: _Path | None = None,
    out: _Path | None = None,
    dt: _Date | None = None,
    dates: str | None = None,
    encoding: _Encoding | None = None,
    month_first: bool = False,
    on_bad_file: _OnBadFile = "fail",
    max_ratio: int = 400,
    expect_rows: str | None = None,
    contract: _Path | None = None,
    boundary: _Boundary = "word",
    abbreviations: bool = False,
    fields: Sequence[_Field] | None = None,
    abstracts: bool = False,
    exclude_status: Sequence[_Status] | None = None,
    stop_words: Sequence[str] | None = None,
    extra_stop_words: Sequence[str] | None = None,
    salts: bool = False,
    accents: _Accents = "fold",
    unit: _Unit = "substance",
    max_exclusive: int = 1_000_000,
    graph: _GraphOutput = "json",
    keep: str = "30 days",
    snapshot: bool = False,
    max_absent: str = "2%",
    progress: bool = False,
) -> dict[str, Any]:
    """Take source files all the way to the drug graph: bronze, silver and gold of one logical date.

    Each step is a transaction: killed or failed, it leaves the lake as it was; repeated with the same inputs, it
    changes no file. No row is dropped without a record: one that cannot be a drug or a publication is rejected with its
    reason, a repaired one is flagged, and `rows_in == rows_kept + rows_merged + rows_rejected` holds for every file.

    Args:
        drugs: The vocabulary, with the columns `atccode` and `drug`; by default the newest one of the lake.
        pubmed: PubMed articles, with the columns `id`, `title`, `date` and `journal`.
        clinical_trials: Clinical trials, with the columns `id`, `scientific_title`, `date` and `journal`.
        preprints: Preprints, with the columns of articles; `journal` is the server.
        lake: The lake's root folder, created if missing, or `gs://bucket/prefix`, `s3://bucket/prefix`. Required.
        out: Another name for `lake`.
        dt: The logical date of this delivery, `"2020-06-01"` or a `datetime.date`. Required, if there are no `dates`.
        dates: Instead of `dt`, the first and the last of several dates, `"2024-01-01..2024-01-31"`: bronze and silver
            of each date in order, then gold once. In the names of sources, `{dt}` is the date. A date without any of
            these sources is skipped; one with some of them is an error before anything is written.
        encoding: How to read text that is neither UTF-8 nor UTF-16 with a byte order mark. Without it such text is
            an `EncodingError`.
        month_first: Read `01/02/2020` as 2 January; by default it is 1 February.
        on_bad_file: On an unreadable file: `"fail"` stops and writes nothing, `"reject"` adds one rejected row
            (`bad_file`) for the file and continues.
        max_ratio: Reject compressed files that expand more than this many times their size, and beyond 256 MiB, with a
            `FormatError`; 0 is no limit.
        expect_rows: A share such as `"50%"`. Fail before silver is committed if the kept rows of a table differ by more
            from the median of its last 7 deliveries of earlier dates, if there are 3 or more, or if a delivery has that
            much fewer rows than the one it replaces; bronze copies stay, silver and gold are as they were.
        contract: Check the tables against a data contract before silver is committed: `"default"`, which comes with the
            package, or the file or URI of one in the Open Data Contract Standard 3.1; `None` or `"none"` for none. A
            broken rule of severity `error` fails the step, one of severity `warning` warns; the report has all results
            in `quality`.
        boundary: `"word"` finds whole words only, `"none"` any substring.
        abbreviations: Also count abbreviations that a text defines, as in "doxorubicin (DOX)".
        fields: The fields of publications to search: `"title"` (without this argument), `"abstract"`, `"interventions"`
            (the names of what a trial tests) and `"substances"` (the names in PubMed's list of chemicals).
            Names in a list are one text, with ` | ` between them.
        abstracts: Search abstracts too: the same as `"abstract"` among the fields.
        exclude_status: Do not search publications of these statuses: `"retracted"`, `"retraction_notice"`,
            `"expression_of_concern"`, `"corrected"`. They stay in the tables and in the graph, without mentions; the
            report counts them as `excluded`.
        stop_words: Names that are never a mention by themselves. `None` takes the shipped list and the rules for
            classes and short names (`docs/matching.md`), `[]` none of them, a list just its names.
        extra_stop_words: Names that are never a mention either, besides those of `stop_words`.
        salts: Also find a name that ends with the words of a salt or hydrate by its ingredient: "metformin" for the
            name "metformin hydrochloride".
        accents: `"fold"` takes `é` for `e`, `"keep"` does not.
        unit: What counts as one drug in the report and in both answers: `"substance"` takes all codes of a substance
            together (`insulin (human)` and `insulin (beef)` are insulin), `"code"` counts each code.
        max_exclusive: How many drugs the lists of `exclusive_drugs.json` have at most, together; 0 is no limit. Where
            they would have more, every list is cut to the same longest length that fits, and the report says so.
        graph: `"json"` writes `drug_graph.json`; `"none"` writes no graph file, which saves time and space in a large
            lake. Nothing else depends on the file.
        keep: How long earlier states of the tables can be read (`Lake.at`): `"30 days"`, or a number of states
            beside the current one, such as `"10 states"`; `"0 states"` keeps none.
        snapshot: The publications replace all earlier ones of their kind; `bronze` describes it. Not with `dates`.
        max_absent: The largest share of the publications before a snapshot that it may lack.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Each source is a path, a glob, a folder or a URI (`gs://`, `s3://`), or a list of them. A path may begin with `~` or
    `~user`, which the home replaces as in a shell. The content decides the format (`docs/sources.md`): CSV, a JSON
    array, NDJSON, PubMed's XML, MEDLINE, RIS, Ovid, ClinicalTrials.gov's exports and studies of its API; plain, packed
    with gzip, zstd or bzip2, or inside a ZIP or tar archive.

    Returns:
        The report, a plain dictionary without row contents: `step`, `dt`, `out`, `unchanged`, `steps` (the reports of
        bronze, silver and gold), `sources` (for each file `uri`, `table`, `format`, `bytes`, rows and notes),
        `outputs` (`path`, `rows`, `bytes`, `sha256`), `rows_in`, `rows_kept`, `rows_merged`, `rows_rejected`,
        `rejected` (reason to rows), `flags` (flag to rows), `held` (as `gold` gives it), `shrunk` (the partitions with
        fewer rows than the delivery that they replace, each with `table`, `dt`, `rows_before`, `rows`; absent if there
        is none), `absent` (how many publications of earlier dates a snapshot lacks; only with one), `changed_settings`
        (those that differ from the gold layer before, each with `name`, `before`, `now`; absent if there is none) and
        `seconds`.

        With `dates`, `steps` has a report for each date, with those of its bronze and silver, and at last that of gold;
        `dates` is the argument, and `skipped` has the dates without sources, each with `dt` and `missing`, if any.

    Raises:
        SourceNotFoundError: A source does not exist or matches no file; one of several dates has some of its sources,
            or none of them has any; there is no vocabulary, neither in `drugs` nor in the lake.
        ArgumentError: `dt`, `dates`, `encoding`, `boundary`, `unit` or `expect_rows` is not one of the accepted values,
            there is no source, or a list of sources is empty.
        InputError: A file as a whole cannot be read (`SchemaError`, `FormatError`, `EncodingError`), or a table has not
            the rows of `expect_rows` (`RowCountError`).
        LossError: A snapshot lacks more than `max_absent` allows; nothing was written to silver.
        StorageError: The lake cannot be read or written.
        ConflictError: Another run is at work on this partition, or replaced it with other content meanwhile.
        ForkError: The engine was used in the process that this one was forked from.
    """

def bronze(
    *,
    lake: _Path | None = None,
    out: _Path | None = None,
    dt: _Date,
    drugs: _Source | None = None,
    pubmed: _Source | None = None,
    clinical_trials: _Source | None = None,
    preprints: _Source | None = None,
    name: str | None = None,
    snapshot: bool = False,
    max_absent: str = "2%",
    progress: bool = False,
) -> dict[str, Any]:
    """Keep exact copies of source files under `bronze/<source>/dt=<dt>/`, with a manifest.

    Nothing is parsed, so nothing can be lost: the manifest has each file's URI, size in bytes, SHA-256 and media type.

    Args:
        lake: The lake's root folder, created if missing, or `gs://bucket/prefix`, `s3://bucket/prefix`. Required.
        out: Another name for `lake`.
        dt: The logical date of this delivery, `"2020-06-01"` or a `datetime.date`.
        drugs: Vocabulary files; see `run` for what a source may be.
        pubmed: PubMed files.
        clinical_trials: Clinical trial files.
        preprints: Preprint files.
        name: The source's name in the lake, instead of that of its table. It keeps two deliveries
            of one table apart, such as `pubmed_a` and `pubmed_b`.
        snapshot: The delivery replaces all earlier ones of its kind, as a yearly baseline does: a publication that it
            lacks is gone. A vocabulary always replaces the one before.
        max_absent: The largest share of the publications before a snapshot that it may lack, such as `"2%"`: silver
            fails with a `LossError` before it commits one that lacks more.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Returns:
        The step's report, as described at `run`, without `steps`.

    Raises:
        SourceNotFoundError: A source does not exist or matches no file.
        ArgumentError: A bad `dt`, no source at all, `name` beside more than one table, or a snapshot of a vocabulary
            alone.
        StorageError: The lake cannot be read or written.
        ConflictError: Another run is at work on this partition, or replaced it with other content meanwhile.
    """

def silver(
    *,
    lake: _Path | None = None,
    out: _Path | None = None,
    dt: _Date,
    tables: Sequence[_Table] | None = None,
    encoding: _Encoding | None = None,
    month_first: bool = False,
    on_bad_file: _OnBadFile = "fail",
    max_ratio: int = 400,
    expect_rows: str | None = None,
    contract: _Path | None = None,
    hold: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Clean what bronze holds for one logical date into tables of drugs and publications.

    Writes `silver/drugs/` and `silver/publications/` as Parquet, and every row that cannot be a drug or a publication
    to `silver/rejected/` with its reason, its line and its raw text.

    Args:
        lake: The lake's root: a folder, or a prefix of a bucket. Required.
        out: Another name for `lake`.
        dt: The logical date, `"2020-06-01"` or a `datetime.date`.
        tables: Which of `"drugs"`, `"pubmed"`, `"clinical_trials"` and `"preprints"`; by default all that bronze holds.
        encoding: How to read text that is neither UTF-8 nor UTF-16 with a byte order mark.
        month_first: Read `01/02/2020` as 2 January; by default it is 1 February.
        on_bad_file: On an unreadable file: `"fail"` stops and writes nothing, `"reject"` adds one rejected row
            (`bad_file`) for the file and continues.
        max_ratio: Reject compressed files that expand more than this many times their size, and beyond 256 MiB, with a
            `FormatError`; 0 is no limit.
        expect_rows: A share such as `"50%"`. Fail before silver is committed if the kept rows of a table differ by more
            from the median of its last 7 deliveries of earlier dates, if there are 3 or more, or if a delivery has that
            much fewer rows than the one it replaces; the lake is as it was.
        contract: Check the tables against a data contract before silver is committed: `"default"`, which comes with the
            package, or the file or URI of one in the Open Data Contract Standard 3.1; `None` or `"none"` for none. A
            broken rule of severity `error` fails the step, one of severity `warning` warns; the report has all results
            in `quality`.
        hold: Hold the date back in the same commit if a table of it changes: gold leaves the date out until `release`.
            A date that is held already keeps its reason.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Returns:
        The step's report, as described at `run`, without `steps`.

    Raises:
        SourceNotFoundError: Bronze holds none of these tables for `dt`.
        ArgumentError: A bad `dt` or `expect_rows`, an unknown table or encoding.
        InputError: A file as a whole cannot be read (`SchemaError`, `FormatError`, `EncodingError`), or a table has not
            the rows of `expect_rows` (`RowCountError`).
        StorageError: The lake cannot be read or written.
        ConflictError: Another run is at work on this partition, or replaced it with other content meanwhile.
        ForkError: The engine was used in the process that this one was forked from.
    """

def gold(
    *,
    lake: _Path | None = None,
    out: _Path | None = None,
    dt: _Date,
    boundary: _Boundary = "word",
    abbreviations: bool = False,
    fields: Sequence[_Field] | None = None,
    abstracts: bool = False,
    exclude_status: Sequence[_Status] | None = None,
    stop_words: Sequence[str] | None = None,
    extra_stop_words: Sequence[str] | None = None,
    salts: bool = False,
    accents: _Accents = "fold",
    unit: _Unit = "substance",
    max_exclusive: int = 1_000_000,
    graph: _GraphOutput = "json",
    keep: str = "30 days",
    progress: bool = False,
) -> dict[str, Any]:
    """Find the mentions in everything silver holds up to one logical date, and write the graph and the answers.

    Writes `gold/mentions/` as Parquet, `drug_graph.json`, `top_journals.json` and `exclusive_drugs.json`. The same
    tables and settings give the same bytes.

    Args:
        lake: The lake's root: a folder, or a prefix of a bucket. Required.
        out: Another name for `lake`.
        dt: The logical date, `"2020-06-01"` or a `datetime.date`. Where gold has reached a later date already, it stays
            at that one: a backfill never takes the graph back in time.
        boundary: `"word"` finds whole words only, `"none"` any substring.
        abbreviations: Also count abbreviations that a text defines, as in "doxorubicin (DOX)".
        fields: The fields of publications to search: `"title"` (without this argument), `"abstract"`, `"interventions"`
            (the names of what a trial tests) and `"substances"` (the names in PubMed's list of chemicals).
            Names in a list are one text, with ` | ` between them.
        abstracts: Search abstracts too: the same as `"abstract"` among the fields.
        exclude_status: Do not search publications of these statuses: `"retracted"`, `"retraction_notice"`,
            `"expression_of_concern"`, `"corrected"`. They stay in the tables and in the graph, without mentions; the
            report counts them as `excluded`.
        stop_words: Names that are never a mention by themselves. `None` takes the shipped list and the rules for
            classes and short names (`docs/matching.md`), `[]` none of them, a list just its names.
        extra_stop_words: Names that are never a mention either, besides those of `stop_words`.
        salts: Also find a name that ends with the words of a salt or hydrate by its ingredient: "metformin" for the
            name "metformin hydrochloride".
        accents: `"fold"` takes `é` for `e`, `"keep"` does not.
        unit: What counts as one drug in the report and in both answers: `"substance"` takes all codes of a substance
            together (`insulin (human)` and `insulin (beef)` are insulin), `"code"` counts each code.
        max_exclusive: How many drugs the lists of `exclusive_drugs.json` have at most, together; 0 is no limit. Where
            they would have more, every list is cut to the same longest length that fits, and the report says so.
        graph: `"json"` writes `drug_graph.json`; `"none"` writes no graph file, which saves time and space in a large
            lake. Nothing else depends on the file.
        keep: How long earlier states of the tables can be read (`Lake.at`): `"30 days"`, or a number of states, such as
            `"10 states"`; `"0 states"` keeps none.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Returns:
        The step's report, as described at `run`, without `steps`; beside it `unit` and the numbers `drugs` (codes),
        `substances`, `publications`, `mentions` (places that name a drug), `pairs` (of a drug and a publication) and
        `journals`, `top_journals`, as `DrugGraph.top_journals` gives it, `max_exclusive`, `exclusive_cut` (how many
        lists of `exclusive_drugs.json` were cut), and `held`: the dates that are held back (see `hold`) and so left
        out, each with its `reason`. Held dates and cut lists are warnings of the logger `drugs_rs` too.

    Raises:
        SourceNotFoundError: The lake has no drugs up to `dt`, or all dates with drugs are held back.
        ArgumentError: A bad `dt`, `boundary` or `unit`.
        StorageError: The lake cannot be read or written.
        ConflictError: Another run is at work on this partition, or replaced it with other content meanwhile.
        ForkError: The engine was used in the process that this one was forked from.
    """

def hold(lake: _Path, dt: _Date, reason: str) -> dict[str, Any]:
    r"""Hold a date back: gold leaves it out, as if nothing had been delivered on it, until it is released.

    Use it for a delivery that turned out too poor after silver wrote its tables. The graph stays as it is until the
    next `gold` or `run`, of any date, which leaves out the date's articles, trials, deletion notices, journal ids and
    drugs, and removes its mentions from the lake. The same hold again changes no byte; another reason replaces the
    first. `silver` of the date may run again and keeps the hold. This works in a forked child.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
    >>> _ = (folder / "poor.csv").write_text("id,title,date,journal\n1,Diphenhydramine?,2020,J\n")
    >>> lake = folder / "lake"
    >>> _ = drugs_rs.run(drugs=folder / "drugs.csv", lake=lake, dt="2020-06-01")
    >>> _ = drugs_rs.run(drugs=folder / "drugs.csv", pubmed=folder / "poor.csv", lake=lake, dt="2020-06-02")
    >>> drugs_rs.hold(lake, "2020-06-02", "the titles are damaged")["held"]
    [{'dt': '2020-06-02', 'reason': 'the titles are damaged'}]
    >>> report = drugs_rs.gold(lake=lake, dt="2020-06-02")
    >>> report["publications"], [date["dt"] for date in report["held"]]
    (0, ['2020-06-02'])
    >>> drugs_rs.release(lake, "2020-06-02")["held"]
    []
    >>> drugs_rs.gold(lake=lake, dt="2020-06-02")["publications"]
    1

    Args:
        lake: The lake's root folder, as given to `run(lake=...)`, or its prefix of a bucket.
        dt: The date, `"2020-06-01"` or a `datetime.date`.
        reason: Why, in up to 4,000 characters; a run of white space becomes one blank. The lake, gold's reports and
            logs repeat it, so it must not contain a secret or a row of data.

    Returns:
        A report as described at `run`, without `steps`: `unchanged` is whether the date was held back before for this
        reason, `outputs` has the file of the hold, and `held` all dates that are held back now.

    Raises:
        SourceNotFoundError: There is no such lake, or silver has no table of `dt`.
        ArgumentError: A bad `dt`, or a `reason` without a word or too long.
        StorageError: The lake cannot be read or written.
    """

def release(lake: _Path, dt: _Date) -> dict[str, Any]:
    """Release a date that is held back: the next gold includes it.

    That gold is then what it would be if the date had never been held; until then the graph stays as it is. A date that
    is not held back stays as it is. This works in a forked child.

    Args:
        lake: The lake's root folder, as given to `run(lake=...)`, or its prefix of a bucket.
        dt: The date, `"2020-06-01"` or a `datetime.date`.

    Returns:
        A report as described at `hold`: `unchanged` is whether there was nothing to release.

    Raises:
        SourceNotFoundError: There is no such lake, or `dt` is not held back and silver has no table of it.
        ArgumentError: A bad `dt`.
        StorageError: The lake cannot be read or written.
    """

def list_sources(sources: _Source) -> list[str]:
    r"""List the files that a source names now, in order.

    These are the files that `bronze` would copy: of a folder the files directly in it, of a glob those that match,
    without hidden ones. This works in a forked child.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("id,title,date,journal\n")
    >>> _ = (folder / "_SUCCESS").write_text("")
    >>> [pathlib.Path(file).name for file in drugs_rs.list_sources(folder)]
    ['a.csv']

    Args:
        sources: A path, glob, folder or URI, or a list of them.

    Returns:
        The names of the files: URIs in buckets, else paths.

    Raises:
        SourceNotFoundError: There is no such file, or a folder or glob has none (`SourceIsDirectoryError`).
        ArgumentError: A blank name, or a malformed glob.
        StorageError: The disk or the bucket could not be looked at.
    """

def describe_tables(  # the command has the same word
    format: _SchemaForm = "markdown",  # noqa: A002
    table: str | None = None,
) -> str:
    """Describe the tables of a lake in the language of another tool, as `drugs-rs schema` prints them.

    Args:
        format: The language: DDL of `postgres` and `duckdb`, JSON of `arrow`, `bigquery`, `spark` and JSON Schema
            (`json`), YAML of `dbt` and `odcs`, or `markdown`.
        table: One table; by default all.

    Raises:
        ArgumentError: There is no such format or table.
    """

def fetch(
    source: Literal["pubmed", "clinicaltrials"],
    to: _Path,
    *,
    part: Literal["all", "baseline", "updates"] = "all",
    since: _Date | None = None,
    until: _Date | None = None,
    first: int | None = None,
    limit: int | None = None,
    base_url: str | None = None,
    parallel: int = 3,
    attempts: int = 8,
    timeout: int = 60,
    dry_run: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Fetch what NLM publishes and a folder lacks: the files of PubMed, or the studies of ClinicalTrials.gov.

    Each file is whole under its name, or not there. A fetch that was killed goes on where it was, and what is there is
    not downloaded again. PubMed's files go to `baseline/` and `updatefiles/` below the folder, each verified by its
    MD5. Studies come in pages of a thousand, `studies-<last day>-from-<first day>-<number>.json.gz`; a later fetch
    gets the days since the last one. This works in a forked child. For example::

        drugs_rs.fetch("pubmed", "in/pubmed", part="updates", since="2026-02-01")
        drugs_rs.fetch("clinicaltrials", "in/trials", since="2026-02-01")
        drugs_rs.run(pubmed="in/pubmed/updatefiles", clinical_trials="in/trials", lake="lake", dt="2026-02-02")

    Args:
        source: Who publishes: `"pubmed"` or `"clinicaltrials"`.
        to: A folder, which is created if missing, or `gs://bucket/prefix`, `s3://bucket/prefix`.
        part: Which files of PubMed: the `"baseline"` of each December, the daily `"updates"`, or both.
        since: PubMed: only files that NLM listed on this day or later. ClinicalTrials.gov: only studies whose last
            update was posted on this day or later; by default all.
        until: The last of these days; for studies by default the day of the server's data.
        first: PubMed: only files from this number on.
        limit: At most this many files in this call; the next one goes on.
        base_url: Another server, such as a mirror. `https://`, or `http://` on this machine.
        parallel: How many files of PubMed are downloaded at a time, from 1 to 8.
        attempts: How often a request is sent before it fails, from 1 to 20. Pauses between them grow to 30 seconds. If
            the server asks for a pause (`Retry-After`), all requests wait for it, up to two minutes.
        timeout: Seconds without a byte before a connection counts as broken.
        dry_run: List what would be fetched, and change nothing.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Returns:
        The report: `files` (`path`, `uri`, `bytes`, and `status`, which is `"fetched"`, `"replaced"` or `"present"`;
        of a dry run `"missing"`, `"unverified"` or `"present"`), the counts `fetched`, `present` and `left`, `bytes`,
        `unchanged`, `warnings`, `since`, `until`; for studies `studies` and `data_timestamp`.

    Raises:
        ArgumentError: A setting that makes no sense, such as an address without TLS.
        SourceNotFoundError: The server has no such page or file.
        FormatError: What the server sent is no list of files, no MD5 or no version.
        StorageError: The server kept failing or refuses, redirects to another server, a file's MD5 is not the published
            one, other studies came than the server counts, or the folder cannot be written. What is fetched stays.
        ConflictError: Another fetch works in the folder.
    """

def generate(
    out: _Path,
    *,
    seed: int = 1,
    articles: int = 7000,
    trials: int = 3000,
    drugs: int = 1000,
    journals: int = 300,
    articles_format: _ArticlesFormat = "csv",
    trials_format: _TrialsFormat = "csv",
    drugs_format: _Plain = "csv",
    files: int = 1,
    packing: Literal["none", "gz", "zst"] | None = None,
    abstracts: float = 0.0,
    dirt: Mapping[str, float] | None = None,
    clean: bool = False,
    delivery: int | None = None,
    of: int | None = None,
    changed: float = 0.0,
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Make up sources of any size, with the truth about them: which drug is mentioned where and when.

    The same settings give the same bytes. Memory does not grow with the number of records. The folder appears whole or
    not at all; made again with the same settings, it stays as it is.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "made-up"
    >>> made = drugs_rs.generate(folder, articles=500, trials=200, articles_format="pubmed-xml")
    >>> report = drugs_rs.run(
    ...     drugs=folder / "drugs",
    ...     pubmed=folder / "pubmed",
    ...     clinical_trials=folder / "clinical_trials",
    ...     lake=folder.parent / "lake",
    ...     dt="2020-06-01",
    ...     unit="code",
    ... )
    >>> truth = made["truth"]
    >>> report["steps"][-1]["mentions"] == truth["pubmed"]["mentions"] + truth["clinical_trials"]["mentions"]
    True

    Args:
        out: A folder of this machine that is empty or not there yet.
        seed: The seed of everything random.
        articles: How many PubMed articles.
        trials: How many clinical trials.
        drugs: How many drugs.
        journals: How many journals.
        articles_format: What articles are written as.
        trials_format: What trials are written as.
        drugs_format: What drugs are written as.
        files: Into how many files articles and trials are split, each.
        packing: What files are packed with; Parquet never is.
        abstracts: The share of records with an abstract; one sentence in six has a drug, which `run` finds with
            `abstracts=True`.
        dirt: The share of records with each kind of dirt (`docs/generate.md` lists them), instead of the usual share. A
            kind that a format cannot express is left out there.
        clean: No dirt but that of `dirt`.
        delivery: One delivery of this world, from 1 to `of`: its share of the articles and trials, and all drugs. It is
            made without the others; together they hold the rows of the world made in one go.
        of: Into how many deliveries the world is cut.
        changed: Corrections in the delivery, as a share of its new records: clean rows with the id of a record of an
            earlier delivery and another title, date or journal. The first delivery has none.
        force: Replace whatever the folder holds.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Returns:
        What `_generated.json` in the folder holds: `version`, `settings`, `truth` (for each table `rows_in`,
        `rows_kept`, `rows_merged`, `rows_rejected`, `merged`, `rejected`, `mentions`, and `corrected` if the delivery
        has corrections) and `files` (`path`, `rows` with broken ones among them, `bytes`, `sha256`).

    Raises:
        ArgumentError: A setting that makes no sense, a folder that holds something else, or a bucket.
        StorageError: The folder cannot be written.
        ForkError: The engine was used in the process that this one was forked from.
    """

def read_answers(lake: _Path) -> dict[str, Any]:
    """Read the published answers of a lake, after a check that its gold layer is what the gold step wrote.

    The graph and both answers must have the digests of gold's manifest. The graph is read piece by piece, so memory
    does not grow with it. This works in a forked child.

    Args:
        lake: The lake's root folder, as given to `run(lake=...)`, or its prefix of a bucket.

    Returns:
        `as_of`, the date that the graph has reached, and the contents of `top_journals.json` and `exclusive_drugs.json`
        as `top_journals` and `exclusive_drugs`.

    Raises:
        SourceNotFoundError: The lake has no gold layer.
        FormatError: A file is not the one that the gold step wrote.
        StorageError: The lake cannot be read.
    """

def read_graph(lake: _Path) -> DrugGraph:
    """Read the drug graph of a lake.

    Args:
        lake: The lake's root folder, as given to `run(lake=...)`, or its prefix of a bucket.

    Raises:
        SourceNotFoundError: The lake does not exist or has no graph yet.
        FormatError: `gold/drug_graph.json` is not a drug graph.
        StorageError: The file cannot be read.
    """

def read_publications(
    sources: _Source,
    *,
    kind: _Kind = "pubmed",
    encoding: _Encoding | None = None,
    month_first: bool = False,
    on_bad_file: _OnBadFile = "fail",
    max_ratio: int = 400,
    progress: bool = False,
) -> CleanTable:
    r"""Read PubMed articles or clinical trials into a table: cleaned, merged and flagged as in a lake, without one.

    The columns are those of `silver/publications` but for `dt`, in the order of the sources, and the same rows: half
    rows are completed, of one id the newest version stays, what a notice deletes is gone.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "articles.csv"
    >>> _ = path.write_text("id,title,date,journal\n1,Ethanol in <i>vitro</i>,2 May 2020,Toxicon\n2, ,2020,Toxicon\n")
    >>> articles = drugs_rs.read_publications(path)
    >>> [(row["publication_id"], row["title"], row["flags"]) for row in articles.to_dicts()]
    [('1', 'Ethanol in vitro', ['markup_removed'])]
    >>> [(row["source_row"], row["reason"]) for row in articles.rejected.to_dicts()]
    [(3, 'blank_title')]

    `polars.DataFrame(drugs_rs.read_publications("baseline/*.xml.gz"))` is a frame of polars; other libraries take it as
    they take any `Table`. Where the whole does not fit into memory, see `iter_publications`.

    Args:
        sources: A path, a glob or a folder, or a list of them; see `run` for what a source may be.
        kind: `"pubmed"`, `"clinical_trial"` or `"preprint"`.
        encoding: How to read text that is neither UTF-8 nor UTF-16 with a byte order mark.
        month_first: Read `01/02/2020` as 2 January; by default it is 1 February.
        on_bad_file: On an unreadable file: `"fail"` raises, `"reject"` adds one rejected row (`bad_file`) for the file
            and continues.
        max_ratio: Reject compressed files that expand more than this many times their size, and beyond 256 MiB, with a
            `FormatError`; 0 is no limit.
        progress: Show progress on stderr, if that is a terminal or a notebook.

    Raises:
        SourceNotFoundError: A source does not exist or matches no file.
        ArgumentError: An unknown `kind`, `encoding` or `on_bad_file`, or an empty list of sources.
        InputError: A file as a whole cannot be read (`SchemaError`, `FormatError`, `EncodingError`).
        StorageError: A file may not be read.
        ForkError: The engine was used in the process that this one was forked from.
    """

def iter_publications(
    sources: _Source,
    *,
    kind: _Kind = "pubmed",
    batch_rows: int = 65536,
    encoding: _Encoding | None = None,
    month_first: bool = False,
    on_bad_file: _OnBadFile = "fail",
    max_ratio: int = 400,
) -> PublicationBatches:
    r"""Read PubMed articles or clinical trials batch by batch, in bounded memory and without merging rows.

    Rows are cleaned and flagged as `read_publications` does it, and given as they stand, in the order of the sources:
    an id that comes twice is two rows, half rows stay halves, notices of deletion delete nothing.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "articles.csv"
    >>> _ = path.write_text("id,title,date,journal\n" + "1,Ethanol,2020,Toxicon\n" * 5)
    >>> batches = drugs_rs.iter_publications(path, batch_rows=2)
    >>> [len(batch) for batch in batches]
    [2, 2, 1]
    >>> [(source["rows_in"], source["rows_kept"]) for source in batches.sources]
    [(5, 5)]

    All batches together are an Arrow stream: `polars.DataFrame(drugs_rs.iter_publications("baseline/*.xml.gz"))` never
    holds more than a batch beside the frame, and `pyarrow.RecordBatchReader.from_stream(...)` never more than a batch.

    Args:
        sources: As for `read_publications`.
        kind: As for `read_publications`.
        batch_rows: How many rows a batch has. The last one has fewer, as has one of more than 64 MiB of text or 16 MiB
            of rejected rows. A batch of rejected rows alone is empty.
        encoding: As for `read_publications`.
        month_first: As for `read_publications`.
        on_bad_file: As for `read_publications`, but rows of a file that were given before it turned out to be bad stay
            given, and counted.
        max_ratio: As for `read_publications`.

    Raises:
        SourceNotFoundError: A source does not exist or matches no file.
        ArgumentError: As for `read_publications`, or `batch_rows` is 0.

    The batches raise what else `read_publications` raises, when they reach the cause, and end there.
    """

def read_drugs(
    sources: _Source,
    *,
    encoding: _Encoding | None = None,
    on_bad_file: _OnBadFile = "fail",
    max_ratio: int = 400,
    progress: bool = False,
) -> CleanTable:
    r"""Read drug vocabularies into one table: cleaned and joined as in a lake, without one.

    The columns are those of `silver/drugs`. Several files, of one shape or of several, become one vocabulary.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "drugs.csv"
    >>> _ = path.write_text("atccode,drug,synonyms\nV03AB,ETHANOL,alcohol | spirit\n6302001, ,\n")
    >>> drugs = drugs_rs.read_drugs(path)
    >>> [(row["atccode"], row["drug"], row["synonyms"]) for row in drugs.to_dicts()]
    [('V03AB', 'ETHANOL', ['alcohol', 'spirit'])]
    >>> drugs.sources[0]["rejected"]
    {'blank_drug': 1}

    Args:
        sources: A path, a glob or a folder, or a list of them, as for the argument `drugs` of `run`.
        encoding: As for `read_publications`.
        on_bad_file: As for `read_publications`.
        max_ratio: As for `read_publications`.
        progress: As for `read_publications`.

    Raises:
        SourceNotFoundError: A source does not exist or matches no file.
        ArgumentError: An unknown `encoding` or `on_bad_file`, or an empty list of sources.
        InputError: A file as a whole cannot be read (`SchemaError`, `FormatError`, `EncodingError`).
        StorageError: A file may not be read.
        ForkError: The engine was used in the process that this one was forked from.
    """

def main(arguments: Sequence[str]) -> int | LoadCommand:
    """Run the `drugs-rs` command with these arguments, without the program's name.

    Data goes to stdout, messages to stderr.

    Returns:
        The exit code: 0 is success, 1 bad input or a failed check, 2 wrong usage. A load is returned instead, because
        libraries of Python carry it out.
    """

@final
class LoadCommand:
    """A `drugs-rs load` that is to be carried out."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The keywords of `drugs_rs.targets.load`."""

    def succeed(self, text: str, json: str) -> int:
        """Print what was done, in the form that the options ask for, and return the exit code."""

    def fail(self, error: BaseException) -> int:
        """Print an error, and return the exit code."""

def keep_matcher(matcher: Matcher) -> str:
    """Keep a matcher for expressions and return the fingerprint under which they find it.

    `drugs_rs.polars` uses this and `release_matcher`.
    """

def release_matcher(matcher: Matcher) -> bool:
    """Forget a kept matcher and all that equal it, and return whether there was one."""

@final
class Matcher:
    """Finds the names of drugs in text.

    A name is found as whole words, whatever its case: between two letters or digits no mention begins or ends, so
    `metformin-treated` mentions metformin, and `norepinephrine` does not mention epinephrine. Where names overlap, the
    leftmost wins, then the longest. Names are literal text, never regular expressions.

    A matcher never changes and may be used from several threads at once.

    >>> import drugs_rs
    >>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"], "S03AA": ["tetracycline"]})
    >>> [mention.drug for mention in matcher.find("Tetracycline, or diphenhydramine?")]
    ['tetracycline', 'diphenhydramine']
    """

    @classmethod
    def from_names(
        cls,
        names: Mapping[str, Sequence[str]],
        *,
        boundary: _Boundary = "word",
        abbreviations: bool = False,
        stop_words: Sequence[str] | None = None,
        extra_stop_words: Sequence[str] | None = None,
        salts: bool = False,
        accents: _Accents = "fold",
    ) -> Matcher:
        """Build a matcher from ATC codes and their names.

        Args:
            names: For each code a list of names; the first is the drug's name, the others its synonyms. Several codes
                may have the same name, which is then a mention of each.
            boundary: `"word"` finds whole words only, `"none"` any substring.
            abbreviations: Also find abbreviations that a text defines, as in "doxorubicin (DOX)".
            stop_words: Names that are never a mention by themselves. `None` takes the shipped list and the rules for
                classes and short names (`docs/matching.md`), `[]` none of them, a list just its names.
            extra_stop_words: Names that are never a mention either, besides those of `stop_words`.
            salts: Also find a name that ends with the words of a salt or hydrate by its ingredient: "metformin" for the
                name "metformin hydrochloride".
            accents: `"fold"` takes `é` for `e`, `"keep"` does not.

        Raises:
            ArgumentError: A code without a name, a blank name, a name of more than 512 words and signs, or an unknown
                `boundary`.
        """

    @classmethod
    def from_vocabulary(
        cls,
        vocabulary: _Source,
        *,
        boundary: _Boundary = "word",
        abbreviations: bool = False,
        stop_words: Sequence[str] | None = None,
        extra_stop_words: Sequence[str] | None = None,
        salts: bool = False,
        accents: _Accents = "fold",
        encoding: _Encoding | None = None,
        max_ratio: int = 400,
    ) -> Matcher:
        """Build a matcher from vocabulary files, cleaned as the silver step cleans them.

        Files of several shapes (plain, WHO ATC, DrugBank, EMA) become one vocabulary: names lead to the ATC codes that
        another file knows them by. `sources` counts what became of the rows.

        Args:
            vocabulary: A path, a glob, a folder or a URI, or a list of them, as for the argument `drugs` of `run`.
            boundary: As for `from_names`.
            abbreviations: As for `from_names`.
            stop_words: As for `from_names`.
            extra_stop_words: As for `from_names`.
            salts: As for `from_names`.
            accents: As for `from_names`.
            encoding: As for `read_drugs`.
            max_ratio: As for `read_drugs`.

        Raises:
            SourceNotFoundError: A file does not exist.
            InputError: A file as a whole cannot be read.
            ArgumentError: An unknown `boundary` or `encoding`, or an empty list of files.
        """

    def find(self, text: str) -> list[Mention]:
        """Find the mentions in one text, in the order in which they stand.

        A combination is also found in other spellings than its name: "sacubitril/valsartan" for "valsartan and
        sacubitril", beside the mentions inside it.

        >>> import drugs_rs
        >>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
        >>> [mention] = matcher.find("Oral diphenhydramine in children")
        >>> mention.start, mention.end, mention.surface
        (5, 20, 'diphenhydramine')
        """

    def find_many(self, texts: _Texts) -> Table:
        """Find the mentions in many texts at once, on all cores, without the interpreter's lock.

        Args:
            texts: A list of strings, or a string column of any library with the Arrow PyCapsule interface (polars,
                pyarrow, pandas). `None` and null are texts without a mention.

        Returns:
            One row for each mention: `row` (the text's index from 0) and the fields of `Mention`, ordered by `row` and
            `start`.

        >>> import drugs_rs
        >>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
        >>> matcher.find_many(["nothing here", "Diphenhydramine!"]).to_dicts()[0]["row"]
        1
        """

    def find_column(self, texts: _ArrowTexts) -> MentionColumn:
        """Find the mentions in each text of a column, in one thread, without the interpreter's lock.

        Engines with threads or processes of their own call this once for each batch; see `drugs_rs.duckdb` and
        `drugs_rs.spark`. For one large column `find_many` is faster, because it takes all cores.

        Args:
            texts: A string column of any library with the Arrow PyCapsule interface (polars, pyarrow, pandas).

        Returns:
            A list of structs for each text, in the order of the texts: empty for a text without a mention, null for
            null. The structs have the fields of `Mention`.

        Raises:
            TypeError: `texts` is no such column.
            ArgumentError: A text of the column is not UTF-8.

        >>> import drugs_rs, polars
        >>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
        >>> column = matcher.find_column(polars.Series(["nothing here", "Diphenhydramine!", None]))
        >>> [None if found is None else [mention["surface"] for mention in found] for found in polars.Series(column)]
        [[], ['Diphenhydramine'], None]
        """

    def save(self, path: _Path) -> None:
        """Write the matcher to a file, whole or not at all, from which `load` reads it in milliseconds.

        The file holds the vocabulary, the settings and the index, with a version of its format and a checksum. A
        matcher may also be pickled; that carries the same bytes. Neither carries `sources`, which is empty afterwards.

        Args:
            path: The file, in a folder that exists, or the URI of an object. A file that is there is replaced.

        Raises:
            StorageError: The file cannot be written.
        """

    @classmethod
    def load(cls, path: _Path) -> Matcher:
        """Read a matcher that `save` wrote.

        Args:
            path: The file, or the URI of an object.

        Raises:
            SourceNotFoundError: There is no such file.
            FormatError: The file is no saved matcher, of another version of the format, cut off or damaged.
        """

    def to_bytes(self) -> bytes:
        """Give the matcher as bytes, as `save` writes them."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Matcher:
        """Make a matcher of the bytes that `to_bytes` gave.

        Raises:
            FormatError: They are no saved matcher, of another version of the format, cut off or damaged.
        """

    def explain(self, text: str, drug: str) -> str:
        """Say in one sentence why a drug is found in a text, or why it is not.

        Args:
            text: The text.
            drug: One of the drug's names.

        Raises:
            ArgumentError: No drug of this matcher has that name.
        """

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What became of the rows of the vocabulary's files, a dictionary each.

        The entries of `sources` in a step's report; empty for a matcher that was not made from files.

        >>> import drugs_rs
        >>> drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]}).sources
        []
        """

    def __len__(self) -> int:
        """Count the names this matcher looks for."""

@final
class Mention:
    """A drug found in a text: a value that never changes, equal by its fields, hashable and picklable."""

    def __new__(cls, atccode: str, drug: str, start: int, end: int, surface: str, rule: str) -> Mention: ...
    @property
    def atccode(self) -> str:
        """The code under which the vocabulary lists the drug."""

    @property
    def drug(self) -> str:
        """The drug's name in the vocabulary."""

    @property
    def start(self) -> int:
        """Where the mention begins in the text, in Unicode code points from 0, as Python counts."""

    @property
    def end(self) -> int:
        """Where it ends, exclusive: `text[start:end] == surface`."""

    @property
    def surface(self) -> str:
        """The mention as the text spells it."""

    @property
    def rule(self) -> Literal["name", "synonym", "abbreviation", "combination"]:
        """What was recognised: the drug's name, a synonym, a short form of the text, or a combination's parts."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class MentionColumn:
    """The mentions of each text of a column: what `Matcher.find_column` returns.

    `polars.Series(column)` and `pyarrow.array(column)` take it without a copy. Its type is
    `list[struct{atccode: string, drug: string, start: int64, end: int64, surface: string, rule: string}]`.
    """

    def __len__(self) -> int:
        """How many texts the column had."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Return an `arrow_schema` and an `arrow_array` capsule.

        A requested schema is ignored, as the interface allows.
        """

    def __arrow_c_schema__(self) -> object:
        """Return the schema as an `arrow_schema` capsule."""

@final
class Lake:
    r"""The tables of a lake, on a disk or in a bucket, for every reader.

    Nothing is read before a method is called, and each call sees the state of its moment.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
    >>> _ = (folder / "pubmed.csv").write_text("id,title,date,journal\n1,Diphenhydramine,2020-05-25,Annals\n")
    >>> _ = drugs_rs.run(
    ...     drugs=folder / "drugs.csv", pubmed=folder / "pubmed.csv", lake=folder / "lake", dt="2020-06-01"
    ... )
    >>> lake = drugs_rs.Lake(folder / "lake")
    >>> lake.scan("mentions", ["substance", "publication_id", "start", "end"]).read()
    Table: 1 row × 4 columns
    substance        publication_id  start    end
    string           string          int64  int64
    ---------------  --------------  -----  -----
    diphenhydramine  1                   0     15
    >>> lake.scan("journal_drugs").read()["pairs"]
    [1]
    """

    def __new__(cls, lake: _Path) -> Self: ...
    @property
    def root(self) -> str:
        """The folder or URI of the lake."""

    def tables(self) -> Table:
        """Every table, one row each.

        Returns:
            A table with the columns `table`, `layer`, `rows`, `bytes`, `files`, `partitions`, `description`.

        Raises:
            SourceNotFoundError: there is no lake.
        """

    def schema(self, table: str) -> TableSchema:
        """The columns of a table, those in its files before those in the names of its folders.

        As an Arrow schema (`pyarrow.schema(lake.schema("mentions"))`) every field has the metadata `description`,
        `term` and `example`.

        Raises:
            ArgumentError: there is no table of this name; the message names all.
        """

    def files(
        self,
        table: str,
        *,
        dt: _Date | Sequence[_Date] | None = None,
        kind: str | Sequence[str] | None = None,
    ) -> Table:
        """The files with the current rows of a table, readable by any Parquet reader.

        Superseded, deleted and held rows are in none of them. The columns `kind` and `dt` are in the paths alone
        (`…/kind=pubmed/dt=2020-06-01/part-00000.parquet`).

        Args:
            table: The name of the table.
            dt: Only files of these dates.
            kind: Only files of these kinds of publications.

        Returns:
            A table with the columns `uri`, `dt`, `kind`, `rows`, `bytes`, `sha256`. On a disk `uri` is a path.

        Raises:
            ArgumentError: there is no table of this name, or it has no partitions by `dt` or `kind`.
            SourceNotFoundError: there is no lake, or gold has not run.
        """

    def scan(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        dt: _Date | Sequence[_Date] | None = None,
        kind: str | Sequence[str] | None = None,
        atccode: str | Sequence[str] | None = None,
        exclude_status: _Status | Sequence[_Status] | None = None,
    ) -> TableScan:
        """The current rows of a table as a stream, in bounded memory however large the table is.

        Args:
            table: The name of the table.
            columns: Only these columns, in this order.
            dt: Only rows of these dates. Other files are not opened.
            kind: Only rows of these kinds of publications. Other files are not opened.
            atccode: Only rows of these codes. Other columns are read only where one of the codes is.
            exclude_status: Without publications of these statuses, such as `"retracted"`.

        Raises:
            ArgumentError: there is no table or column of this name, or the table cannot be filtered so.
            SourceNotFoundError: there is no lake, or gold has not run.
        """

    def status(self) -> Table:
        """Every delivered partition.

        Returns:
            A table with the columns `dt`, `table`, `rows_in`, `rows_kept`, `rows_merged`, `rows_rejected`,
            `rejected_share` (0 to 1), `snapshot` (whether it replaces all earlier ones of its table), `held`, `reason`
            (of the hold), `as_of` (the date that gold has reached).
        """

    def history(self) -> Table:
        """Every run that changed the lake, the first one first.

        Returns:
            A table with the columns `run_id`, `started_at` (UTC), `seconds`, `version`, `step`, `dt`, `settings`
            (JSON), `rows_in`, `rows_kept`, `rows_merged`, `rows_rejected`, `publications`, `mentions`, `pairs`.
        """

    def metrics(self) -> str:
        """The last run of each step and the state of the lake as OpenMetrics, the text that Prometheus reads.

        Counts, seconds and start of the last run of each step that changed the lake; rows, bytes and files of each
        table; the date that gold has reached; the held dates. Every series has the label `lake`.

        Raises:
            SourceNotFoundError: there is no lake.
        """

    def quality(self, contract: _Path = "default", *, today: _Date | None = None) -> dict[str, Any]:
        """What a data contract says of the lake: its rules for every table, and its objectives.

        Reads the columns that rules look at, of every table, in bounded memory.

        Args:
            contract: `"default"`, which comes with the package, or the file or URI of one in the Open Data Contract
                Standard 3.1.
            today: The day that freshness is measured on, by default that of the clock (UTC).

        Returns:
            A dictionary with `contract`, `passed` (no rule of severity `error` is broken, and no objective is missed),
            `rules` (for each its `rule`, `table`, `column`, `metric`, `dimension`, `severity`, `description`, `rows`,
            `count`, `percent` of the rows where that is bounded, `allowed` in words, `passed`) and `objectives` (see
            `objectives`).

        Raises:
            ArgumentError: `contract` is `"none"`, or `today` is no date.
            FormatError: the contract has an unknown rule, contradicts the schema or names no owner.
            SourceNotFoundError: there is no lake, or no contract.
        """

    def objectives(self, contract: _Path = "default", *, today: _Date | None = None) -> list[dict[str, Any]]:
        """What is measured for each objective of a data contract, without a look at its rules.

        Args:
            contract: As in `quality`.
            today: As in `quality`.

        Returns:
            One dictionary for each objective: `objective` (`freshness` in days, `volume` in rows beside the band around
            the median of up to 30 deliveries, `rejectedShare` and `hitRate` in percent), `table` and `dt` of the
            delivery, `measured` (`None` if there is nothing to measure yet), `unit`, `least`, `most`, `passed`.

        Raises:
            As `quality`.
        """

    def explain(self, publication_id: str, drug: str, *, kind: str | None = None) -> str:
        """Why a drug is mentioned in a publication, or why it is not, with the vocabulary and the settings of gold.

        Args:
            publication_id: The id of a current publication.
            drug: A name or a code of the vocabulary.
            kind: The kind of the publication; needed only if publications of several kinds have the id.

        Returns:
            A line for the title and for the abstract, each with a sentence as `Matcher.explain` returns it. An abstract
            that gold did not search is explained too, and the line says so. Another line says if gold leaves out a
            newer state of the publication because its date is held.

        Raises:
            ArgumentError: publications of several kinds have the id, and `kind` is not given.
            FormatError: the matcher of gold cannot be rebuilt, or it does not find what gold found.
            SourceNotFoundError: there is no such publication or drug; the message says if the publication is deleted,
                of a held date, or newer than gold.
        """

    def diff(self, a: int | _Date | None = None, b: int | _Date | None = None) -> LakeDiff:
        """What changed between two states: every gained and lost mention, each with its one cause.

        A mention is a row of the table `mentions`; it is the same one in both states if kind, publication, field, span,
        code and drug are the same. `docs/ledger.md` defines the causes.

        Args:
            a: The earlier state, by its number or by a date as at `at`; by default the one before `b`.
            b: The later state; by default the newest, or that of `at`.

        Raises:
            ArgumentError: `a` is later than `b`, or both are one number.
            FormatError: A state has tables of another format than this version of drugs_rs; the message has what its
                record says.
            SourceNotFoundError: There is no such state, or it was given up, or there is none before `b`.
        """

    def evidence(self, drug: str, publication_id: str, *, kind: str | None = None) -> PairEvidence:
        """What says that a publication mentions a drug, from the text to the bytes of the sources; and since when.

        If the state does not have the pair and an earlier one has, the evidence is that of the last state with it, and
        its history says when and why the pair left.

        Args:
            drug: A name or a code of the vocabulary.
            publication_id: The id of a publication that a kept state has.
            kind: The kind of the publication; needed only if publications of several kinds have the id.

        Raises:
            ArgumentError: Publications of several kinds have the id, and `kind` is not given.
            SourceNotFoundError: No vocabulary has the drug; the message suggests names. Or no state has the
                publication; the message says if it is deleted, of a held date, or newer than gold.
        """

    def vocabulary_gaps(
        self,
        *,
        rules: str | Sequence[str] | None = None,
        min_publications: int = 1,
        limit: int | None = 1000,
    ) -> Table:
        r"""Names in current publications that are probably drugs and that the vocabulary lacks.

        The most probable names come first, then the most frequent ones. A name is a gap if the matcher with gold's
        vocabulary and settings does not find it where it is. Titles are searched, abstracts if gold searched them, the
        interventions of trials, and the substances that NLM names. `docs/gaps.md` defines the rules.

        >>> import pathlib, tempfile
        >>> import drugs_rs
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
        >>> _ = (folder / "articles.csv").write_text(
        ...     "id,title,date,journal\n1,Tolebrutinib or MK-3475?,2024,Annals\n2,April and tolebrutinib,2025,Annals\n")
        >>> _ = drugs_rs.run(
        ...     lake=folder / "lake", dt="2025-06-01", drugs=folder / "drugs.csv", pubmed=folder / "articles.csv")
        >>> gaps = drugs_rs.Lake(folder / "lake").vocabulary_gaps()
        >>> [(gap["name"], gap["rules"], gap["publications"]) for gap in gaps.to_dicts()]
        [('Tolebrutinib', ['inn_stem'], 2), ('MK-3475', ['company_code'], 1)]

        Args:
            rules: Only these rules: `"inn_stem"`, `"company_code"`, `"intervention"`, `"substance"`, `"context"`.
            min_publications: A name in fewer publications is left out.
            limit: The number of rows; `None` is all.

        Returns:
            A table with the columns `name`, `confidence` (`"high"`, `"medium"` or `"low"`), `rules`, `publications`,
            `mentions`, `journals`, `first_date`, `last_date`, `spellings`, `examples`: a list of structs with `kind`,
            `publication_id`, `field`, `start`, `end`, `surface`, `text`.

        Raises:
            ArgumentError: There is no such rule.
            FormatError: The matcher of gold cannot be rebuilt, or silver was made again after gold.
            SourceNotFoundError: There is no lake, or gold has not run.
        """

    def states(self) -> Table:
        """The states of gold that can be read, one row each, the first one first.

        Gold keeps the files that a run replaces, as long as `gold(keep=...)` says.

        Returns:
            A table with the columns `state` (it counts from 1), `committed_at`, `run_id`, `version`, `as_of` (the
            tables hold the partitions up to this date), `publications`, `mentions`, `pairs`.
        """

    def at(self, state: int | _Date) -> Lake:
        """Return the lake as it was in an earlier state, for reading.

        It has the tables of that state, to the row; `status` lists the partitions that it was made from.

        Args:
            state: The number of a state (see `states`), or a date: then the newest state that holds no partition after
                that date.

        Raises:
            SourceNotFoundError: There is no such state, or it was given up.
        """

    @property
    def state(self) -> int | str | None:
        """The state that `at` was asked for; `None` is the current one."""

    def vacuum(self, *, keep: str = "30 days", keep_days: int | None = None, dry_run: bool = False) -> Table:
        """Give up earlier states, and remove the files that only they need.

        Gold does the same at the end of every run, with its own `keep`.

        Args:
            keep: How long earlier states are kept, as at `gold`.
            keep_days: A number of days instead of `keep`.
            dry_run: Say what would be removed, and remove nothing.

        Returns:
            A table with the column `path`: the records and folders that are, or would be, removed.

        Raises:
            ConflictError: Gold has committed meanwhile.
        """

    def compact(self, *, older_than_days: int = 30) -> Table:
        """Put the index files of old dates together, so that a run of gold opens fewer files.

        No table changes. It is worth most in a bucket, where each file is a request. A date that is delivered again
        gets a file of its own, until the next compaction.

        Args:
            older_than_days: Only dates that are this many days older than the date that gold has reached.

        Returns:
            A table with the columns `path`, `partitions` and `bytes`: the files that were written.

        Raises:
            SourceNotFoundError: The lake has no gold layer.
            ConflictError: Gold has committed meanwhile.
        """

    def drop(
        self,
        *,
        before: _Date | None = None,
        dt: _Date | None = None,
        publication_id: str | None = None,
        dry_run: bool = False,
    ) -> Table:
        """Drop dates or one publication, and make gold again without them.

        With a date go its tables, its hold and its copies in bronze. Earlier states are given up, because they have it
        too. Gold is made again with the settings that it had. A publication is taken out of its tables; the copies of
        sources stay, and the result names them.

        Args:
            before: Drop all dates before this one.
            dt: Drop this date.
            publication_id: Drop every row with this id, of every kind and date.
            dry_run: Say what would be dropped, and change nothing.

        Returns:
            A table with the columns `action` (`removed`, `rewritten`, or `left` for what still holds it), `path`,
            `rows` (those that are dropped) and `reason`.

        Raises:
            ArgumentError: Not exactly one of the three, or dates with all vocabularies of the lake.
            SourceNotFoundError: There is nothing to drop.
            ConflictError: Another run is at work on one of the dates, or has committed meanwhile.
        """

    def rejected(
        self,
        dt: _Date,
        reason: str | None = None,
        *,
        corrected: bool = False,
        out: _Path | None = None,
        overwrite: bool = False,
    ) -> Table:
        r"""The rejected rows of a date, and a file in which a person corrects them.

        `replay` takes the corrected file back. The columns from `id` on are the values of the row, as far as its text
        can be read as a row of its source; correct those, and leave the columns up to `row_id`.

        Args:
            dt: The date of the delivery.
            reason: Only the rows with this reason, such as `blank_title`.
            corrected: The corrections of the date instead. Their `state` is `resolved`, or `stale` for one that meets
                no rejected row any more.
            out: Write the rows as CSV to this file or object too.
            overwrite: Whether to replace the file if it exists.

        Returns:
            A table with the columns `dt`, `table`, `source_uri`, `source_row`, `row_id`, `state`, `reason`, `message`,
            `raw`, and the columns that can be corrected: `id`, `title`, `date`, `journal`, `abstract`, and
            `interventions` of trials, for publications, and `atccode`, `drug`, `synonyms` for drugs.

        Raises:
            SourceNotFoundError: Silver has not cleaned that date.
            ArgumentError: There is no such reason, or the file exists.

        >>> import pathlib, tempfile
        >>> import drugs_rs
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
        >>> _ = (folder / "pubmed.csv").write_text("id,title,date,journal\n1,,2020-05-25,Annals\n")
        >>> _ = drugs_rs.run(
        ...     drugs=folder / "drugs.csv", pubmed=folder / "pubmed.csv", lake=folder / "lake", dt="2020-06-01"
        ... )
        >>> lake = drugs_rs.Lake(folder / "lake")
        >>> rows = lake.rejected("2020-06-01", out=folder / "fix.csv")
        >>> rows[["reason", "raw"]].to_dicts()
        [{'reason': 'blank_title', 'raw': '1,,2020-05-25,Annals'}]
        >>> text = (folder / "fix.csv").read_text()
        >>> _ = (folder / "fix.csv").write_text(text.replace("1,,2020", "1,Diphenhydramine,2020"))
        >>> report = lake.replay(folder / "fix.csv")
        >>> report["resolved"], report["open"]
        (1, 0)
        >>> len(lake.rejected("2020-06-01"))
        0
        """

    def replay(self, path: _Path, *, withdraw: bool = False, encoding: _Encoding | None = None) -> dict[str, Any]:
        """Take corrected rows back into the lake, each in the place of its rejected row.

        Silver is made again with the settings that it had, as if the source had been right, in one commit with the
        corrections. Run gold afterwards to take the rows into the graph. The same file again changes nothing; another
        correction of a row replaces the earlier one.

        Args:
            path: The corrected file, as `rejected` writes it: CSV, JSON, NDJSON or Parquet.
            withdraw: Take the corrections of the file's rows out of the lake instead.
            encoding: The encoding of text that is neither UTF-8 nor UTF-16 with a byte order mark.

        Returns:
            A report: `rows` of the file = `resolved` + `changed` + `already_resolved` + `withdrawn` + the number of
            `still_rejected`, which lists the rows that silver would reject again, with their reason; `open` counts the
            rejected rows that are left, `stale` lists corrections that meet no rejected row any more, `steps` has the
            reports of silver.

        Raises:
            SchemaError: The file lacks a column that `rejected` wrote.
            FormatError: A row names no rejected row of this lake, or one that another row of the file names, or cannot
                be read; silver was not made from what bronze has. Nothing is replayed.
            ConflictError: Another run is at work on one of the dates, or has committed meanwhile.
        """

    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection, in memory, with a view for each table.

        The views read the files of the moment. Needs `pip install drugs-rs[duckdb]`. In a bucket DuckDB opens the files
        itself, so it needs its extension `httpfs` and a secret.

        Raises:
            MissingLibraryError: DuckDB is not installed.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class PairEvidence:
    r"""What says that a publication mentions a drug.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
    >>> _ = (folder / "pubmed.csv").write_text("id,title,date,journal\n1,Diphenhydramine,2020-05-25,Annals\n")
    >>> _ = drugs_rs.run(
    ...     drugs=folder / "drugs.csv", pubmed=folder / "pubmed.csv", lake=folder / "lake", dt="2020-06-01"
    ... )
    >>> evidence = drugs_rs.Lake(folder / "lake").evidence("diphenhydramine", "1")
    >>> evidence
    PairEvidence("diphenhydramine" is mentioned in pubmed "1" of state 1)
    >>> [(place["surface"], place["rule"]) for place in evidence["places"]]
    [('Diphenhydramine', 'name')]
    >>> evidence["source"]["row"], evidence["source"]["copy"]
    (2, 'bronze/pubmed/dt=2020-06-01/pubmed.csv')
    >>> [(event["event"], event["state"]) for event in evidence["history"]]
    [('entered', 1)]
    """

    @property
    def is_mentioned(self) -> bool:
        """Whether the state has the pair."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a plain dictionary: `docs/ledger.md` has its keys."""

    def to_text(self) -> str:
        """Return everything as a page for people, which `print(evidence)` prints."""

    def __getitem__(self, key: str, /) -> Any:  # noqa: ANN401  # what JSON has
        """Return what `to_dict` has under a key."""

@final
class LakeDiff:
    r"""What changed between two states of a lake: the rows are the gained and lost mentions.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\nV03AB,ETHANOL\n")
    >>> _ = (folder / "pubmed.csv").write_text(
    ...     "id,title,date,journal\n1,Diphenhydramine or ethanol,2020-05-25,Annals\n"
    ... )
    >>> _ = drugs_rs.run(
    ...     drugs=folder / "drugs.csv", pubmed=folder / "pubmed.csv", lake=folder / "lake", dt="2020-06-01"
    ... )
    >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
    >>> _ = drugs_rs.run(drugs=folder / "drugs.csv", lake=folder / "lake", dt="2020-06-02")
    >>> diff = drugs_rs.Lake(folder / "lake").diff()
    >>> diff
    LakeDiff(state 1 to state 2: 0 mentions gained, 1 lost)
    >>> diff[["change", "cause", "publication_id", "drug", "cause_dt"]].to_dicts()
    [{'change': 'lost', 'cause': 'removed_drug', 'publication_id': '1', 'drug': 'ETHANOL', 'cause_dt': '2020-06-02'}]
    >>> diff.lost_share
    0.5

    The rows are read when they are wanted: `polars.DataFrame(diff)`, `pyarrow.table(diff)` and DuckDB take them as they
    take a `TableScan`. `diff[...]` and iteration are those of `read()`, a `Table`.
    """

    @property
    def from_state(self) -> int:
        """The number of the earlier state."""

    @property
    def to_state(self) -> int:
        """The number of the later state."""

    @property
    def lost_share(self) -> float:
        """Which share of the pairs of the earlier state was lost, from 0 to 1.

        A pair of a drug and a publication is lost if the later state has no mention of its code or its substance there.
        """

    @property
    def causes(self) -> Table:
        """How many mentions and pairs came and went for each cause.

        A table with the columns `change` (gained or lost), `cause`, `mentions`, `pairs`, `meaning`.
        """

    @property
    def substances(self) -> Table:
        """How many mentions and pairs of each substance came and went, the one with the most changes first.

        A table with the columns `substance`, `gained`, `lost`, `gained_pairs`, `lost_pairs`.
        """

    @property
    def drugs(self) -> Table:
        """The drugs that differ between the vocabularies of the states.

        A table with the columns `change` (new, gone, renamed, recoded, changed_names), `atccode`, `drug`,
        `atccode_before`, `drug_before`, `added_names`, `removed_names`, `gained` and `lost` (mentions).
        """

    @property
    def schema(self) -> TableSchema:
        """The columns of the rows in order: a mapping from the name of each to its type, and an Arrow schema."""

    def check(self, max_lost: str) -> None:
        """Raise if more pairs were lost than a share of those of the earlier state.

        Args:
            max_lost: The share, such as `"0.5%"`.

        Raises:
            ArgumentError: `max_lost` is no share.
            LossError: More were lost; the message has the counts by cause.
        """

    def read(self) -> Table:
        """Read all rows into memory."""

    def to_polars(self) -> polars.DataFrame:
        """Read all rows into a frame of polars."""

    def to_pandas(self) -> pandas.DataFrame:
        """Read all rows into a frame of pandas."""

    def to_arrow(self) -> pyarrow.Table:
        """Read all rows into a table of pyarrow."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Read all rows into dictionaries."""

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the vocabulary and some examples as a plain dictionary, without the rows."""

    def to_text(self) -> str:
        """Return the counts, the vocabulary and some examples as a text for people, which `print(diff)` prints."""

    @overload
    def __getitem__(self, key: str, /) -> list[Any]: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice | list[str], /) -> Table:
        """Take a column, a row, some rows or some columns, as of a `Table`."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows, each a dictionary."""

    def __len__(self) -> int:
        """The number of rows."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A new stream of all rows, which reads them when they are wanted.

        A requested schema is ignored, as the interface allows.
        """

    def __arrow_c_schema__(self) -> object:
        """Return the schema as an `arrow_schema` capsule."""

@final
class TableScan:
    """The rows of a table of a lake, for all that read Arrow: `polars.DataFrame(scan)`, `pyarrow.table(scan)`, DuckDB.

    polars before 1.10 reads only the first batch of a stream: there use `to_polars`.

    Iterating gives tables, the rows of one row group each. Each reader begins with the first row.
    """

    @property
    def schema(self) -> TableSchema:
        """The columns in order: a mapping from the name of each to its type, and an Arrow schema."""

    def read(self) -> Table:
        """Read all rows into memory."""

    def to_polars(self) -> polars.DataFrame:
        """Read all rows into a frame of polars."""

    def to_pandas(self) -> pandas.DataFrame:
        """Read all rows into a frame of pandas."""

    def to_arrow(self) -> pyarrow.Table:
        """Read all rows into a table of pyarrow."""

    def __iter__(self) -> Iterator[Table]:
        """Iterate over the rows, a table for each row group."""

    def postgres_copy(self) -> Iterator[bytes]:
        """Iterate over the rows in the binary form of PostgreSQL's `COPY`, the bytes of one row group at a time.

        Together they are the input of `COPY table FROM STDIN (FORMAT binary)`, for a table with the columns of
        `drugs-rs schema --format postgres`. The character NUL, which PostgreSQL cannot store, becomes U+FFFD.
        """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A new stream of all rows, which reads them when they are wanted.

        A requested schema is ignored, as the interface allows.
        """

    def __arrow_c_schema__(self) -> object:
        """Return the schema as an `arrow_schema` capsule."""

@disjoint_base
class Table:
    """Columns in Arrow memory, which polars, pandas, pyarrow and DuckDB read without a copy.

    >>> import drugs_rs
    >>> table = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]}).find_many(["diphenhydramine"])
    >>> table.num_rows, table.num_columns, table.column_names[:2]
    (1, 7, ['row', 'atccode'])
    >>> table[["row", "drug", "start", "end"]]
    Table: 1 row × 4 columns
      row  drug             start    end
    int64  string           int64  int64
    -----  ---------------  -----  -----
        0  diphenhydramine      0     15

    A notebook shows the first rows as a table. `polars.DataFrame(table)` and `pyarrow.table(table)` take a table as it
    is. It never changes, can be pickled, and is its own copy.
    """

    @property
    def num_rows(self) -> int:
        """How many rows there are."""

    @property
    def num_columns(self) -> int:
        """How many columns there are."""

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""

    @property
    def schema(self) -> TableSchema:
        """The columns in order: a mapping from the name of each to its type, and an Arrow schema.

        >>> import drugs_rs
        >>> table = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]}).find_many([])
        >>> table.schema["start"], list(table.schema)[:2]
        ('int64', ['row', 'atccode'])

        The types are `bool`, `int64`, `uint64`, `float64`, `string`, `date`, and with them `list[string]` and
        `struct{name: string}`. `pyarrow.schema(table.schema)` takes it from here.
        """

    def head(self, n: int = 5) -> Table:
        """The first rows, without a copy.

        Args:
            n: How many; all if the table has no more.

        Raises:
            ArgumentError: `n` is negative.
        """

    def to_dicts(self) -> list[dict[str, Any]]:
        """Copy the table into Python objects, one dictionary for each row.

        Iterating over the table makes the same dictionaries, a thousand at a time.
        """

    def to_polars(self) -> polars.DataFrame:
        """The table as a frame of polars, which shares the memory of numbers and dates.

        Raises:
            MissingLibraryError: polars is not installed; `pip install drugs-rs[notebook]` brings it.
        """

    def to_pandas(self) -> pandas.DataFrame:
        """Copy the table into a frame of pandas.

        Dates are `datetime.date`, lists are lists, and whole numbers with nulls are `Int64` or `UInt64`. With pyarrow
        it is faster, and the result is the same.

        Raises:
            MissingLibraryError: pandas is not installed.
        """

    def to_arrow(self) -> pyarrow.Table:
        """The table as one of pyarrow, which shares the memory of numbers and dates.

        Raises:
            MissingLibraryError: pyarrow is not installed, or older than 14.
        """

    def __len__(self) -> int:
        """Count the rows."""

    @overload
    def __getitem__(self, key: str, /) -> list[Any]: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice | list[str], /) -> Table:
        """Take a column, a row, some rows or some columns.

        >>> import drugs_rs
        >>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
        >>> table = matcher.find_many(["Diphenhydramine", "none", "diphenhydramine"])
        >>> table["row"]
        [0, 2]
        >>> table[-1]["surface"]
        'diphenhydramine'
        >>> table[::-1][["row", "surface"]].to_dicts()
        [{'row': 2, 'surface': 'diphenhydramine'}, {'row': 0, 'surface': 'Diphenhydramine'}]

        Args:
            key: The name of a column, which gives the list of its values; the number of a row, from 0, or from -1 at
                the end, which gives a dictionary; a slice of rows or a list of columns, which gives a table.

        Raises:
            ColumnNotFoundError: The table has no such column.
            RowNotFoundError: The table has fewer rows.
            ArgumentError: A list names a column twice.
        """

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows, each a dictionary."""

    def __copy__(self) -> Table:
        """A table never changes, so it is its own copy."""

    def __deepcopy__(self, memo: object, /) -> Table:
        """A table never changes, so it is its own copy."""

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""

    def __arrow_c_schema__(self) -> object:
        """Hand out the schema as an `arrow_schema` capsule."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand out the rows as an `arrow_array_stream` capsule, each time from the first row.

        Args:
            requested_schema: Part of the protocol, where honouring it is optional; the table keeps its own types.
        """

@final
class CleanTable(Table):
    """A table that was read from sources, and what became of their rows.

    `read_publications` and `read_drugs` give one, `iter_publications` one a batch. The rows of the table are those that
    were kept.
    """

    @property
    def rejected(self) -> Table:
        """The rejected rows, with their reason, place and raw text."""

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What became of the rows of each file, a dictionary each.

        The entries are those of `sources` in the report of `run`, and `rows_in == rows_kept + rows_merged +
        rows_rejected` holds for each. Batches have none; the `PublicationBatches` that gave them does.
        """

@final
class PublicationBatches:
    """The batches of `iter_publications`: an iterator, and an Arrow stream.

    `polars.DataFrame(batches)`, `pyarrow.RecordBatchReader.from_stream(batches)` or, with pandas 3,
    `pandas.DataFrame.from_arrow(batches)` pull the batches one by one. The last polars for Python 3.8 takes any
    iterator for one of rows; there it is `polars.DataFrame(pyarrow.table(batches))`. Stream and iterator share their
    place: what one gave, the other does not.
    """

    def __iter__(self) -> Iterator[CleanTable]: ...
    def __next__(self) -> CleanTable: ...
    def __arrow_c_schema__(self) -> object:
        """Hand out the schema as an `arrow_schema` capsule."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand out the batches that are left as an `arrow_array_stream` capsule; each is made when it is asked for.

        The stream has the rows that were kept; those that were not are counted in `sources`. An error is the
        consumer's, with the message of ours: an `OSError` of pyarrow, say. So is Ctrl-C while a batch is made, if the
        stream is pulled in the thread that asked for it; in another thread it waits for the batch.

        Args:
            requested_schema: Part of the protocol, where honouring it is optional; the batches keep their own types.
        """

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What became of the rows of each file so far, a dictionary each.

        It counts what was read, which may be a little more than what was given.
        """

@final
class DrugGraph:
    r"""Drugs, publications, journals and who mentions whom; `read_graph` makes one.

    `unit` says what counts as one drug: `"substance"` takes all codes of a substance together, `"code"` counts each
    code of the vocabulary. Lists and tables name a substance by its first code in code-point order. Its name is that of
    the drug, folded, without qualifiers in brackets and without words of salts and hydrates; a combination is a
    substance of its own.

    >>> import pathlib, tempfile
    >>> import drugs_rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA10AB01,insulin (human)\nA10AB02,insulin (beef)\n")
    >>> _ = (folder / "pubmed.csv").write_text("id,title,date,journal\n1,Insulin (human) or insulin (beef),2020,J\n")
    >>> lake = folder / "lake"
    >>> _ = drugs_rs.run(drugs=folder / "drugs.csv", pubmed=folder / "pubmed.csv", lake=lake, dt="2020-06-01")
    >>> graph = drugs_rs.read_graph(lake)
    >>> graph.top_journals(), graph.top_journals(unit="code")
    ({'J': 1}, {'J': 2})
    >>> graph.drugs().to_dicts()
    [{'atccode': 'A10AB01', 'drug': 'insulin (human)', 'substance': 'insulin', 'pubmed': 1, 'clinical_trial': 0}]
    """

    def drugs(self, *, unit: _Unit = "substance") -> Table:
        """Every drug of the vocabulary, mentioned or not.

        Args:
            unit: One row a substance, or one a code.

        Returns:
            The columns `atccode`, `drug`, `substance`, and `pubmed`, `clinical_trial` and, if the graph has any,
            `preprint`: the number of publications of each kind that mention it; ordered by `atccode`. A substance has
            code and name of its first code.

        Raises:
            ArgumentError: An unknown `unit`.
        """

    def journals(self, *, unit: _Unit = "substance") -> Table:
        """Every journal with a mention.

        Args:
            unit: What counts as one drug.

        Returns:
            The columns `journal`, `drugs` (how many different ones it mentions) and `mentions` (how many pairs of a
            drug and a publication); ordered by `journal`.

        Raises:
            ArgumentError: An unknown `unit`.
        """

    def mentions(self, *, unit: _Unit = "substance") -> Table:
        """Every pair of a drug and a publication that mentions it.

        Args:
            unit: One row for each substance and publication, or for each code and publication.

        Returns:
            The columns `atccode`, `drug`, `substance`, `publication_id`, `kind` (`pubmed`, `clinical_trial` or
            `preprint`), `journal` and `date`; what is unknown is null. A substance has code and name of its first code.

        Raises:
            ArgumentError: An unknown `unit`.
        """

    def answer(self, name: str, **options: str | int | None) -> Table:
        """The table of an answer, by its name: `"co_mentions"`, `"exclusive_drugs"` or `"top_journals"`.

        `drugs-rs answer --help` lists the answers and their options.

        Args:
            name: The answer.
            **options: Its options; `None` is the default of an option. Every answer has `unit`.

        Returns:
            A row for each entry; its columns are in the page of answers.

        Raises:
            ArgumentError: No answer has this name, the answer has no such option, or a value of it is unusable, such as
                a drug that the graph does not have.
        """

    def co_mentions(self, drug: str | None = None, *, min_count: int = 2, unit: _Unit = "substance") -> Table:
        """Pairs of drugs that the same publications mention.

        Args:
            drug: Only pairs with this drug: its code, or one of its names in capitals or small letters.
            min_count: Only pairs that at least this many publications mention.
            unit: What counts as one drug.

        Returns:
            The columns `atccode`, `drug`, `other_atccode`, `other_drug`, `publications` (how many mention both), the
            number for each kind that the graph has, such as `pubmed`, `first_date` and `last_date`. The largest number
            comes first, then names. `drug` is the drug that was asked for, else the first of the two by name. A
            substance has the code of its first code, and its own name.

        Raises:
            ArgumentError: The graph does not have the drug, its name is that of several drugs, `min_count` is less than
                1, or `unit` is unknown.
        """

    def top_journals(self, *, unit: _Unit = "substance") -> dict[str, int]:
        """The journals that mention the most different drugs, and that number: every journal that shares first place.

        Empty if nothing is mentioned anywhere.

        Args:
            unit: What counts as one drug.

        Raises:
            ArgumentError: An unknown `unit`.
        """

    def exclusive_drugs(self, code: str, *, unit: _Unit = "substance") -> list[str]:
        """The codes of the drugs that share a journal with this one through PubMed alone, in code order.

        These are the drugs mentioned by a journal that mentions this one in a PubMed article, less those mentioned by
        a journal that mentions it in a clinical trial, and less the drug itself. The list is whole, also where that of
        `exclusive_drugs.json` was cut (`max_exclusive` of `gold`).

        Args:
            code: The drug's ATC code; any code of a substance will do.
            unit: What counts as one drug. A substance is listed as its first code.

        Raises:
            ArgumentError: The graph has no drug with this code, or `unit` is unknown.
        """

    def to_node_link(self) -> dict[str, Any]:
        """The graph in node-link form, as networkx and D3 read it.

        Returns:
            `directed`, `multigraph`, `graph` (attributes of the whole), `nodes` (each with `id` and attributes) and
            `links` (each with `source`, `target` and attributes).
        """

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The graph as a networkx one, with the nodes, links and attributes of `to_node_link`.

        Raises:
            ModuleNotFoundError: networkx is not installed; `pip install drugs-rs[notebook]` brings it.
        """

    def to_json(self) -> str:
        """The text of `drug_graph.json`: the same bytes, encoded as UTF-8, that the gold step writes."""

    def write(self, path: _Path, shape: str | None = None) -> None:
        """Write the graph to a file, which is replaced at once or not at all.

        Args:
            path: The file, or the URI of an object.
            shape: `"graph"` for `drug_graph.json`, `"node-link"` for the JSON of `to_node_link`, `"graphml"` for Gephi,
                yEd and Cytoscape, `"gexf"` for Gephi, `"edges-csv"`, `"edges-ndjson"` and `"edges-parquet"` for one
                pair of a code and a publication a row, `"neo4j-nodes"` and `"neo4j-relationships"` for the two CSV
                files of Neo4j's bulk import. `None` takes the shape from the file's ending: `.json` is `"graph"`,
                `.graphml`, `.gexf`, `.csv`, `.ndjson` and `.parquet` are the shapes of that name.

        Raises:
            ArgumentError: An unknown shape, or no shape and an ending that is none of these.
            StorageError: The folder does not exist, or the file cannot be written.
        """
