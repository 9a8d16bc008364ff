"""The settings of ``dags/drug.py``: one typed place, three sources.

Every setting is a field of :class:`Settings`. Its value comes from the Airflow Variable ``drugs_rs`` (one JSON object),
else from the environment variable ``DRUGS_RS_<NAME>``, else it is the default. ``docs/operations.md`` has the table.

One Variable and not one a setting: the DAG file is parsed all day, and each parse costs one look-up.
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


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message says which, where it stands and what it may be."""


def where(name: str) -> str:
    """Say where a setting is set, for messages."""
    return f"set `{name}` in the Airflow Variable `{VARIABLE}` (a JSON object), or {PREFIX}{name.upper()} in the environment"


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
    start_date: str = "2024-01-01"
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
    def load(cls, defaults: Mapping[str, Any] | None = None) -> Settings:
        """Read the settings: Variable, environment, ``defaults``, the defaults of this class.

        Raises:
            SettingsError: The Variable is no JSON object, names a setting that does not exist, or a value has the
                wrong type.
        """
        return cls.of(_variable(), os.environ, defaults or {})

    @classmethod
    def of(
        cls, given: Mapping[str, Any], environment: Mapping[str, str], defaults: Mapping[str, Any] | None = None
    ) -> Settings:
        """Make settings of the object in the Variable and of an environment."""
        known = {each.name: str(each.type) for each in fields(cls)}
        strange = sorted(set(given) - set(known))
        if strange:
            message = (
                f"the Airflow Variable `{VARIABLE}` has {', '.join(strange)}, which is no setting; "
                f"the settings are {', '.join(known)}"
            )
            raise SettingsError(message)
        values = dict(defaults or {})
        for name, kind in known.items():
            if name in given:
                values[name] = _checked(name, given[name], kind, f"the Airflow Variable `{VARIABLE}`")
            elif PREFIX + name.upper() in environment:
                place = f"{PREFIX}{name.upper()} in the environment"
                values[name] = _checked(name, _parsed(environment[PREFIX + name.upper()], kind), kind, place)
        settings = cls(**values)
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
            if not isinstance(notifier, dict) or not isinstance(notifier.get("class"), str):
                message = (
                    f"notifier {number} is {notifier!r}, expected an object with `class` and maybe `arguments`; "
                    + where("notifiers")
                )
                raise SettingsError(message)

    @property
    def matching(self) -> dict[str, Any]:
        """The arguments of gold."""
        names = ("boundary", "abbreviations", "abstracts", "salts", "accents", "stop_words", "extra_stop_words")
        return {name: getattr(self, name) for name in names}

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of silver."""
        return {name: getattr(self, name) for name in ("encoding", "month_first", "on_bad_file")}


def _variable() -> Mapping[str, Any]:
    text = variable(VARIABLE)
    if text is None or not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        message = f"the Airflow Variable `{VARIABLE}` is no JSON ({error}): set it to an object such as " + _EXAMPLE
        raise SettingsError(message) from error
    if not isinstance(found, dict):
        message = f"the Airflow Variable `{VARIABLE}` is a JSON {type(found).__name__}: set it to an object such as {_EXAMPLE}"
        raise SettingsError(message)
    return found


_EXAMPLE = '{"out": "gs://bucket/lake", "drugs": "gs://landing/{dt}/drugs.csv"}'


def _parsed(text: str, kind: str) -> object:
    """Read the text of an environment variable: words as they are, anything else as JSON."""
    if kind.startswith("str") and text.strip() not in ("null", ""):
        return text
    try:
        return json.loads(text) if text.strip() else None if "None" in kind else ""
    except ValueError:
        return text


def _checked(name: str, value: object, kind: str, place: str) -> object:
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
