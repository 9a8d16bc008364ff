"""`drugs_rs.bigquery.function_sql`: its function, taken out of the statement, run as BigQuery runs it.

In a process of its own with the Python of BigQuery's functions, 3.11 (on a machine without it, with this one).
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from shell import program

import drugs_rs
from drugs_rs import exceptions
from drugs_rs.bigquery import function_sql

if TYPE_CHECKING:
    from bucket_peers import Google

pytestmark = pytest.mark.core

NAMES = {
    "N02BE01": ["paracetamol", "acetaminophen"],
    "B01AA03": ["warfarin"],
    "A10AB01": ["insulin (human)", "insulin"],
}
TEXTS = [
    "Paracetamol and warfarin",
    "nothing here",
    "",
    None,
    "𝒳 é 💊 WARFARIN — acetaminophen; insulin?",
    "warfarin\x00warfarin\nwarfarin",
    *(f"{number} days of insulin" for number in range(50)),
]
FUNCTION = "test-project.drugs.drugs_find"
DIGEST = "0" * 64
ROOT = Path(__file__).resolve().parents[2]


def body_of(statement: str) -> str:
    """The code of a statement: a raw literal, which nothing in it can end."""
    assert statement.count("'''") == 2
    found = re.search(r"\nAS r'''\n(.*)''';\n\Z", statement, re.DOTALL)
    assert found is not None
    return found[1]


def options_of(statement: str) -> dict[str, Any]:
    """The options; their literals are those of Python too."""
    found = re.search(r"\nOPTIONS \(\n(.*?)\n\)\nAS ", statement, re.DOTALL)
    assert found is not None
    lines = [line.strip().rstrip(",") for line in found[1].split("\n")]
    return {name: ast.literal_eval(value) for name, value in (line.split(" = ", 1) for line in lines)}


def constants_of(body: str) -> dict[str, Any]:
    """The values that the code names."""
    assigned = [node for node in ast.parse(body).body if isinstance(node, ast.Assign)]
    return {
        target.id: node.value.value
        for node in assigned
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant)
    }


def python_of_bigquery() -> str:
    found = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "interpreters.py"), "3.11"], capture_output=True, check=False
    )
    return found.stdout.decode().strip() if found.returncode == 0 else sys.executable


def called(
    statement: str, texts: list[str | None], path: Path, environment: dict[str, str], threads: int = 4
) -> dict[str, Any]:
    """What the function returns in a process of its own, whose modules are in `path`."""
    given = {"body": body_of(statement), "texts": texts, "threads": threads}
    given["entry_point"] = options_of(statement)["entry_point"]
    done = subprocess.run(
        [python_of_bigquery(), str(program("bigquery_function"))],
        input=json.dumps(given).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(path), **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["version"] == ([3, 11] if python_of_bigquery() != sys.executable else list(sys.version_info[:2]))
    return answer


def expected(matcher: drugs_rs.Matcher, texts: list[str | None]) -> list[list[dict[str, Any]]]:
    columns = ("atccode", "drug", "start", "end", "surface", "rule")
    return [
        [{name: getattr(mention, name) for name in columns} for mention in matcher.find(text)] if text else []
        for text in texts
    ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with this package alone, as a container has it that installed the wheel."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "drugs_rs").symlink_to(Path(drugs_rs.__file__).parent)
    return folder


@pytest.fixture
def matcher() -> drugs_rs.Matcher:
    return drugs_rs.Matcher.from_names(NAMES)


def test_the_function_finds_what_the_matcher_finds(
    gs: Google, prefix: str, package: Path, matcher: drugs_rs.Matcher
) -> None:
    uri = gs.uri(f"{prefix}/matcher.bin")
    matcher.save(uri)
    statement = function_sql(FUNCTION, uri, "drugs-rs==1.2.0", connection="test-project.eu.drugs")
    assert hashlib.sha256(gs.data(f"{prefix}/matcher.bin")).hexdigest() in statement
    answer = called(statement, TEXTS, package, gs.environment)
    assert answer.get("error") is None and answer["rows"] == expected(matcher, TEXTS)
    assert sum(map(len, answer["rows"])) > 50
    for text, row in zip(TEXTS, answer["rows"]):
        assert all((text or "")[each["start"] : each["end"]] == each["surface"] for each in row)


def test_a_process_reads_the_matcher_once(gs: Google, prefix: str, package: Path, matcher: drugs_rs.Matcher) -> None:
    uri = gs.uri(f"{prefix}/matcher.bin")
    matcher.save(uri)
    statement = function_sql(FUNCTION, uri, "drugs-rs==1.2.0")
    counts = []
    for texts in (TEXTS[:1], TEXTS * 4):
        gs.service.log.clear()
        called(statement, texts, package, gs.environment, threads=16)
        counts.append(len(gs.service.log))
    assert counts[0] == counts[1] > 0


def test_another_matcher_is_refused(gs: Google, prefix: str, package: Path, matcher: drugs_rs.Matcher) -> None:
    """Somebody replaced the file: answers that change without a word would be worse than none."""
    uri = gs.uri(f"{prefix}/matcher.bin")
    matcher.save(uri)
    statement = function_sql(FUNCTION, uri, "drugs-rs==1.2.0")
    drugs_rs.Matcher.from_names({"A": ["something else"]}).save(uri)
    answer = called(statement, ["warfarin"], package, gs.environment)
    kind, message = answer["error"]
    assert kind == "ValueError" and message.startswith(f"{uri}: found the matcher ")
    assert message.endswith("create the function again for it")


def test_a_wheel_in_a_bucket_is_installed(gs: Google, prefix: str, tmp_path: Path, matcher: drugs_rs.Matcher) -> None:
    """By Google's library for its storage, of which the contract here has the three calls that are used."""
    uri = gs.uri(f"{prefix}/matcher.bin")
    matcher.save(uri)
    name = "it's/drugs_rs-1.2.0-cp38-abi3-manylinux2014_x86_64.whl"
    wheel = tmp_path / "wheels" / name
    wheel.parent.mkdir(parents=True)
    source = Path(drugs_rs.__file__).parent
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in source.rglob("*"):
            if path.is_file() and path.suffix in (".py", ".so"):
                archive.write(path, Path("drugs_rs") / path.relative_to(source))
    storage = tmp_path / "path" / "google" / "cloud" / "storage.py"
    storage.parent.mkdir(parents=True)
    storage.write_text(
        "import pathlib\n"
        "class Place:\n"
        "    def __init__(self, *names): self.names = names\n"
        f"    def download_as_bytes(self): return pathlib.Path({str(tmp_path)!r}, *self.names).read_bytes()\n"
        "    def blob(self, name): return Place(*self.names, name)\n"
        "class Client:\n"
        "    def bucket(self, name): return Place(name)\n"
    )
    statement = function_sql(FUNCTION, uri, f"gs://wheels/{name}", connection="test-project.eu.drugs")
    answer = called(statement, TEXTS, tmp_path / "path", gs.environment)
    assert answer.get("error") is None and answer["rows"] == expected(matcher, TEXTS)
    assert options_of(statement)["packages"] == ["google-cloud-storage>=2.10"]


def test_the_statement() -> None:
    statement = function_sql(
        FUNCTION,
        "gs://bucket/matcher.bin",
        "drugs-rs==1.2.0",
        connection="test-project.eu.drugs",
        fingerprint=DIGEST,
        memory="2Gi",
        cpu=2,
        max_batching_rows=1000,
    )
    assert statement.startswith(
        "CREATE OR REPLACE FUNCTION `test-project`.`drugs`.`drugs_find`(text STRING)\n"
        "RETURNS ARRAY<STRUCT<atccode STRING, drug STRING, `start` INT64, `end` INT64, surface STRING, rule STRING>>\n"
        "LANGUAGE python\n"
        "WITH CONNECTION `test-project`.`eu`.`drugs`\n"
        "OPTIONS (\n  runtime_version = 'python-3.11',\n"
    )
    assert options_of(statement) == {
        "runtime_version": "python-3.11",
        "entry_point": "drugs_find",
        "packages": ["drugs-rs==1.2.0"],
        "description": f"Finds drugs in texts, with the matcher {DIGEST}",
        "container_memory": "2Gi",
        "container_cpu": 2,
        "max_batching_rows": 1000,
    }
    assert constants_of(body_of(statement)) == {"MATCHER": "gs://bucket/matcher.bin", "FINGERPRINT": DIGEST}
    without = function_sql("drugs.f", "gs://bucket/matcher.bin", "drugs-rs", fingerprint=DIGEST, memory=None)
    assert "container_memory" not in without and "WITH CONNECTION" not in without
    assert without.startswith("-- BigQuery gives a Python function without a connection no network")


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        '"quoted"',
        "'''); DROP TABLE drugs.mentions; --",
        "back\\slash",
        "\\",
        "new\nline",
        "{braces} and {{more}}",
        "Größe 💊",
        '"""',
        "`tick`",
        "\\U00000027",
    ],
)
def test_no_name_ends_a_literal(name: str) -> None:
    """What a path has stands in the code and in the options as itself."""
    uri = f"gs://bucket/{name}"
    statement = function_sql(FUNCTION, uri, f"{uri}.whl", fingerprint=DIGEST)
    body = body_of(statement)
    assert constants_of(body)["MATCHER"] == uri
    strings = {node.value for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Constant)}
    assert f"{name}.whl" in strings
    assert options_of(statement)["entry_point"] == "drugs_find"
    assert not re.search(r"DROP|'''\)", statement) or "DROP" in name
    assert statement.count("'''") == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "f"}, "name: found 'f', expected project.dataset.function"),
        ({"name": "p.d.`f`"}, "name: found 'p.d.`f`'"),
        ({"name": "p.d.f(x)"}, "name: found 'p.d.f(x)'"),
        ({"matcher_uri": "matcher.bin"}, "matcher_uri: found 'matcher.bin', expected the URI of an object"),
        ({"matcher_uri": "s3://b/m"}, "matcher_uri: found 's3://b/m'"),
        ({"wheel": "gs://b/drugs.zip"}, "wheel: found 'gs://b/drugs.zip', expected a wheel"),
        ({"wheel": "drugs-rs; import os"}, "wheel: found 'drugs-rs; import os'"),
        ({"wheel": "other==1"}, "wheel: found 'other==1'"),
        ({"connection": "c"}, "connection: found 'c', expected project.region.connection"),
        ({"connection": "p.eu.c`"}, "connection: found 'p.eu.c`'"),
        ({"fingerprint": "abc"}, "fingerprint: found 'abc', expected the SHA-256"),
        ({"memory": "100Mi"}, 'memory: found \'100Mi\', expected "256Mi" to "16Gi"'),
        ({"memory": "17Gi"}, "memory: found '17Gi'"),
        ({"memory": "1Gi', x='"}, "memory: found"),
        ({"cpu": 3}, "cpu: found 3, expected 0.33 to 1, 2 or 4"),
        ({"max_batching_rows": 0}, "max_batching_rows: found 0"),
    ],
)
def test_bad_arguments(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"name": FUNCTION, "matcher_uri": "gs://b/m", "wheel": "drugs-rs==1", "fingerprint": DIGEST}
    function_sql(**good)
    with pytest.raises(exceptions.ArgumentError, match=re.escape(message)):
        function_sql(**{**good, **change})


def test_a_file_that_is_no_matcher(gs: Google, prefix: str) -> None:
    gs.put(f"{prefix}/matcher.bin", b"something else")
    with pytest.raises(exceptions.FormatError):
        function_sql(FUNCTION, gs.uri(f"{prefix}/matcher.bin"), "drugs-rs==1")
    with pytest.raises(exceptions.SourceNotFoundError):
        function_sql(FUNCTION, gs.uri(f"{prefix}/none.bin"), "drugs-rs==1")
