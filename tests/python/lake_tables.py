"""Reading the Parquet tables of a lake as plain rows, and filling one with little more than a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, NamedTuple

import pyarrow.parquet as parquet

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

Row = Dict[str, Any]

DT = "2020-06-01"


class Cleaned(NamedTuple):
    """What silver made of some sources: the report, the kept rows, the rejected rows."""

    report: dict[str, Any]
    kept: list[Row]
    rejected: list[Row]

    def only_source(self) -> dict[str, Any]:
        """The report's entry of the one source."""
        (source,) = self.report["sources"]
        found: dict[str, Any] = source
        return found


def rows(path: Path) -> list[Row]:
    """One Parquet file as rows. Not through a dataset: that would read columns out of the folders' names too."""
    found: list[Row] = parquet.ParquetFile(str(path)).read().to_pylist()
    return found


def partition(folder: Path) -> list[Row]:
    """All rows of the Parquet files of one folder, in the order of the files' names."""
    return [row for path in sorted(folder.glob("*.parquet")) for row in rows(path)]


def of_kind(folder: Path, kind: str, dt: str) -> list[Row]:
    """The rows of a table of one kind and one date, with the kind that its path has."""
    found = partition(folder / ("kind=" + kind) / ("dt=" + dt))
    return [{**row, "kind": kind} for row in found]


def publications(lake: Path, kind: str = "pubmed", dt: str = DT) -> list[Row]:
    """The clean publications of one kind and one date."""
    return of_kind(lake / "silver" / "publications", kind, dt)


def drugs(lake: Path, dt: str = DT) -> list[Row]:
    """The clean vocabulary of one date."""
    return partition(lake / "silver" / "drugs" / ("dt=" + dt))


def rejected(lake: Path, name: str, dt: str = DT) -> list[Row]:
    """The rejected rows of `drugs`, `pubmed` or `clinical_trial`; none when there is no such file."""
    table = "drugs" if name == "drugs" else f"publications/kind={name}"
    return partition(lake / "silver" / "rejected" / table / ("dt=" + dt))


def mentions(lake: Path, dt: str = DT) -> list[Row]:
    """The mentions of one date, of all kinds."""
    folder = lake / "gold" / "mentions"
    kinds = sorted(path.name.split("=")[1] for path in folder.glob("kind=*"))
    return [row for kind in kinds for row in of_kind(folder, kind, dt)]


def clean(
    lake: Path,
    *sources: Path,
    table: str = "pubmed",
    dt: str = DT,
    **options: Any,
) -> Cleaned:
    """Bronze and silver of some sources of one table (`drugs`, `pubmed` or `clinical_trials`)."""
    delivered: dict[str, Any] = {table: [str(source) for source in sources]}
    options["tables"] = [table]
    drugs_rs.bronze(out=lake, dt=dt, **delivered)
    report: dict[str, Any] = drugs_rs.silver(out=lake, dt=dt, **options)
    if table == "drugs":
        return Cleaned(report, drugs(lake, dt), rejected(lake, "drugs", dt))
    kind = "clinical_trial" if table == "clinical_trials" else "pubmed"
    return Cleaned(report, publications(lake, kind, dt), rejected(lake, kind, dt))


def source_of(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry of the source whose URI ends with `name`."""
    (found,) = [source for source in report["sources"] if source["uri"].endswith(name)]
    entry: dict[str, Any] = found
    return entry


def without(found: list[Row], *columns: str) -> list[Row]:
    """The rows less some columns, for comparing what must be equal."""
    return [{name: value for name, value in row.items() if name not in columns} for row in found]


def whole_numbers(entry: dict[str, Any]) -> dict[str, int]:
    """The four numbers of the conservation law."""
    return {name: entry[name] for name in ("rows_in", "rows_kept", "rows_merged", "rows_rejected")}


def conserved(entry: dict[str, Any]) -> str | None:
    """None when the law holds for a report (of a step or of a source), else the sentence that says how it is broken."""
    kept, merged, refused = entry["rows_kept"], entry["rows_merged"], entry["rows_rejected"]
    if entry["rows_in"] == kept + merged + refused:
        return None
    return "{} rows in, {} kept + {} merged + {} rejected".format(entry["rows_in"], kept, merged, refused)
