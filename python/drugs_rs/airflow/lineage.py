"""What a step read and wrote, for OpenLineage; nothing where its provider is not installed."""

from __future__ import annotations

from typing import Any, Mapping

from drugs_rs.airflow.compat import lineage_classes


def of_task(task_instance: Any, out: str) -> Any:
    """Give the lineage of a step from the report that it returned."""
    report = task_instance.xcom_pull(task_ids=task_instance.task_id)
    return of_report(report, out) if isinstance(report, Mapping) else None


def of_report(report: Mapping[str, Any], out: str) -> Any:
    """Give the files of a report as inputs and outputs, with rows and bytes of what was written."""
    classes = lineage_classes()
    if classes is None:
        return None
    lineage, events, facets = classes
    outputs = []
    for output in report.get("outputs", []):
        namespace, name = _named("/".join([out.rstrip("/"), output["path"]]))
        statistics = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=output["rows"] or None, size=output["bytes"]
        )
        outputs.append(
            events.OutputDataset(namespace=namespace, name=name, outputFacets={"outputStatistics": statistics})
        )
    inputs = [_input(events, source["uri"]) for source in report.get("sources", [])]
    return lineage(inputs=inputs, outputs=outputs)


def of_reading(_task_instance: Any, out: str, path: str) -> Any:
    """Give the lineage of a task that reads one file of the lake and writes nothing."""
    classes = lineage_classes()
    if classes is None:
        return None
    lineage, events, _ = classes
    return lineage(inputs=[_input(events, "/".join([out.rstrip("/"), path]))])


def _input(events: Any, uri: str) -> Any:
    namespace, name = _named(uri)
    return events.InputDataset(namespace=namespace, name=name)


def _named(uri: str) -> tuple[str, str]:
    """Split a URI as OpenLineage names data sets: the bucket or ``file`` apart from the path in it."""
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme == "file":
        return "file", rest if mark else uri
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key
