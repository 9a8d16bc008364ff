"""The settings of ``dags/drug.py``: one typed place, two moments.

Every setting is a field of :class:`Settings`, and ``docs/operations.md`` has the table. The environment variable
``DRUGS_RS_<NAME>`` of Airflow's processes gives it when the DAG file is parsed, else it is the default. What a task
needs only when it runs (``AT_RUN``) may also stand in the Airflow Variable ``drugs_rs``, one JSON object, which goes
before the environment and takes effect with the next task.

Why not Variables alone: the DAG file is parsed all day in every scheduler, and each look-up there is a query.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from drugs_rs.airflow.compat import variable

VARIABLE = "drugs_rs"
PREFIX = "DRUGS_RS_"
# What a source says where the partition of the run belongs: gs://landing/{dt}/drugs.csv
DT_PLACEHOLDER = "{dt}"
READING = ("encoding", "month_first", "on_bad_file")
MATCHING = ("boundary", "abbreviations", "abstracts", "salts", "accents", "stop_words", "extra_stop_words")
GATE = ("max_rejected_share", "max_flag_shares", "min_rows")
AT_RUN = (*READING, *MATCHING, *GATE, "isolation", "notifiers")


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message says which, where it stands and what it may be."""


def where(name: str) -> str:
    """Say where a setting is set, for messages."""
    environment = f"set {PREFIX}{name.upper()} in the environment of Airflow"
    return f"{environment}, or `{name}` in the Airflow Variable `{VARIABLE}`" if name in AT_RUN else environment


@dataclass(frozen=True)
class Settings:
    """What the DAG may be told. Hours, minutes and seconds stand in the names."""

    # Where things are. An empty one is told by the first task that needs it, so that the alert reaches somebody.
    out: str = ""
    drugs: str = ""
    clinical_trials: str = ""
    pubmed_a: str = ""
    pubmed_b: str = ""

    # How files are read and drugs are found: the arguments of the same names.
    encoding: str | None = None
    month_first: bool = False
    on_bad_file: str = "fail"
    boundary: str = "word"
    abbreviations: bool = False
    abstracts: bool = False
    salts: bool = False
    accents: str = "fold"
    stop_words: list[str] | None = None
    extra_stop_words: list[str] | None = None

    # What passes the quality gate.
    max_rejected_share: float = 0.25
    max_flag_shares: dict[str, float] = field(
        default_factory=lambda: {"bad_date": 0.5, "synthetic_id": 0.5, "removed_escapes": 0.5}
    )
    min_rows: int = 1

    # When and how it runs.
    schedule: str | None = "@daily"
    start_date: str = "2000-01-01"
    catchup: bool = False
    max_active_runs: int = 1
    pool: str = "default_pool"
    isolation: str = "process"
    retries: int = 3
    retry_delay_seconds: float = 60.0
    max_retry_delay_seconds: float = 1800.0
    execution_timeout_hours: float = 6.0
    dagrun_timeout_hours: float = 24.0
    slow_run_hours: float = 4.0

    # Waiting for sources.
    poke_interval_seconds: float = 60.0
    sensor_timeout_hours: float = 6.0
    deferrable: bool = True
    fs_conn_id: str = "fs_default"
    gcp_conn_id: str = "google_cloud_default"

    # Who is told. Beside the log: classes of notifiers with their arguments.
    owner: str = "drugs_rs"
    notifiers: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def load(cls, defaults: Mapping[str, Any] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read what the environment says, over ``defaults``, over the defaults of this class.

        Raises:
            SettingsError: A value has the wrong type or no meaning.
        """
        values = dict(defaults or {})
        for name, kind in _kinds().items():
            text = environment.get(PREFIX + name.upper())
            if text is not None:
                values[name] = _checked(name, _parsed(text, kind), kind, f"{PREFIX}{name.upper()} in the environment")
        settings = cls(**values)
        settings._check()
        return settings

    @classmethod
    def load_to_run(cls) -> Settings:
        """The same with the Airflow Variable before the environment, for a task or a callback at work.

        Raises:
            SettingsError: As ``load``, or the Variable is no JSON object or names what is not read at that moment.
        """
        settings = cls.load()
        settings = cls(**{**_fields_of(settings), **from_variable()})
        settings._check()
        return settings

    def _check(self) -> None:
        """Refuse what has the right type and no meaning."""
        choices = {
            "isolation": ("process", "subprocess"),
            "on_bad_file": ("fail", "reject"),
            "boundary": ("word", "none"),
            "accents": ("fold", "keep"),
            "encoding": (None, "utf-8", "windows-1252"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                listed = " or ".join(json.dumps(choice) for choice in allowed)
                message = f"the setting `{name}` is {getattr(self, name)!r}, expected {listed}; {where(name)}"
                raise SettingsError(message)
        for number, notifier in enumerate(self.notifiers):
            given: object = notifier  # from a JSON text, whose types nobody has looked at yet
            if not isinstance(given, dict) or not isinstance(given.get("class"), str):
                message = (
                    f"notifier {number} is {notifier!r}, expected an object with `class` and maybe `arguments`; "
                    + where("notifiers")
                )
                raise SettingsError(message)

    @property
    def matching(self) -> dict[str, Any]:
        """The arguments of gold."""
        return {name: getattr(self, name) for name in MATCHING}

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of silver."""
        return {name: getattr(self, name) for name in READING}

    @property
    def gate(self) -> dict[str, Any]:
        """The arguments of the quality gate."""
        return {name: getattr(self, name) for name in GATE}


def apply_variable(context: Mapping[str, Any], *_: object) -> None:
    """Give a task what the Airflow Variable says, just before it executes: a ``pre_execute`` of the tasks."""
    task = context["task"]
    for name, value in from_variable().items():
        if hasattr(task, name):
            setattr(task, name, value)


def from_variable() -> dict[str, Any]:
    """Read the Airflow Variable, checked."""
    text = variable(VARIABLE)
    if text is None or not text.strip():
        return {}
    place = f"the Airflow Variable `{VARIABLE}`"
    example = 'set it to an object such as {"max_rejected_share": 0.1}'
    try:
        found = json.loads(text)
    except ValueError as error:
        message = f"{place} is no JSON ({error}): {example}"
        raise SettingsError(message) from error
    if not isinstance(found, dict):
        message = f"{place} is a JSON {type(found).__name__}: {example}"
        raise SettingsError(message)
    kinds = _kinds()
    for name in found:
        if name not in kinds:
            message = f"{place} has `{name}`, which is no setting; it may have {', '.join(AT_RUN)}"
            raise SettingsError(message)
        if name not in AT_RUN:
            message = f"{place} has `{name}`, which is read when the DAG is parsed: {where(name)} instead"
            raise SettingsError(message)
    values = {name: _checked(name, value, kinds[name], place) for name, value in found.items()}
    Settings(**values)._check()  # noqa: SLF001  # of this module
    return values


def _kinds() -> dict[str, str]:
    return {each.name: str(each.type) for each in fields(Settings)}


def _fields_of(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _kinds()}


def _parsed(text: str, kind: str) -> object:
    """Read the text of an environment variable: words as they are, anything else as JSON."""
    if kind.startswith("str") and text.strip() not in ("null", ""):
        return text
    try:
        return json.loads(text) if text.strip() else None if "None" in kind else ""
    except ValueError:
        return text


def _checked(name: str, value: object, kind: str, place: str) -> Any:
    """Hold a value against the type of its field."""
    if value is None and "None" in kind:
        return None
    base = kind.split(" |")[0].split("[")[0]
    matches = {
        "str": isinstance(value, str),
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, (int, float)) and not isinstance(value, bool),
        "list": isinstance(value, list),
        "dict": isinstance(value, dict),
    }
    if not matches[base]:
        message = f"the setting `{name}` is {value!r} in {place}, expected {kind}"
        raise SettingsError(message)
    return float(value) if base == "float" and isinstance(value, int) else value
