"""Both environments, planned once for all tests."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
from schema_server import serving
from terraform_tool import Resource, Workspace

ENVIRONMENTS = ("dev", "prod")


@pytest.fixture(scope="session")
def provider() -> Iterator[dict[str, str]]:
    """Serve the recorded schema."""
    with serving() as variables:
        yield variables


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, provider: dict[str, str]) -> Workspace:
    """Return a copy that no test changes."""
    shared = Workspace(tmp_path_factory.mktemp("shared"), provider)
    for environment in ENVIRONMENTS:
        shared.prepare(f"envs/{environment}")
    return shared


@pytest.fixture
def workspace(tmp_path: Path, provider: dict[str, str], shared: Workspace) -> Workspace:
    """Return a copy of the test's own."""
    return Workspace(tmp_path, provider, shared)


@pytest.fixture(scope="session")
def environments(shared: Workspace) -> dict[str, list[Resource]]:
    """Return all that each environment makes."""
    found = {}
    for environment in ENVIRONMENTS:
        wrong, found[environment] = shared.test(f"envs/{environment}")
        assert wrong == ""
        assert len(found[environment]) > 50
    return found


@pytest.fixture(params=ENVIRONMENTS)
def made(request: pytest.FixtureRequest, environments: dict[str, list[Resource]]) -> list[Resource]:
    """Return all that an environment makes."""
    return environments[request.param]
