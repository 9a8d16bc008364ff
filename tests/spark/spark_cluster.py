"""A Spark whose driver and executors are processes of their own, on this machine alone."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXECUTORS = 2
OLDEST_JAVA = 17
# The rows are few: what helps with many only takes time here.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.executor.extraJavaOptions": JAVA_OPTIONS,
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
    # A failure of the tests is one that a second attempt does not heal.
    "spark.task.maxFailures": "1",
}
# Every Python that an executor starts notes each matcher that it opens.
NOTING = """\
import os, sys
def note(event, arguments):
    # `open` of some versions calls `os.open`, whose mode is None.
    if event == "open" and arguments[1] and "drugs_rs-matcher-" in str(arguments[0]):
        file = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{{os.getpid()}} {{os.path.basename(arguments[0])}}\\n".encode())
        os.close(file)
sys.addaudithook(note)
"""


class Cluster(NamedTuple):
    """A session and what its executors leave on the disk."""

    spark: SparkSession
    folder: Path

    @property
    def opened(self) -> list[list[str]]:
        """The process and the name of the file, each time that an executor's Python opened a matcher."""
        log = self.folder / "opened"
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    def copies(self, name: str) -> list[Path]:
        """The copies of a file in the working folders of the executors."""
        return sorted((self.folder / "home" / "work").glob(f"*/*/{name}"))

    @contextmanager
    def python(self, executable: Path) -> Iterator[None]:
        """Let executors start another Python."""
        context: Any = self.spark.sparkContext
        usual = context.pythonExec
        context.pythonExec = str(executable)
        try:
            yield
        finally:
            context.pythonExec = usual


def require_java() -> None:
    """Skip without a Java, unless this is CI."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home, "bin", "java")) if home else "java")
    if java is None:
        message = f"the tests of Spark need Java {OLDEST_JAVA}: install it, or set JAVA_HOME"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a driver and its executors, and stop them."""
    require_java()
    import pyspark
    from pyspark.sql import SparkSession

    # Executors work in the folder `work` of Spark's own.
    home = folder / "home"
    home.mkdir()
    for item in Path(pyspark.__file__).parent.iterdir():
        (home / item.name).symlink_to(item)
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(NOTING.format(log=str(folder / "opened")))
    given = os.environ.get("PYTHONPATH")
    environment = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    builder = SparkSession.builder.master(f"local-cluster[{EXECUTORS},1,1024]").appName("drugs_rs")
    settings = {
        **SETTINGS,
        "spark.executorEnv.PYTHONPATH": os.pathsep.join([str(hooks), *([given] if given else [])]),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "local"),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    try:
        yield Cluster(spark, folder)
    finally:
        spark.stop()
        for name, earlier in before.items():
            os.environ.pop(name) if earlier is None else os.environ.update({name: earlier})
