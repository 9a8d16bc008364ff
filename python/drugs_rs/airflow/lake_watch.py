"""An operator that looks at a lake from outside of its pipeline: is gold stale, does a held day wait.

It belongs into a DAG of its own (``examples/airflow/drug_watch.py``): a task of the pipeline does not run while that is
paused, and gold becomes stale just then.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from drugs_rs.airflow.compat import BaseOperator
from drugs_rs.airflow.operators import rendered
from drugs_rs.airflow.settings import check_options, option
from drugs_rs.airflow.steps import Step
from drugs_rs.airflow.task_events import age_in_days, days_since, emit, logged

__all__ = ["LakeWatchOperator"]

_GREY = "#dce6f2"


class LakeWatchOperator(BaseOperator):
    """Logs a line with the incident ``stale_gold`` if gold is too old, and ``held_day`` for each day held too long.

    With a data contract it also logs a line with ``missed_objective`` for each objective that the lake misses; the age
    of gold has its own line.

    The task succeeds all the same: the alert policies in ``monitoring/alerts`` find the lines. A date that lies more
    days in the future than it may be old counts as well: with a mistyped day, such as 2204-03-01, gold would look
    fresh for ever.

    Args:
        lake: The lake's root, a folder or a URI.
        max_gold_age_days: The most days between today (UTC) and the date that gold has reached.
        max_held_days: The most days between today and the date of a held day.
        contract: ``"default"``, or the file or URI of a data contract whose objectives are measured; ``None`` for none.
        isolation: ``"process"`` reads in the task's own process, ``"subprocess"`` in a child of it.
    """

    template_fields: Sequence[str] = ("lake", "contract", "isolation")
    ui_color = _GREY
    step = "watch"

    def __init__(
        self,
        *,
        lake: str,
        max_gold_age_days: int = 2,
        max_held_days: int = 2,
        contract: str | None = None,
        isolation: str = "process",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lake = lake
        self.max_gold_age_days = max_gold_age_days
        self.max_held_days = max_held_days
        self.contract = contract
        self.isolation = isolation
        self._step: Step | None = None
        check_options(self, ["isolation"])

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Look once, and return the date of gold, its age, and the held days."""
        keywords = {"lake": rendered(self, "lake"), "contract": self.contract}
        self._step = Step("ledger.standing", keywords, option(self.task_id, "isolation", self.isolation), self.log)
        found = self._step.run()
        held: list[str] = found["held"]
        numbers = {"held_days": len(held)}
        if found["as_of"] is not None:
            numbers["gold_age_days"] = age_in_days(found["as_of"])
        # A lake that has no gold is as stale as it can be.
        if found["as_of"] is None or abs(days_since(found["as_of"])) > self.max_gold_age_days:
            ahead = {} if found["as_of"] is None else {"gold_ahead_days": max(0, -days_since(found["as_of"]))}
            emit(self, context, "finding", incident="stale_gold", dt=found["as_of"], numbers={**numbers, **ahead})
        for dt in held:
            if abs(days_since(dt)) > self.max_held_days:
                emit(self, context, "finding", incident="held_day", dt=dt, numbers={"held_age_days": age_in_days(dt)})
        for result in found.get("objectives", ()):
            if not result["passed"] and result["objective"] != "freshness":
                name = "_".join(filter(None, [result["objective"], result["table"]]))
                measured = {name: result["measured"]}
                emit(self, context, "finding", incident="missed_objective", dt=result["dt"], numbers=measured)
        return {**found, **numbers}

    def on_kill(self) -> None:
        """Stop; looking changes nothing."""
        if self._step is not None:
            self._step.stop()
