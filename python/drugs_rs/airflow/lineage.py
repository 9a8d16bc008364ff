"""What a step read and wrote, for OpenLineage; ``None`` if its provider is not installed.

The datasets are places of the lake without their partitions, so that the output of one step is the input of the next:
landing → ``bronze/<source>`` → ``silver/<table>`` → ``gold/…``. Tables come with what they and their columns mean, and
those of gold with the columns of silver that each column is made of.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Mapping, Sequence

from drugs_rs.airflow.compat import lineage_classes

# The table whose rows a folder has. The folders of gold have the names of their tables.
TABLES = {
    "silver/drugs": "drugs_all",
    "silver/publications": "publications_all",
    "silver/rejected": "rejected",
    "silver/deleted": "deleted",
    "silver/journals": "journal_ids",
}
# A delivery of thousands of files is named by its folders: services refuse events of that size.
MOST_INPUTS = 50
DRUGS, PUBLICATIONS = "silver/drugs", "silver/publications"
# Columns of gold that are not columns of silver with the same name: the folders and columns that they are made of.
_IN_DRUGS: Mapping[str, Sequence[str]] = {DRUGS: ()}  # with the same name
_FROM_CODE: Mapping[str, Sequence[str]] = {DRUGS: ("atccode",)}
_FROM_SEARCH: Mapping[str, Sequence[str]] = {
    PUBLICATIONS: ("title", "abstract", "interventions", "substances"),
    DRUGS: ("drug", "synonyms"),
}
MADE_OF: Mapping[str, Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(("atccode", "drug", "synonyms"), _IN_DRUGS),
    **dict.fromkeys(("atc_class", "level", "parent"), _FROM_CODE),
    **dict.fromkeys(("field", "start", "end", "surface", "rule"), _FROM_SEARCH),
    "substance": {DRUGS: ("drug",)},
    "role": {PUBLICATIONS: ("interventions",)},
}


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
    read = _bounded([_named(uri) for uri in inputs])
    for path, numbers in written.items():
        statistics = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=numbers["rows"] or None, size=numbers["bytes"]
        )
        namespace, name = _named(below(out, path))
        dataset = events.OutputDataset(
            namespace=namespace,
            name=name,
            facets=_of_table(path, read, facets),
            outputFacets={"outputStatistics": statistics},
        )
        made.append(dataset)
    datasets = [events.InputDataset(namespace=namespace, name=name) for namespace, name in read]
    return lineage(inputs=datasets, outputs=made)


def of_checks(out: str, reports: Sequence[Any]) -> Any:
    """Return the lineage of a check: the tables of these reports, each with the rules of its contract as assertions."""
    classes = lineage_classes()
    if classes is None:
        return None
    lineage, events, facets = classes
    module = facets.data_quality_assertions_dataset
    checked: dict[str, list[Mapping[str, Any]]] = {}
    for report in reports:
        if not isinstance(report, Mapping):
            continue
        for path in dict.fromkeys(place(output["path"]) for output in report["outputs"]):
            rules = [rule for rule in report.get("quality", ()) if rule["table"] == table_of(path)]
            checked.setdefault(path, []).extend(rules)
    datasets = []
    for path, rules in checked.items():
        namespace, name = _named(below(out, path))
        assertions = [
            module.Assertion(assertion=rule["rule"], success=rule["passed"], column=rule.get("column"))
            for rule in rules
        ]
        made = {"dataQualityAssertions": module.DataQualityAssertionsDatasetFacet(assertions=assertions)}
        datasets.append(events.InputDataset(namespace=namespace, name=name, inputFacets=made if rules else {}))
    return lineage(inputs=datasets, outputs=[])


def _bounded(read: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what was read, each once; of many files the folders."""
    found = list(dict.fromkeys(read))
    if len(found) <= MOST_INPUTS:
        return found
    return list(dict.fromkeys((namespace, name.rpartition("/")[0] or name) for namespace, name in found))


def below(out: str, path: str) -> str:
    """Return the URI of a place in a lake."""
    return "/".join([out.rstrip("/"), path])


def place(path: str) -> str:
    """Return the place in the lake that a file belongs to: its path before the partition."""
    folder = path.split("/dt=")[0].split("/part-")[0]
    # The kinds of publications are datasets of their own in silver alone, where a task makes each.
    return folder if folder.startswith("silver/publications/") else folder.split("/kind=")[0]


def table_of(path: str) -> str | None:
    """Return the table whose rows a place of the lake has, or ``None``: a copy in bronze, a graph, an answer."""
    layer, _, rest = path.partition("/")
    if layer == "gold":
        return None if rest.endswith(".json") else rest
    return next((table for folder, table in TABLES.items() if f"{path}/".startswith(f"{folder}/")), None)


def columns_made_of(table: str, column: str, tables: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return the folders of silver, and in each the columns, that a column of a table of gold is made of."""
    known = MADE_OF.get(column)
    if known is not None:
        return {folder: columns or (column,) for folder, columns in known.items()}
    folder = DRUGS if table in ("drugs", "atc_classes") else PUBLICATIONS
    return {folder: (column,)} if column in tables[TABLES[folder]]["properties"] else {}


def _of_table(path: str, read: Sequence[tuple[str, str]], facets: Any) -> dict[str, Any]:
    """What a table and its columns mean; for gold also what each column is made of."""
    table = table_of(path)
    if table is None:
        return {}
    from drugs_rs import describe_tables

    tables = json.loads(describe_tables(format="json"))["$defs"]
    described = tables[table]
    schema = facets.schema_dataset
    made = {
        "documentation": facets.documentation_dataset.DocumentationDatasetFacet(description=described["description"]),
        "schema": schema.SchemaDatasetFacet(
            fields=[
                schema.SchemaDatasetFacetFields(name=name, type=_type(its["type"]), description=its["description"])
                for name, its in described["properties"].items()
            ]
        ),
    }
    if path.startswith("gold/"):
        columns = facets.column_lineage_dataset
        fields = {}
        for column in described["properties"]:
            sources = [
                columns.InputField(namespace=namespace, name=name, field=field)
                for folder, names in columns_made_of(table, column, tables).items()
                for namespace, name in read
                if f"/{folder}/" in f"/{name}/"
                for field in names
            ]
            if sources:
                fields[column] = columns.Fields(inputFields=sources)
        made["columnLineage"] = columns.ColumnLineageDatasetFacet(fields=fields)
    return made


def _type(of_json: str | list[str]) -> str:
    """The type of a column, of which JSON Schema says by a list that it may be null."""
    return of_json if isinstance(of_json, str) else next(name for name in of_json if name != "null")


def _named(uri: str) -> tuple[str, str]:
    """Split a URI as OpenLineage names datasets: the bucket or ``file``, and the path in it."""
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme == "file":
        return "file", rest if mark else uri
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key
