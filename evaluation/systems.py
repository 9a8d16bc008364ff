"""The tools that are compared: the name in the table, the environment, the worker and its options."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from scoring import Mention
from vocabularies import Names

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent / ".venv"


class System(NamedTuple):
    """A tool with its settings."""

    name: str
    environment: str
    worker: str
    options: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of the tool's environment."""
        return ENVIRONMENTS / self.environment / "bin" / "python"

    @property
    def is_ours(self) -> bool:
        """Whether it is drugs_rs and no peer."""
        return self.worker == "drugs_rs_find"


OURS = System("drugs_rs", "eval", "drugs_rs_find")
PLAIN = System("drugs_rs, no abbreviations", "eval", "drugs_rs_find", ("--no-abbreviations",))
COLUMNS = System("drugs_rs, find_many", "eval", "drugs_rs_find", ("--columns",))
DNER = System("drug-named-entity-recognition, as its README", "eval-dner", "dner_tokens")
SYSTEMS = (
    OURS,
    COLUMNS,
    PLAIN,
    DNER,
    System("drug-named-entity-recognition, signs cut off", "eval-dner", "dner_tokens", ("--signs",)),
    System("flashtext", "eval-flashtext", "flashtext_words"),
    System("pyahocorasick, word bounds", "eval-pyahocorasick", "ahocorasick_words"),
    System("spaCy PhraseMatcher", "eval-spacy", "spacy_phrases"),
    System("plain substring (pyahocorasick)", "eval-pyahocorasick", "ahocorasick_words", ("--substring",)),
)


class Result(NamedTuple):
    """What a tool needed for the names, and what it found in each corpus, in the order of the job."""

    system: System
    version: str
    build_seconds: float
    held_bytes: int
    peak_bytes: int
    seconds: list[float]
    found: list[list[list[Mention]]]


def write_job(path: Path, names: Names, texts: Sequence[Sequence[str]], repeat: int) -> None:
    """Write what every worker reads."""
    content = {"names": names, "corpora": texts, "repeat": repeat}
    # ASCII with escapes, because a text may hold an unpaired surrogate.
    path.write_text(json.dumps(content), encoding="utf-8")


def measure(system: System, job: Path, answer: Path) -> Result:
    """Run the worker of one tool in its own interpreter and read its answer."""
    command = [str(system.python), str(HERE / "workers" / f"{system.worker}.py"), str(job), str(answer)]
    subprocess.run([*command, *system.options], check=True, stdin=subprocess.DEVNULL)
    content: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return Result(
        system,
        content["version"],
        content["build_seconds"],
        content["held_bytes"],
        content["peak_bytes"],
        [corpus["seconds"] for corpus in content["corpora"]],
        [[[((start, end),) for start, end in spans] for spans in corpus["spans"]] for corpus in content["corpora"]],
    )
