"""The image of the command: what its Containerfile promises, and what a linter says about it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

# The file does not depend on the interpreter.
pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "Containerfile"
SECRET = "secret|password|token|credential|_key"
# Where `make` installs the linter.
LINTER = ROOT / ".venv" / "tools" / "bin" / "hadolint"


def stages(text: str) -> list[list[tuple[str, str]]]:
    """The instructions of each stage, after those before the first one, each with its arguments."""
    lines = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    found: list[list[tuple[str, str]]] = [[]]
    for line in lines.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


def faults(text: str) -> list[str]:
    """What is wrong with a Containerfile."""
    first, *others = stages(text)
    arguments = dict(rest.split("=", 1) for word, rest in first if word == "ARG" and "=" in rest)
    found = []
    for stage in others:
        name = stage[0][1].split()[0]
        base = arguments.get(name.strip("${}"), name)
        if not re.search(r":[\w.-]+(@sha256:[0-9a-f]{64})?$", base) or re.search(r":(latest|stable)\b", base):
            found.append(f"the base {base} is not pinned")
        found += [
            f"{word} {rest} needs a shell"
            for word, rest in stage
            if word in ("RUN", "CMD", "ENTRYPOINT") and not exec_form(rest)
        ]
        found += [f"{word} downloads" for word, rest in stage if word == "ADD" or re.search(r"https?://", rest)]
    last = others[-1]
    users = [rest for word, rest in last if word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        found.append(f"the user is {users[-1:]}, expected a number that is not 0, and its group")
    if [rest for word, rest in last if word == "ENTRYPOINT"] != ['["/app/bin/drugs-rs"]']:
        found.append("the entry point is not the command")
    if any(word == "CMD" for word, _ in last):
        found.append("a container without arguments succeeds")
    if any(word == "RUN" for word, _ in last):
        found.append("the image runs a program while it is built, which a base without a shell may not have")
    settings = dict(re.findall(r"(\w+)=(\S+)", " ".join(rest for word, rest in last if word == "ENV")))
    if "TMPDIR" not in settings:
        found.append("TMPDIR is not set")
    found += [f"{name} is a setting of the command" for name in settings if name.startswith("DRUGS_RS_")]
    texts = [rest for stage in stages(text) for word, rest in stage if word in ("ARG", "ENV")]
    named = [name for rest in texts for name in re.findall(r"(\w+)(?:=|$)", rest)]
    return found + [f"{name} looks like a secret" for name in named if re.search(SECRET, name, re.IGNORECASE)]


def exec_form(rest: str) -> bool:
    """Whether the arguments of an instruction are a list of texts in JSON."""
    try:
        words = json.loads(rest)
    except ValueError:
        return False
    return isinstance(words, list) and all(isinstance(word, str) for word in words)


def test_the_image_is_pinned_without_root_shell_or_secrets() -> None:
    assert faults(FILE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (r"python:3.11-slim-bookworm", "python", "the base docker.io/library/python is not pinned"),
        (r"python3-debian12:nonroot", "python3-debian12:latest", "is not pinned"),
        ("USER 65532:65532\n", "", r"the user is \[\]"),
        ("USER 65532:65532", "USER 0:0", r"the user is \['0:0'\]"),
        ("USER 65532:65532", "USER root", r"the user is \['root'\]"),
        ('ENTRYPOINT ["/app/bin/drugs-rs"]', "ENTRYPOINT /app/bin/drugs-rs", "needs a shell"),
        ('RUN ["sed"', 'RUN sed "x"\nRUN ["sed"', "needs a shell"),
        # A rerun whose arguments were lost found the report of the run before, and was green with nothing done.
        ("ENTRYPOINT [", 'CMD ["--help"]\nENTRYPOINT [', "a container without arguments succeeds"),
        ("    TMPDIR=/tmp", "    OTHER=/tmp", "TMPDIR is not set"),
        ("HOME=/tmp", "API_TOKEN=/tmp", "API_TOKEN looks like a secret"),
        ("HOME=/tmp", "DRUGS_RS_SALTS=true", "DRUGS_RS_SALTS is a setting of the command"),
        ("COPY --from=builder", "ADD https://example.org/x /x\nCOPY --from=builder", "ADD downloads"),
    ],
)
def test_each_fault_is_seen(before: str, after: str, fault: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert before in text
    assert re.search(fault, "\n".join(faults(text.replace(before, after, 1)))), fault


def test_the_linter_finds_nothing() -> None:
    linter = str(LINTER) if LINTER.exists() else shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not here: `make` installs it into .venv/tools")
    done = subprocess.run([linter, "--no-color", str(FILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_only_wheels_go_into_the_build() -> None:
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["*", "!dist/", "dist/*", "!dist/*.whl"]
    copied = re.findall(r"^COPY (?!--from)(\S+)", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert copied == ["${WHEEL}"]
