"""The answers of a lake, checked before they are handed out."""

from __future__ import annotations

import logging
from typing import Any

import drugs_rs
from drugs_rs.airflow.compat import AirflowException, AirflowFailException
from drugs_rs.exceptions import DrugsError, StorageError


def checked_answer(answer: str, out: str, dt: str, most: int, log: logging.Logger) -> dict[str, Any]:
    """Return one answer, cut to its first entries, after the core checked graph and answers by their digests.

    Raises:
        AirflowFailException: A file differs from what gold wrote, or the graph has not reached ``dt``.
        AirflowException: The lake could not be read; a retry may help.
    """
    try:
        answers = drugs_rs.read_answers(out)
    except DrugsError as error:
        kind = AirflowException if isinstance(error, StorageError) else AirflowFailException
        message = f"{type(error).__name__}: {error}"
        raise kind(message) from error
    if answers["as_of"] < dt:
        message = (
            f"the graph in {out} stands at {answers['as_of']} and this run is for {dt}: its gold task did not publish; "
            "clear drug_graph_gold of this run"
        )
        raise AirflowFailException(message)
    entries: dict[str, Any] = answers[answer]
    first = max(entries.values(), default=0) if answer == "top_journals" else None
    log.info("%s as of %s: %s entries, with the digests of gold's manifest", answer, answers["as_of"], len(entries))
    found: dict[str, Any] = {
        "answer": answer,
        "as_of": answers["as_of"],
        "entries": len(entries),
        "shown": {
            key: value[:most] if isinstance(value, list) else value for key, value in list(entries.items())[:most]
        },
    }
    if first is not None:
        found["first_place"] = {key: count for key, count in list(entries.items())[:most] if count == first}
    return found
