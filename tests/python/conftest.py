"""What every test may ask for: the sample files, a lake made of them, and real corpora where there are some."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

import pytest
from bucket_peers import FOREIGN, Amazon, Google, Peer, amazon, google, point_to
from lake_story import states
from nlm_server import Nlm, nlm_server

import drugs_rs

if TYPE_CHECKING:
    from bigquery_server import BigQuery

ROOT = Path(__file__).resolve().parents[2]

# A shell that starts the tests in the background, as CI does, makes them ignore Ctrl-C, and with them every
# process that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The project's own small delivery; `examples/README.md` says what is wrong with each row of it."""
    return ROOT / "examples" / "data"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real data, which is no part of this project: beside the clone, or where DRUGS_RS_CORPORA says."""
    folder = Path(os.environ.get("DRUGS_RS_CORPORA", str(ROOT.parent / "shared" / "data")))
    if not folder.is_dir():
        pytest.skip(f"no corpora in {folder}: set DRUGS_RS_CORPORA to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def sample_report(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of one run on the sample files. Its lake is shared between tests: read it, leave it as it is."""
    return drugs_rs.run(
        drugs=samples / "drugs.csv",
        pubmed=[samples / "pubmed.csv", samples / "pubmed.json"],
        clinical_trials=samples / "clinical_trials.csv",
        out=tmp_path_factory.mktemp("sample") / "lake",
        dt="2024-03-01",
    )


@pytest.fixture(scope="session")
def sample_lake(sample_report: dict[str, Any]) -> Path:
    """The lake of `sample_report`."""
    return Path(sample_report["out"])


@pytest.fixture(scope="session")
def sample_graph(sample_lake: Path) -> drugs_rs.DrugGraph:
    """The graph of the sample files."""
    return drugs_rs.read_graph(sample_lake)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The lake of `lake_story` in each of its states, shared between tests: read them, leave them as they are."""
    return states(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="session")
def moto() -> Iterator[Amazon]:
    pytest.importorskip("moto", reason="moto is installed on newer Pythons alone: its last release for 3.8 is lax")
    with amazon() as peer:
        yield peer


@pytest.fixture
def no_clouds(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without credentials, endpoints and proxies."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture(params=["gs", "s3"])
def peer(request: pytest.FixtureRequest, no_clouds: pytest.MonkeyPatch) -> Iterator[Peer]:
    """Each of the two, with an empty bucket as far as this test's prefix goes."""
    if request.param == "s3":
        found: Amazon = request.getfixturevalue("moto")
        point_to(found, no_clouds)
        yield found
        return
    with google() as service:
        point_to(service, no_clouds)
        yield service


@pytest.fixture
def gs(no_clouds: pytest.MonkeyPatch) -> Iterator[Google]:
    """Google's side alone, with failures on demand."""
    with google() as service:
        point_to(service, no_clouds)
        yield service


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A part of the bucket for this test alone."""
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)


@pytest.fixture
def bigquery(no_clouds: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    """A BigQuery without datasets."""
    # Few tests need it and what it is made of.
    from bigquery_server import bigquery_server

    assert no_clouds is not None
    with bigquery_server() as service:
        yield service


@pytest.fixture
def nlm(no_clouds: pytest.MonkeyPatch) -> Iterator[Nlm]:
    """NLM's servers, with nothing published; requests reach them past any proxy."""
    assert no_clouds is not None
    with nlm_server() as service:
        yield service


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody sleeps long; the list has for how long they wanted to."""
    wanted: list[float] = []
    sleep = time.sleep

    def pause(seconds: float) -> None:
        wanted.append(seconds)
        sleep(min(seconds, 0.002))

    monkeypatch.setattr(time, "sleep", pause)
    return wanted
