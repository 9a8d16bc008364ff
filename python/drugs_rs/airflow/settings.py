"""The settings of ``dags/drug.py``, with their types and their places.

Every setting is a field of :class:`Settings`, and ``docs/operations.md`` has the table. A setting comes from these
places; the last one wins:

1. its default;
2. the environment variable ``DRUGS_RS_<NAME>`` of Airflow's processes, read when the DAG file is parsed;
3. the Airflow Variable ``drugs_rs``, one JSON object, for what a task needs only when it runs (``AT_RUN``); it takes
   effect with the next task;
4. the ``conf`` of a run, for the options of the steps (``OPTIONS``). They are not declared as parameters, because each
   would cost time at every parse.

Tasks get the settings of ``AT_RUN`` as templates, so that Airflow shows what a task used. Variables alone would not do:
the DAG file is parsed all day in every scheduler, and each look-up there is a query.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import re
import warnings
from dataclasses import dataclass, field, fields
from typing import Any, Iterable, Mapping, Sequence

from drugs_rs.airflow.compat import AirflowFailException, variable

VARIABLE = "drugs_rs"
PREFIX = "DRUGS_RS_"
# Placeholder for the run's partition in a source: gs://landing/{dt}/drugs.csv
DT_PLACEHOLDER = "{dt}"
READING = ("encoding", "month_first", "on_bad_file", "expect_rows", "contract")
MATCHING = (
    "boundary",
    "abbreviations",
    "fields",
    "abstracts",
    "exclude_status",
    "salts",
    "accents",
    "stop_words",
    "extra_stop_words",
)
COUNTING = ("unit", "max_exclusive", "graph", "keep")
GATE = ("max_rejected_share", "max_flag_shares", "min_rows", "hold_on_warning")
OPTIONS = (*READING, *MATCHING, *COUNTING, *GATE, "isolation")
AT_RUN = (*OPTIONS, "notifiers")
# The allowed values of some options; `tests/composer/test_settings.py` checks that the core agrees.
CHOICES: dict[str, tuple[str | None, ...]] = {
    "isolation": ("process", "subprocess"),
    "on_bad_file": ("fail", "reject"),
    "boundary": ("word", "none"),
    "accents": ("fold", "keep"),
    "unit": ("substance", "code"),
    "graph": ("json", "none"),
    "encoding": (None, "utf-8", "windows-1252"),
}
# The same for each value of a list.
LIST_CHOICES = {
    "fields": ("title", "abstract", "interventions", "substances"),
    "exclude_status": ("retracted", "retraction_notice", "expression_of_concern", "corrected"),
}
# What the text of an option looks like, and how a message describes it.
PATTERNS = {
    "expect_rows": (r"[0-9]{1,6}(\.[0-9]{1,3})?%", 'a share such as "50%"'),
    "keep": (r"[0-9]{1,6} (days|states)", 'a time such as "30 days" or "10 states"'),
}
# Variables with this prefix that are not settings: the log of the command, and options that the DAG does not have.
_NO_SETTINGS = ("LOG", "MAX_RATIO", "VOCABULARY", "STOP_WORDS_FILE", "EXTRA_STOP_WORDS_FILE")


class SettingsError(AirflowFailException, ValueError):
    """A setting has an unusable value; the message has its name, its place and the allowed values."""


def where(name: str) -> str:
    """Return where a setting is set, for messages."""
    environment = f"set {PREFIX}{name.upper()} in the environment of Airflow"
    return f"{environment}, or `{name}` in the Airflow Variable `{VARIABLE}`" if name in AT_RUN else environment


@dataclass(frozen=True)
class Settings:
    """All settings of the DAG. The names include the unit: hours, minutes, seconds."""

    # Places. The first task that needs an empty one fails, so that the alert reaches somebody.
    out: str = ""
    drugs: str = ""
    clinical_trials: str = ""
    pubmed_a: str = ""
    pubmed_b: str = ""
    # In a clone: the sample files for sources that are not set.
    samples: bool = False

    # How files are read and drugs are found: the arguments of silver and gold with these names.
    encoding: str | None = None
    month_first: bool = False
    on_bad_file: str = "fail"
    expect_rows: str | None = None
    contract: str | None = None
    boundary: str = "word"
    abbreviations: bool = False
    fields: list[str] | None = None
    abstracts: bool = False
    exclude_status: list[str] | None = None
    salts: bool = False
    accents: str = "fold"
    stop_words: list[str] | None = None
    extra_stop_words: list[str] | None = None
    # What the answers count, and how much they list.
    unit: str = "substance"
    max_exclusive: int = 1_000_000
    # Whether gold writes drug_graph.json.
    graph: str = "json"
    # How long earlier states of the tables can be read.
    keep: str = "30 days"

    # Limits of the quality gate.
    max_rejected_share: float = 0.25
    max_flag_shares: dict[str, float] = field(
        default_factory=lambda: {"bad_date": 0.5, "synthetic_id": 0.5, "removed_escapes": 0.5}
    )
    min_rows: int = 1
    # Whether a broken rule of the contract with severity `warning` holds the day too.
    hold_on_warning: bool = False

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

    # Alerts, in addition to the log: classes of notifiers with their arguments.
    owner: str = "drugs_rs"
    notifiers: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def load(cls, defaults: Mapping[str, Any] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment, which overrides ``defaults``, which override the defaults of this class.

        A variable with the prefix that is not a setting raises a warning, because it is likely a typing error.

        Raises:
            SettingsError: A value has the wrong type or no meaning.
        """
        values = dict(defaults or {})
        kinds = _kinds()
        known = {PREFIX + name.upper() for name in (*kinds, *_NO_SETTINGS)}
        for unknown in sorted(name for name in environment if name.startswith(PREFIX) and name not in known):
            close = "".join(f"; did you mean {name}?" for name in difflib.get_close_matches(unknown, known, 1))
            warnings.warn(f"{unknown} in the environment is no setting and has no effect{close}", stacklevel=2)
        for name, kind in kinds.items():
            text = environment.get(PREFIX + name.upper())
            if text is not None:
                values[name] = _checked(
                    name, _parsed(name, text, kind), kind, f"{PREFIX}{name.upper()} in the environment"
                )
        settings = cls(**values)
        settings._check()
        return settings

    @classmethod
    def load_to_run(cls) -> Settings:
        """Like :meth:`load`, but the Airflow Variable overrides the environment: for a running task or callback.

        Raises:
            SettingsError: As ``load``, or the Variable is not a JSON object or has a setting that is read at parse
                time.
        """
        settings = cls.load()
        settings = cls(**{**_fields_of(settings), **from_variable()})
        settings._check()
        return settings

    def _check(self) -> None:
        """Reject values with the right type and without a meaning."""
        for name in (*CHOICES, *LIST_CHOICES, *PATTERNS):
            _choose(name, getattr(self, name), f"the setting `{name}`", f"; {where(name)}")
        for number, notifier in enumerate(self.notifiers):
            given: object = notifier  # from a JSON text with unchecked types
            if not isinstance(given, dict) or not isinstance(given.get("class"), str):
                message = (
                    f"notifier {number} is {notifier!r}, expected an object with `class` and maybe `arguments`; "
                    + where("notifiers")
                )
                raise SettingsError(message)

    def effective(self, name: str, params: Mapping[str, Any], ti: object = None) -> str:
        """Return an option as a task uses it, as text for its template: a macro of the DAG.

        The parameter of the run overrides the Airflow Variable, which overrides these settings.
        """
        value = params.get(name)
        if value is None:
            value = _variable_of(ti).get(name, getattr(self, name))
        return value if isinstance(value, str) else json.dumps(value)

    @property
    def matching(self) -> dict[str, Any]:
        """The arguments of gold."""
        return {name: getattr(self, name) for name in (*MATCHING, *COUNTING)}

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of silver."""
        return {name: getattr(self, name) for name in READING}

    @property
    def gate(self) -> dict[str, Any]:
        """The arguments of the quality gate."""
        return {name: getattr(self, name) for name in GATE}


def templates(names: Iterable[str]) -> dict[str, Any]:
    """Return options as templates, for a DAG whose macro ``drugs_rs_setting`` is ``Settings.effective``."""
    return {name: f"{{{{ drugs_rs_setting({name!r}, params, ti) }}}}" for name in names}


def option(task_id: str, name: str, value: Any) -> Any:
    """Return an option of a task, checked; the text of a rendered template is parsed to the option's type.

    Raises:
        SettingsError: It has the wrong type or no meaning.
    """
    kind = _kinds()[name]
    place = f"the task {task_id}"
    value = list(value) if isinstance(value, tuple) else value
    found = _checked(name, _parsed(name, value, kind) if isinstance(value, str) else value, kind, place)
    return _choose(name, found, f"`{name}` of {place}")


def check_options(task: Any, names: Iterable[str]) -> None:
    """Reject unusable options when a DAG is parsed; templates are checked when the task runs."""
    for name in names:
        value = getattr(task, name)
        if not _is_templated(value):
            option(task.task_id, name, value)


def check_choice(task: Any, name: str, allowed: Sequence[str]) -> None:
    """Reject, when a DAG is parsed, an argument that is not one of the allowed words."""
    value = getattr(task, name)
    if value not in allowed and not _is_templated(value):
        message = f"`{name}` of the task {task.task_id} is {value!r}, expected {' or '.join(map(json.dumps, allowed))}"
        raise SettingsError(message)


def _is_templated(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_is_templated(one) for one in value)
    return (isinstance(value, str) and "{{" in value) or hasattr(value, "resolve")


def apply_variable(context: Mapping[str, Any], *_: object) -> None:
    """Apply the Airflow Variable to a task just before it executes; deprecated in favour of :func:`templates`."""
    warnings.warn("apply_variable is deprecated: take dags/drug.py of this version", DeprecationWarning, stacklevel=2)
    task = context["task"]
    for name, value in from_variable().items():
        if hasattr(task, name):
            setattr(task, name, value)


def from_variable() -> dict[str, Any]:
    """Read and check the Airflow Variable."""
    found = variable(VARIABLE)
    if found is None or (isinstance(found, (str, bytes)) and not found.strip()):
        return {}
    place = f"the Airflow Variable `{VARIABLE}`"
    example = 'set it to an object such as {"max_rejected_share": 0.1}'
    if isinstance(found, (str, bytes)):  # some secrets backends parse the JSON themselves
        try:
            found = json.loads(found)
        except ValueError as error:
            message = f"{place} is no JSON ({error}): {example}"
            raise SettingsError(message) from error
    if not isinstance(found, Mapping):
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


# The last task instance for which the Variable was read: one query for all options of a task.
_read: tuple[object, dict[str, Any]] = (None, {})


def _variable_of(ti: object) -> dict[str, Any]:
    global _read  # a process runs one task at a time
    if ti is None or _read[0] is not ti:
        _read = (ti, from_variable())
    return _read[1]


def _choose(name: str, value: Any, what: str, remedy: str = "") -> Any:
    """Return a value after checking it against the choices of its setting, if there are any."""
    allowed = CHOICES.get(name)
    known = value.lower() if name == "encoding" and isinstance(value, str) else value  # like the core
    if allowed is not None and known not in allowed:
        listed = " or ".join(json.dumps(choice) for choice in allowed)
        message = f"{what} is {value!r}, expected {listed}{remedy}"
        raise SettingsError(message)
    if name == "fields" and value == []:
        message = f"{what} is [], expected at least one field, such as title{remedy}"
        raise SettingsError(message)
    for one in value or () if name in LIST_CHOICES else ():
        if one not in LIST_CHOICES[name]:
            listed = " or ".join(map(json.dumps, LIST_CHOICES[name]))
            message = f"{what} has {one!r}, expected a list of {listed}{remedy}"
            raise SettingsError(message)
    pattern, described = PATTERNS.get(name, (None, ""))
    if pattern is not None and value is not None and not re.fullmatch(pattern, value):
        message = f"{what} is {value!r}, expected {described}{remedy}"
        raise SettingsError(message)
    return value


def _kinds() -> dict[str, str]:
    return {each.name: str(each.type) for each in fields(Settings)}


def _fields_of(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _kinds()}


def _parsed(name: str, text: str, kind: str) -> object:
    """Parse the text of a variable or a rendered template: texts as they are, other types as JSON or Python.

    A list of known words may also have commas between them, as the command takes it.
    """
    if text.strip() in ("null", "None", ""):
        return None if "None" in kind else text.strip()
    if kind.startswith("str"):
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text.strip())
        except (ValueError, SyntaxError):
            continue
    return [word.strip() for word in text.split(",")] if name in LIST_CHOICES else text


def _checked(name: str, value: object, kind: str, place: str) -> Any:
    """Check a value against the type of its field."""
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
    negative = base in ("int", "float") and isinstance(value, (int, float)) and value < 0
    if not matches[base] or negative:
        message = f"the setting `{name}` is {value!r} in {place}, expected {kind}{', 0 or more' if negative else ''}"
        raise SettingsError(message)
    return float(value) if base == "float" and isinstance(value, int) else value
