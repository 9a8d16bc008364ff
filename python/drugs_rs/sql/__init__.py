"""SQL models: the current tables and the answers, computed in a warehouse from the tables of a loaded lake.

Each model is one ``SELECT``, written once and rendered for four dialects. Its rows equal those of the core:

>>> from drugs_rs import sql
>>> sql.names()
['exclusive_drugs', 'journal_drugs', 'mentions', 'publications', 'top_journals']
>>> sql.inputs("exclusive_drugs")
['drugs', 'mentions']
>>> print(sql.model("journal_drugs", "bigquery", schema="my-project.drugs").split("FROM ")[1].splitlines()[0])
`my-project`.`drugs`.`mentions` AS `mentions`

``publications`` needs the tables ``publications_all``, ``deleted`` and ``journal_ids`` of a lake, and the rows of
``Lake.status()`` as the table ``status``. ``mentions`` needs the table ``found``: what a matcher finds in the current
publications. Nothing here reads or runs anything; the files beside this module are the same texts with a placeholder
such as ``{status}`` for each relation.

``dbt_package()`` is the folder of a dbt package of the same models.
"""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path
from typing import Mapping, Sequence, Union

from drugs_rs.exceptions import ArgumentError

__all__ = ["DIALECTS", "dbt_package", "inputs", "model", "names"]

DIALECTS = ("bigquery", "duckdb", "postgres", "spark")

_NAMES = ("exclusive_drugs", "journal_drugs", "mentions", "publications", "top_journals")
_UNITS = ("substance", "code")
# What begins and ends an identifier in quotes.
_QUOTES = {"bigquery": "`", "duckdb": '"', "postgres": '"', "spark": "`"}
# The literal that a text compares with the unit.
_UNIT = "'{unit}'"

# A relation: parts with dots between them, or the parts, if they have dots themselves.
_Relation = Union[str, Sequence[str]]


def names() -> list[str]:
    """Return the names of the models."""
    return list(_NAMES)


def inputs(name: str) -> list[str]:
    """Return the relations that a model reads.

    Args:
        name: The name of a model.

    Raises:
        ArgumentError: There is no such model.
    """
    return sorted(set(re.findall(r"\{(\w+)\}", _text(name, "duckdb").replace(_UNIT, ""))))


def model(
    name: str,
    dialect: str,
    tables: Mapping[str, _Relation] | None = None,
    *,
    schema: _Relation | None = None,
    unit: str = "substance",
) -> str:
    """Return the ``SELECT`` of a model, without a semicolon at its end.

    Args:
        name: The name of a model.
        dialect: ``bigquery``, ``duckdb``, ``postgres`` or ``spark``.
        tables: The relation of each input that is not ``schema`` and the input's own name, such as
            ``{"status": "raw.lake_status"}``. A name whose parts have dots themselves is a sequence of its parts.
        schema: What precedes the names of the other inputs: a schema, a dataset, or a project and a dataset, such as
            ``my-project.drugs``.
        unit: What counts as one drug: ``substance`` or ``code``. It changes ``top_journals`` and ``exclusive_drugs``.

    Raises:
        ArgumentError: There is no such model, dialect, input or unit, or a relation has no name.
    """
    text = _text(name, dialect)
    _choice("unit", unit, _UNITS)
    if unit != _UNITS[0] and _UNIT not in text:
        message = f"unit: the model `{name}` counts nothing as one drug; leave `unit` out"
        raise ArgumentError(message)
    given = dict(tables or {})
    for unknown in sorted(set(given) - set(inputs(name))):
        _choice(f"input of {name}", unknown, inputs(name))
    before = () if schema is None else _parts("schema", schema)

    def relation(match: re.Match[str]) -> str:
        name_of_input = match.group(1)
        parts = _parts(name_of_input, given[name_of_input]) if name_of_input in given else (*before, name_of_input)
        return ".".join(_quoted(name_of_input, part, dialect) for part in parts)

    return re.sub(r"\{(\w+)\}", relation, text.replace(_UNIT, f"'{unit}'"))


def dbt_package() -> str:
    """Return the folder of the dbt package, for the entry ``local`` of a ``packages.yml``."""
    return str(Path(__file__).resolve().parent / "dbt")


def _text(name: str, dialect: str) -> str:
    """Read a rendered text, with its placeholders and without the blank line at its end."""
    _choice("model", name, _NAMES)
    _choice("dialect", dialect, DIALECTS)
    # importlib.resources.files is missing on 3.8, and the functions that 3.8 has warn on 3.11 and 3.12.
    content = pkgutil.get_data(__name__, f"{dialect}/{name}.sql")
    if content is None:
        message = f"the loader of {__name__} cannot read {dialect}/{name}.sql"
        raise FileNotFoundError(message)
    return content.decode("utf-8").rstrip("\n")


def _choice(what: str, given: str, known: Sequence[str]) -> None:
    """Refuse a word that is none of the known ones."""
    if given not in known:
        message = f"{what}: `{given}` is none of {', '.join(known)}"
        raise ArgumentError(message)


def _parts(name: str, relation: _Relation) -> tuple[str, ...]:
    """Take a relation apart."""
    parts = tuple(relation.split(".")) if isinstance(relation, str) else tuple(relation)
    if not parts or not all(parts):
        message = f"{name}: `{relation}` has a part without a name; expected a relation such as `schema.table`"
        raise ArgumentError(message)
    return parts


def _quoted(name: str, part: str, dialect: str) -> str:
    """Quote a part of a relation."""
    quote = _QUOTES[dialect]
    if dialect == "bigquery" and re.search(r"[`\\\n]", part):
        message = f"{name}: `{part}` cannot be a name in BigQuery, because of its backtick, backslash or line break"
        raise ArgumentError(message)
    return quote + part.replace(quote, quote * 2) + quote


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
