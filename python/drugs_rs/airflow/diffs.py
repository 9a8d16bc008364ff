"""An operator behind gold that compares the new state of a lake with the one before, and stops a loss."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from drugs_rs.airflow.compat import AirflowException, AirflowFailException, BaseOperator
from drugs_rs.airflow.operators import rendered
from drugs_rs.airflow.partition import PARTITION_OF_TASK, partition_of
from drugs_rs.airflow.settings import check_choice, check_options, option
from drugs_rs.airflow.steps import Step
from drugs_rs.airflow.task_events import logged, numbers_of

__all__ = ["LakeDiffOperator"]

_GREY = "#dce6f2"
# Rows of long lists that are returned.
_MOST = 20


class LossRefusedError(AirflowFailException):
    """Too many pairs were lost. Not retried: the same states give the same numbers."""

    incident = "unexplained_loss"

    def __init__(self, message: str, numbers: Mapping[str, float]) -> None:
        super().__init__(message)
        self.numbers = numbers


class LakeDiffOperator(BaseOperator):
    """Compares two states of a lake and fails, warns or holds the day if too many pairs were lost.

    It works behind gold, so the tables have the loss already. With ``on_loss="hold"`` the day is held, with the message
    as its reason, before the task fails: the next gold leaves the day out, and the answers are those of before again.

    Args:
        lake: The lake's root, a folder or a URI.
        max_lost: The largest share of the pairs of the earlier state that may be lost, such as ``"0.5%"``.
        on_loss: ``"fail"``, ``"warn"`` or ``"hold"``.
        from_state: The earlier state, by its number or a date; by default the one before ``to_state``.
        to_state: The later state; by default the newest.
        dt: The day that ``"hold"`` holds, ``YYYY-MM-DD``; by default that of the run.
        isolation: ``"process"`` compares in the task's own process, ``"subprocess"`` in a child of it.
    """

    template_fields: Sequence[str] = ("lake", "max_lost", "from_state", "to_state", "dt", "isolation")
    partition_of = staticmethod(partition_of)
    ui_color = _GREY
    step = "diff"

    def __init__(
        self,
        *,
        lake: str,
        max_lost: str = "0.5%",
        on_loss: str = "fail",
        from_state: int | str | None = None,
        to_state: int | str | None = None,
        dt: str = PARTITION_OF_TASK,
        isolation: str = "process",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lake = lake
        self.max_lost = max_lost
        self.on_loss = on_loss
        self.from_state = from_state
        self.to_state = to_state
        self.dt = dt
        self.isolation = isolation
        self._step: Step | None = None
        check_choice(self, "on_loss", ("fail", "warn", "hold"))
        check_options(self, ["isolation"])

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Compare, judge, and return the counts, with long lists cut."""
        states = {"a": _state(self.from_state), "b": _state(self.to_state)}
        found = self._run(
            "ledger.diff", {"lake": rendered(self, "lake"), "max_lost": rendered(self, "max_lost"), **states}
        )
        if "causes" not in found:
            self.log.info("state %s is the only one: there is nothing to compare it with", found["state"])
            return found
        for line in found.pop("text").splitlines():
            self.log.info("%s", line)
        refusal = found["refusal"]
        if refusal is not None:
            self._refuse(refusal, numbers_of(found))
        return {name: value[:_MOST] if isinstance(value, list) else value for name, value in found.items()}

    def on_kill(self) -> None:
        """Stop; a comparison changes nothing."""
        if self._step is not None:
            self._step.stop()

    def _refuse(self, refusal: str, numbers: Mapping[str, float]) -> None:
        if self.on_loss == "warn":
            self.log.warning("%s", refusal)
            return
        if self.on_loss == "hold":
            dt = rendered(self, "dt")
            try:
                self._run("hold", {"lake": rendered(self, "lake"), "dt": dt, "reason": refusal})
            except AirflowException as error:
                # Retried if that may help: such a day must not stay unheld.
                message = f"{refusal}; and dt={dt} could NOT be held back: {error}"
                raise type(error)(message) from error
            refusal = f"{refusal}; dt={dt} is held: run gold to take it out of the tables"
        raise LossRefusedError(refusal, numbers)

    def _run(self, step: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
        self._step = Step(step, keywords, option(self.task_id, "isolation", self.isolation), self.log)
        return self._step.run()


def _state(value: int | str | None) -> int | str | None:
    """Return a state that a template may have rendered: a number, a date, or nothing."""
    if value in (None, "", "None"):
        return None
    return int(value) if str(value).isdigit() else value
