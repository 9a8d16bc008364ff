"""What changed in a lake and how far it is, as plain dictionaries: for ``LakeDiffOperator``, ``LakeWatchOperator``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import drugs_rs

if TYPE_CHECKING:
    import os

__all__ = ["diff", "standing"]


def diff(
    lake: str | os.PathLike[str], *, a: int | str | None = None, b: int | str | None = None, max_lost: str | None = None
) -> dict[str, Any]:
    """Compare two states of a lake, and judge what was lost.

    Args:
        lake: The lake, its folder or its URI.
        a: The earlier state; by default the one before ``b``.
        b: The later state; by default the newest.
        max_lost: The largest share of lost pairs that passes, such as ``"0.5%"``; ``None`` lets everything pass.

    Returns:
        ``LakeDiff.to_dict()`` with ``text`` (for people), ``lost_share`` (0 to 1) and ``refusal``: why the loss does
        not pass, or ``None``. A lake with one state has only ``state`` and no ``refusal``: there is nothing to compare.

    Raises:
        DrugsError: As ``Lake.diff``.
    """
    opened = drugs_rs.Lake(lake)
    if a is None and b is None:
        states = opened.states()["state"]
        if len(states) == 1:
            return {"state": states[0], "refusal": None}
    found = opened.diff(a, b)
    refusal = None
    if max_lost is not None:
        try:
            found.check(max_lost)
        except drugs_rs.exceptions.LossError as error:
            refusal = str(error)
    return {**found.to_dict(), "text": found.to_text(), "lost_share": found.lost_share, "refusal": refusal}


def standing(lake: str | os.PathLike[str], *, contract: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Return how far gold of a lake is, and the days that are held.

    Args:
        lake: The lake, its folder or its URI.
        contract: A data contract whose objectives are measured; ``None`` for none.

    Returns:
        ``as_of``, the date that gold has reached, or ``None``; ``held``, the held dates in order; and with
        a contract ``objectives``, as ``Lake.objectives`` returns them.

    Raises:
        DrugsError: As ``Lake.status`` and ``Lake.objectives``.
    """
    opened = drugs_rs.Lake(lake)
    rows = opened.status().to_dicts()
    reached = [row["as_of"] for row in rows if row["as_of"] is not None]
    found: dict[str, Any] = {
        "as_of": str(max(reached)) if reached else None,
        "held": sorted({str(row["dt"]) for row in rows if row["held"]}),
    }
    return found if contract is None else {**found, "objectives": opened.objectives(contract)}


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
