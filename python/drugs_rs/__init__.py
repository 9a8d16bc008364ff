r"""Which drug is mentioned where, and when: a graph from drug vocabularies, PubMed articles and clinical trials.

One call takes raw files to a *lake*, a folder of three layers: ``bronze`` keeps the bytes as they came, ``silver``
has clean tables, ``gold`` has the mentions, the graph and the answers::

    sources ─bronze→ exact copies ─silver→ drugs, publications ─gold→ mentions → drug_graph.json → answers

Two files and their graph:

>>> import pathlib, tempfile
>>> import drugs_rs
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> _ = (folder / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n")
>>> _ = (folder / "pubmed.csv").write_text(
...     "id,title,date,journal\n"
...     "1,Diphenhydramine as a sedative before MRI,25/05/2020,Journal of emergency nursing\n"
... )
>>> report = drugs_rs.run(
...     drugs=folder / "drugs.csv", pubmed=folder / "pubmed.csv", lake=folder / "lake", dt="2020-06-01"
... )
>>> report["rows_in"], report["rows_kept"], report["rows_rejected"]
(2, 2, 0)
>>> drugs_rs.read_graph(folder / "lake").top_journals()
{'Journal of emergency nursing': 1}

A title alone needs no lake:

>>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
>>> [(mention.atccode, mention.surface) for mention in matcher.find("Diphenhydramine-treated adults")]
[('A04AD', 'Diphenhydramine')]

Each name has a docstring, which ``help()`` shows:

* ``run`` runs all steps; ``bronze``, ``silver`` and ``gold`` run one.
* ``hold`` keeps a date out of gold, and ``release`` lets it in again.
* ``read_graph``, ``read_answers`` and ``DrugGraph`` are the results.
* ``Lake`` opens the tables of a lake for every reader; ``describe_tables`` says what is in them. ``LakeDiff`` is what
  changed between two states of a lake, ``PairEvidence`` what says that a publication mentions a drug.
* ``read_publications``, ``iter_publications`` and ``read_drugs`` read sources as tables, without a lake.
* ``list_sources`` lists the files that a source names; ``fetch`` downloads what NLM publishes; ``generate`` writes
  made-up sources.
* ``Matcher``, ``Mention`` and ``Table`` find drugs in any text.
* ``drugs_rs.exceptions`` has everything that these raise.

Importing this package is cheap on purpose, because Airflow does it in every scheduler loop: names are looked up when
first used, and only then the native module is loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from drugs_rs import exceptions

if TYPE_CHECKING:
    from drugs_rs._core import (
        CleanTable,
        DrugGraph,
        Lake,
        LakeDiff,
        Matcher,
        Mention,
        MentionColumn,
        PairEvidence,
        PublicationBatches,
        Table,
        TableScan,
        __version__,
        bronze,
        describe_tables,
        fetch,
        generate,
        gold,
        hold,
        iter_publications,
        list_sources,
        read_answers,
        read_drugs,
        read_graph,
        read_publications,
        release,
        run,
        silver,
    )

__all__ = [
    "CleanTable",
    "DrugGraph",
    "Lake",
    "LakeDiff",
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
    "exceptions",
    "fetch",
    "generate",
    "gold",
    "hold",
    "iter_publications",
    "list_sources",
    "read_answers",
    "read_drugs",
    "read_graph",
    "read_publications",
    "release",
    "run",
    "silver",
]


if not TYPE_CHECKING:  # a type checker that sees this function believes that every name exists

    def __getattr__(name: str) -> object:
        """Load the native module when one of its names is first used (PEP 562)."""
        if name not in __all__:
            message = f"module 'drugs_rs' has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module("drugs_rs._core"), name)
        globals()[name] = value  # later look-ups do not reach this function
        return value


def __dir__() -> list[str]:
    """List what is public, loaded or not, for tab completion: no module that this one imports."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
