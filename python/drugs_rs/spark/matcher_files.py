"""How a matcher travels: saved on the driver, sent once to each executor, loaded once by each process there."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import drugs_rs
from drugs_rs.exceptions import FormatError, SourceNotFoundError
from drugs_rs.spark.library import is_connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from drugs_rs import Matcher

__all__ = ["load", "ship"]

PREFIX = "drugs_rs-matcher-"
# The folder of saved matchers, and what was sent: the application or session, and the name of the file.
_folder: Path | None = None
_sent: set[tuple[str, str]] = set()
# The matchers of this process, by the names of their files.
_loaded: dict[str, Matcher] = {}


def ship(spark: SparkSession, matcher: Matcher) -> str:
    """Send a matcher to all executors, present and future ones, and return the name of its file there.

    Executors fetch the file from the driver when they first need it, so it stays until this process ends.
    """
    data = matcher.to_bytes()
    name = f"{PREFIX}{hashlib.sha256(data).hexdigest()}"
    connect = is_connect(spark)
    session = spark.session_id if connect else spark.sparkContext.applicationId
    if (session, name) in _sent:
        return name
    path = _files() / name
    path.write_bytes(data)
    if connect:
        spark.addArtifacts(str(path), file=True)
    else:
        spark.sparkContext.addFile(str(path))
    _sent.add((session, name))
    return name


def load(name: str) -> Matcher:
    """Load a matcher that was sent to this executor; once a process.

    Raises:
        SourceNotFoundError: The executor has no such file.
        FormatError: The file is not the one that the driver sent.
    """
    if name in _loaded:
        return _loaded[name]
    from pyspark import SparkFiles

    path = Path(SparkFiles.get(name))
    where = f"executor on {socket.gethostname()}: {path}"
    remedy = "remove the executor, so that a new one fetches the file again"
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{where}: the matcher that the driver sent cannot be read ({error.strerror}); {remedy}"
        raise SourceNotFoundError(message) from error
    found = hashlib.sha256(data).hexdigest()
    if found != name[len(PREFIX) :]:
        message = (
            f"{where}: {len(data)} bytes with the SHA-256 {found}, which are not the matcher that the driver sent; "
            f"{remedy}"
        )
        raise FormatError(message)
    matcher = drugs_rs.Matcher.from_bytes(data)
    _loaded[name] = matcher
    return matcher


def _files() -> Path:
    """Return the folder of saved matchers, which goes with this process."""
    global _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="drugs_rs-spark-"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder
