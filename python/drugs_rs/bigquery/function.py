"""``drugs_find`` as a Python function of BigQuery: the statement that creates it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from drugs_rs.exceptions import ArgumentError

if TYPE_CHECKING:
    import os

    from drugs_rs import Matcher

ENTRY_POINT = "drugs_find"
RETURNS = "ARRAY<STRUCT<atccode STRING, drug STRING, `start` INT64, `end` INT64, surface STRING, rule STRING>>"
STORAGE_PACKAGE = "google-cloud-storage>=2.10"
# What stands in literals as it is; everything else is written as a number, so that no text can end a literal.
PLAIN = re.compile(r"[^A-Za-z0-9_./:=<>!~,+@ -]")
CPUS = "0.33 to 1, 2 or 4"
NO_NETWORK = """-- BigQuery gives a Python function without a connection no network: this one cannot read its matcher.
-- Make a connection of the kind CLOUD_RESOURCE, and name it as `connection`.
"""
INSTALL = """
def _install_wheel():
    # A native module cannot be imported from an archive.
    import io
    import sys
    import tempfile
    import zipfile

    from google.cloud import storage

    data = storage.Client().bucket({bucket}).blob({object}).download_as_bytes()
    folder = tempfile.mkdtemp(prefix="drugs-rs-")
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        wheel.extractall(folder)
    sys.path.insert(0, folder)

"""
BODY = """import functools
import hashlib
import threading

MATCHER = {matcher}
FINGERPRINT = {fingerprint}
LOADING = threading.Lock()

{install}
@functools.lru_cache(maxsize=1)
def _matcher():
    {prepare}import drugs_rs

    matcher = drugs_rs.Matcher.load(MATCHER)
    found = hashlib.sha256(matcher.to_bytes()).hexdigest()
    if found != FINGERPRINT:
        raise ValueError(
            f"{{MATCHER}}: found the matcher {{found}}, expected {{FINGERPRINT}}: create the function again for it"
        )
    return matcher


def drugs_find(text):
    if text is None:
        return []
    # One process serves several requests at a time, and the matcher is read once.
    with LOADING:
        matcher = _matcher()
    return [
        {{
            "atccode": mention.atccode,
            "drug": mention.drug,
            "start": mention.start,
            "end": mention.end,
            "surface": mention.surface,
            "rule": mention.rule,
        }}
        for mention in matcher.find(text)
    ]
"""


def function_sql(
    name: str,
    matcher_uri: str,
    wheel: str,
    *,
    connection: str | None = None,
    fingerprint: str | None = None,
    memory: str | None = "1Gi",
    cpu: float | None = None,
    max_batching_rows: int | None = None,
) -> str:
    """Write the statement that creates ``drugs_find(text)`` as a Python function of BigQuery.

    The function returns an array of structs with the fields of ``Mention``: ``atccode``, ``drug``, ``start``, ``end``,
    ``surface`` and ``rule``; ``start`` and ``end`` count characters from 0, so that
    ``SUBSTR(text, start + 1, end - start)`` is ``surface``. The array is empty for a text without a mention and for
    ``NULL``. Each process of the function reads the matcher once, and fails if it is another than the one for which
    the statement was written.

    Args:
        name: The function: ``"project.dataset.drugs_find"`` or ``"dataset.drugs_find"``. One that is there is replaced.
        matcher_uri: The file in a bucket of Google that ``Matcher.save`` wrote: ``gs://…``.
        wheel: This package for the function: a wheel in a bucket, ``gs://…/drugs_rs-….whl``, or a requirement such as
            ``"drugs-rs==1.2.0"``.
        connection: The connection with whose service account the function reads the bucket:
            ``"project.region.connection"``. Without one BigQuery gives the function no network.
        fingerprint: The SHA-256 of the matcher's file; by default the file is read to find it.
        memory: The memory of a process, ``"256Mi"`` to ``"16Gi"``; ``None`` is BigQuery's default of 512 MiB.
        cpu: The processors of a process: 0.33 to 1, 2 or 4.
        max_batching_rows: The most texts in one request to a process.

    Raises:
        ArgumentError: An argument has an impossible value.
        FormatError: The file is no matcher.
        SourceNotFoundError: There is no such file.
    """
    digest = _fingerprint(matcher_uri) if fingerprint is None else fingerprint
    if not re.fullmatch("[0-9a-f]{64}", digest):
        message = f"fingerprint: found {digest!r}, expected the SHA-256 of the matcher's file, 64 hexadecimal digits"
        raise ArgumentError(message)
    _object(matcher_uri, "matcher_uri")
    packages, install = [wheel], ""
    if wheel.startswith("gs://"):
        bucket, path = _object(wheel, "wheel")
        if not path.endswith(".whl"):
            message = f"wheel: found {wheel!r}, expected a wheel, gs://…/drugs_rs-….whl"
            raise ArgumentError(message)
        packages, install = [STORAGE_PACKAGE], INSTALL.format(bucket=_literal(bucket), object=_literal(path))
    elif not re.fullmatch(r"drugs[-_.]rs(?:\[[a-z,]*\])?\s*(?:[=<>!~][=<>!~0-9A-Za-z.,*+ -]*)?", wheel):
        message = f'wheel: found {wheel!r}, expected gs://…/drugs_rs-….whl or a requirement such as "drugs-rs==1.2.0"'
        raise ArgumentError(message)
    body = BODY.format(
        matcher=_literal(matcher_uri),
        fingerprint=_literal(digest),
        install=install,
        prepare="_install_wheel()\n    " if install else "",
    )
    options = [
        "runtime_version = 'python-3.11'",
        f"entry_point = '{ENTRY_POINT}'",
        f"packages = [{', '.join(map(_literal, packages))}]",
        f"description = {_literal(f'Finds drugs in texts, with the matcher {digest}')}",
        *_limits(memory, cpu, max_batching_rows),
    ]
    listed = ",\n  ".join(options)
    linked = "" if connection is None else f"\nWITH CONNECTION {_name(connection, 'connection', (2, 3))}"
    return (
        f"{NO_NETWORK if connection is None else ''}"
        f"CREATE OR REPLACE FUNCTION {_name(name, 'name', (2, 3))}(text STRING)\nRETURNS {RETURNS}\n"
        f"LANGUAGE python{linked}\nOPTIONS (\n  {listed}\n)\nAS r'''\n{body}''';\n"
    )


def _fingerprint(matcher_uri: str | os.PathLike[str]) -> str:
    """Read a saved matcher, and return its digest."""
    from drugs_rs import Matcher as SavedMatcher

    matcher: Matcher = SavedMatcher.load(matcher_uri)
    return hashlib.sha256(matcher.to_bytes()).hexdigest()


def _object(uri: str, argument: str) -> tuple[str, str]:
    """The bucket and the name of an object."""
    found = re.fullmatch(r"gs://([a-z0-9][a-z0-9._-]*)/(.+)", uri, re.DOTALL)
    if found is None:
        message = f"{argument}: found {uri!r}, expected the URI of an object in Google's storage, gs://bucket/name"
        raise ArgumentError(message)
    return found[1], found[2]


def _name(text: str, argument: str, lengths: tuple[int, int]) -> str:
    """Quote a name with dots."""
    parts = text.split(".")
    if len(parts) not in lengths or not all(re.fullmatch(r"[A-Za-z0-9_:-]+", part) for part in parts):
        forms = {"name": "project.dataset.function", "connection": "project.region.connection"}
        message = f"{argument}: found {text!r}, expected {forms[argument]}, of letters, digits, dashes and underscores"
        raise ArgumentError(message)
    return ".".join(f"`{part}`" for part in parts)


def _limits(memory: str | None, cpu: float | None, max_batching_rows: int | None) -> list[str]:
    """The options of the container."""
    found = []
    if memory is not None:
        size = re.fullmatch(r"([1-9][0-9]*)(Mi|M|Gi|G)", memory)
        units = {"M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30}
        if size is None or not 256 * 2**20 <= int(size[1]) * units[size[2]] <= 16 * 2**30:
            message = f'memory: found {memory!r}, expected "256Mi" to "16Gi"'
            raise ArgumentError(message)
        found.append(f"container_memory = '{memory}'")
    if cpu is not None:
        if not (0.33 <= cpu <= 1 or cpu in (2, 4)):
            message = f"cpu: found {cpu!r}, expected {CPUS}"
            raise ArgumentError(message)
        found.append(f"container_cpu = {cpu}")
    if max_batching_rows is not None:
        if isinstance(max_batching_rows, bool) or max_batching_rows < 1:
            message = f"max_batching_rows: found {max_batching_rows!r}, expected a number from 1"
            raise ArgumentError(message)
        found.append(f"max_batching_rows = {int(max_batching_rows)}")
    return found


def _literal(text: str) -> str:
    """A literal of both SQL and Python, which no text can end."""
    return '"' + PLAIN.sub(lambda found: f"\\U{ord(found[0]):08x}", text) + '"'
