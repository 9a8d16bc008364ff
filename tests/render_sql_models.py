"""Render the SQL models in the dialects of the warehouses: `render_sql_models.py [FOLDER]`.

The sources are `python/drugs_rs/sql/models/*.sql`, in DuckDB's dialect; the results go to a folder for each dialect
beside them, or in FOLDER. `make sql-models` runs this. sqlglot translates, and this adds what it cannot know:

- Every input becomes a placeholder, `{publications}`, which `drugs_rs.sql.model` fills in.
- Texts are ordered by bytes: in PostgreSQL by the collation "C"; BigQuery and Spark do so by themselves.
- What is ordered is never null, so no dialect needs `NULLS LAST`.
- BigQuery's recursion takes no window functions, and Spark 3.5 has no recursion: there a recursive table becomes
  a chain of rounds. If the last round still changes something, the query fails: it is never wrong.
"""

from __future__ import annotations

import re
import sys
from itertools import takewhile
from pathlib import Path

import sqlglot
from sqlglot import exp

SOURCES = Path(__file__).resolve().parent.parent / "python" / "drugs_rs" / "sql" / "models"
DIALECTS = ("bigquery", "duckdb", "postgres", "spark")
NOTE = "-- Rendered by `make sql-models` from models/{name}.sql, which has the reasons: change that file."

# The dialects without a recursion for the models, and their functions that raise an error.
FAILURES = {"bigquery": "ERROR", "spark": "RAISE_ERROR"}
ROUNDS = 6


def render(name: str, source: str, dialect: str) -> str:
    """Render the source of a model in a dialect."""
    head = takewhile(lambda line: line.startswith("--"), source.split("\n"))
    query = sqlglot.parse_one(source, read="duckdb")
    place_inputs(query)
    if dialect in FAILURES:
        unroll(query, name, dialect)
    query = query.transform(lambda node: adapt(node, dialect))
    text = query.sql(
        dialect,
        pretty=True,
        identify=True,
        comments=False,
        max_text_width=100,
        unsupported_level=sqlglot.ErrorLevel.RAISE,
    )
    text = re.sub(r"[`\"](\{\w+\})[`\"]", r"\1", text)
    return "\n".join([*head, NOTE.format(name=name), text, ""])


def place_inputs(query: exp.Expr) -> None:
    """Put a placeholder in the place of each input, under the name of the input."""
    known = {table.alias for table in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if table.name not in known:
            placeholder = exp.to_table(f'"{{{table.name}}}"')
            table.replace(exp.alias_(placeholder, table.alias or table.name, table=True))


def unroll(query: exp.Expr, name: str, dialect: str) -> None:
    """Put rounds in the place of each recursive table, whose last columns are its state and whether that changed.

    The `WHERE` of the recursive term ends the recursion and does nothing else, so rounds have none.
    """
    tables = query.args.get("with_")
    if tables is None or not tables.args.get("recursive"):
        return
    unrolled: list[exp.CTE] = []
    for table in tables.expressions:
        union, recursive = table.this, table.alias
        if not any(inner.name == recursive for inner in union.find_all(exp.Table)):
            unrolled.append(table)
            continue
        *others, state, is_changed = (column.alias_or_name for column in union.this.selects)
        unrolled.append(named_table(f"{recursive}_0", union.this))
        for number in range(ROUNDS):
            term = union.expression.copy()
            (before,) = (inner for inner in term.find_all(exp.Table) if inner.name == recursive)
            before.parent_select.set("where", None)
            before.replace(exp.to_table(f"{recursive}_{number}"))
            unrolled.append(named_table(f"{recursive}_{number + 1}", term))
        message = f"{name}: {recursive} still changes after {ROUNDS} rounds, and {dialect} does no more of them"
        failure = exp.func(FAILURES[dialect], exp.Literal.string(message))
        last = exp.Case().when(exp.column(is_changed), failure).else_(exp.column(state))
        unrolled.append(named_table(recursive, exp.select(*others, last.as_(state)).from_(f"{recursive}_{ROUNDS}")))
    tables.set("recursive", False)
    tables.set("expressions", unrolled)


def named_table(name: str, query: exp.Expr) -> exp.CTE:
    """Build a table of a `WITH`."""
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name)))


def adapt(node: exp.Expr, dialect: str) -> exp.Expr:
    """Change what means or is called something else in a dialect."""
    if isinstance(node, exp.Collate) and dialect in ("bigquery", "spark"):
        return adapt(node.this, dialect)
    if isinstance(node, exp.Ordered):
        is_descending = bool(node.args.get("desc"))
        # Where the dialect puts nulls by itself, so that nothing is written for them.
        by_itself = {"duckdb": False, "postgres": is_descending}
        node.set("nulls_first", by_itself.get(dialect, not is_descending))
    if isinstance(node, exp.Split) and dialect == "postgres":
        return exp.func("STRING_TO_ARRAY", node.this, node.expression)
    if isinstance(node, exp.GroupConcat) and dialect == "spark":
        return list_of_sorted(node)
    return node


def list_of_sorted(node: exp.GroupConcat) -> exp.Expr:
    """Build a `STRING_AGG` in the order of its own values for Spark, which has one since version 4 alone."""
    (order,) = node.this.expressions
    value = order.this.this if isinstance(order.this, exp.Collate) else order.this
    if value != node.this.this or order.args.get("desc"):
        message = f"Spark cannot list in another order than that of the values: {node.sql('duckdb')}"
        raise ValueError(message)
    in_order = exp.func("ARRAY_SORT", exp.func("COLLECT_LIST", value))
    return exp.func("ARRAY_JOIN", in_order, node.args["separator"])


def render_all() -> dict[str, str]:
    """Render every model in every dialect: path in the folder → text."""
    return {
        f"{dialect}/{path.name}": render(path.stem, path.read_text(encoding="utf-8"), dialect)
        for path in sorted(SOURCES.glob("*.sql"))
        for dialect in DIALECTS
    }


def main(folder: Path) -> None:
    """Write every model."""
    for place, text in render_all().items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCES.parent)
