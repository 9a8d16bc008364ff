"""A step that runs in a container elsewhere, with the arguments and the report of the operator that it replaces.

Three tasks take the place of one. ``SilverArguments`` makes the arguments of the command ``drugs-rs``; an operator of
Cloud Run or Kubernetes runs the container with them; ``SilverReport`` reads the report that the step has written into
the lake. It returns, logs and announces what ``SilverOperator`` would, so the quality gate, the events of assets, the
link and the lineage work as on the worker. Bronze and gold have the same two. ``examples/airflow/drug_heavy.py`` puts
them together; ``docs/heavy-steps.md`` explains them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Sequence

from drugs_rs.airflow.compat import AirflowException, AirflowFailException, provider_class
from drugs_rs.airflow.links import report_uri
from drugs_rs.airflow.operators import BronzeOperator, GoldOperator, SilverOperator, StepOperator
from drugs_rs.airflow.settings import SettingsError

__all__ = [
    "BronzeArguments",
    "BronzeReport",
    "GoldArguments",
    "GoldReport",
    "SilverArguments",
    "SilverReport",
    "command_arguments",
]

# The XCom of the arguments task that says which report the lake had before the step.
BEFORE = "before"
# Keywords of the functions that the command spells in another way.
_FLAGS = {"tables": "table"}
# Lists that are one option; other lists repeat theirs.
_JOINED = ("fields", "exclude_status")
# Lists that the command reads from a file.
_FROM_FILES = ("stop_words", "extra_stop_words")


def command_arguments(step: str, keywords: Mapping[str, Any]) -> list[str]:
    """Return the arguments of ``drugs-rs`` that do what the function ``step`` does with these keywords.

    Raises:
        SettingsError: There is a list of words, which the command reads only from a file, or a list that the command
            would split in another way.
    """
    found = [step]
    for name, value in keywords.items():
        flag = "--" + _FLAGS.get(name, name).replace("_", "-")
        if name in _FROM_FILES and value is not None:
            found += _of_words(name, value)
        elif name in _JOINED and value:
            if any("," in one for one in value):
                message = f"the setting `{name}` is {value!r}: an entry must not have a comma"
                raise SettingsError(message)
            found.append(f"{flag}={','.join(value)}")
        elif value is True:
            found.append(flag)
        elif isinstance(value, (list, tuple)):
            found += [f"{flag}={one}" for one in value]
        elif value is not None and value is not False:
            found.append(f"{flag}={value}")
    return [*found, "--json"]


def _of_words(name: str, words: Sequence[str]) -> list[str]:
    if words:
        file = f"DRUGS_RS_{name.upper()}_FILE"
        message = (
            f"the setting `{name}` is a list of words, and a container reads words only from a file: write them to a "
            f"file in a bucket, one a line, set {file} in the container's environment to its URI, and leave `{name}` "
            "unset"
        )
        raise SettingsError(message)
    return ["--no-stop-words"] if name == "stop_words" else []


def read_report(uri: str, gcp_conn_id: str, aws_conn_id: str) -> dict[str, Any] | None:
    """Return a report of a lake, or ``None`` if there is none.

    Raises:
        AirflowException: It could not be read, or is not complete; a retry may help.
    """
    scheme, mark, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    try:
        if mark and scheme == "gs":
            hook = provider_class("airflow.providers.google.cloud.hooks.gcs.GCSHook")(gcp_conn_id=gcp_conn_id)
            text = hook.download(bucket, key) if hook.exists(bucket, key) else None
        elif mark and scheme == "s3":
            hook = provider_class("airflow.providers.amazon.aws.hooks.s3.S3Hook")(aws_conn_id=aws_conn_id)
            text = hook.read_key(key, bucket) if hook.check_for_key(key, bucket) else None
        else:
            path = Path(rest if mark else uri)
            text = path.read_bytes() if path.exists() else None
        report = None if text is None else _parsed(text)
    except ImportError:
        raise
    except Exception as error:  # each client has exceptions of its own
        message = f"the report {uri} cannot be read: {type(error).__name__}: {error}"
        raise AirflowException(message) from error
    return report


def _parsed(text: str | bytes) -> dict[str, Any]:
    report = json.loads(text)
    if not isinstance(report, dict) or {"step", "dt", "started_at", "run_id"} - set(report):
        message = "it is no report of a step"
        raise ValueError(message)
    return report


def identity_of(report: Mapping[str, Any] | None) -> str:
    """Return what differs between any two reports; an empty text for none."""
    return "" if report is None else f"{report['started_at']} {report['run_id']}"


class _Remote(StepOperator):
    """What both tasks of a step know: the place of its report, and the connections to read it."""

    def __init__(
        self, *, gcp_conn_id: str = "google_cloud_default", aws_conn_id: str = "aws_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.gcp_conn_id = gcp_conn_id
        self.aws_conn_id = aws_conn_id

    def _last_report(self, keywords: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
        uri = report_uri(keywords["out"], self.step, keywords["dt"], self.report_name())
        return uri, read_report(uri, self.gcp_conn_id, self.aws_conn_id)


class _Arguments(_Remote):
    """Returns the arguments of the command; the lake stays as it is."""

    def execute(self, context: Mapping[str, Any]) -> Any:
        """Return the arguments, and store which report the lake has now as the XCom ``before``."""
        keywords = self.keywords()
        arguments = command_arguments(self.step, keywords)
        _, report = self._last_report(keywords)
        context["ti"].xcom_push(key=BEFORE, value=identity_of(report))
        self.log.info("drugs-rs %s", " ".join(arguments))
        return arguments


class _Report(_Remote):
    """Reads the report of the step that a container has run, and returns what the step's operator would.

    Args:
        before: Which report the lake had before the step: ``arguments.output["before"]`` of the arguments task. If
            the lake still has the same one, the step changed nothing.
    """

    def __init__(self, *, before: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before = before

    def _run(self, step: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Return the report of the lake, instead of running the step."""
        uri, report = self._last_report(keywords)
        if report is None:
            message = (
                f"there is no report {uri}: the container of this task did not run `drugs-rs {step}` to its end with "
                f"--out={keywords['out']} and --dt={keywords['dt']}; look at its log, then clear the arguments task "
                "with downstream"
            )
            raise AirflowFailException(message)
        found = (report.get("step"), report.get("dt"))
        if found != (step, keywords["dt"]):
            message = f"{uri} is the report of {found[0]} for dt={found[1]}, not of {step} for dt={keywords['dt']}"
            raise AirflowFailException(message)
        # The lake keeps the report of the last run that changed it.
        return {**report, "unchanged": identity_of(report) == self.before}


class BronzeArguments(_Arguments, BronzeOperator):
    """The arguments of ``drugs-rs bronze``; the same arguments as ``BronzeOperator``."""


class BronzeReport(_Report, BronzeOperator):
    """The report of a bronze step in a container; the same arguments as ``BronzeOperator``, and ``before``."""

    template_fields: Sequence[str] = (*BronzeOperator.template_fields, "before")


class SilverArguments(_Arguments, SilverOperator):
    """The arguments of ``drugs-rs silver``; the same arguments as ``SilverOperator``."""


class SilverReport(_Report, SilverOperator):
    """The report of a silver step in a container; the same arguments as ``SilverOperator``, and ``before``."""

    template_fields: Sequence[str] = (*SilverOperator.template_fields, "before")


class GoldArguments(_Arguments, GoldOperator):
    """The arguments of ``drugs-rs gold``; the same arguments as ``GoldOperator``."""


class GoldReport(_Report, GoldOperator):
    """The report of a gold step in a container; the same arguments as ``GoldOperator``, and ``before``."""

    template_fields: Sequence[str] = (*GoldOperator.template_fields, "before")
