"""What a step read and wrote, for OpenLineage; ``None`` if its provider is not installed.

The datasets are places of the lake without their partitions, so that the output of one step is the input of the next:
landing → ``bronze/<source>`` → ``silver/<table>`` → ``gold/…``.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from drugs_rs.airflow.compat import lineage_classes


def of_step(inputs: Iterable[str], out: str, outputs: Sequence[Mapping[str, Any]]) -> Any:
    """Return the lineage of a step: URIs of what it read, and the entries of its report about what it wrote."""
    classes = lineage_classes()
    if classes is None:
        return None
    lineage, events, facets = classes
    written: dict[str, dict[str, int]] = {}
    for output in outputs:
        numbers = written.setdefault(place(output["path"]), {"rows": 0, "bytes": 0})
        for name in numbers:
            numbers[name] += output[name]
    made = []
    for path, numbers in written.items():
        statistics = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=numbers["rows"] or None, size=numbers["bytes"]
        )
        namespace, name = _named(below(out, path))
        made.append(events.OutputDataset(namespace=namespace, name=name, outputFacets={"outputStatistics": statistics}))
    read = [events.InputDataset(namespace=namespace, name=name) for namespace, name in map(_named, inputs)]
    return lineage(inputs=read, outputs=made)


def below(out: str, path: str) -> str:
    """Return the URI of a place in a lake."""
    return "/".join([out.rstrip("/"), path])


def place(path: str) -> str:
    """Return the place in the lake that a file belongs to: its path before the partition."""
    folder = path.split("/dt=")[0].split("/part-")[0]
    # The kinds of publications are datasets of their own in silver alone, where a task makes each.
    return folder if folder.startswith("silver/publications/") else folder.split("/kind=")[0]


def _named(uri: str) -> tuple[str, str]:
    """Split a URI as OpenLineage names datasets: the bucket or ``file``, and the path in it."""
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme == "file":
        return "file", rest if mark else uri
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key
