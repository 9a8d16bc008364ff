"""Where the containers of `examples/airflow/drug_heavy.py` run in the tests: as processes of this machine.

A container gets the entry point of the image, the arguments that it was given, and nothing of the environment of
Airflow. `CloudRun` takes the place of Google's service behind the real operator; `pod_operator` returns the operator of
Kubernetes, or a stand-in with its arguments where its provider is not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Sequence

import pytest

from drugs_rs.airflow.compat import AirflowException, BaseOperator

# The script that `ENTRYPOINT` of the Containerfile names, in this environment.
ENTRY_POINT = Path(sys.executable).parent / "drugs-rs"
# What a platform sets, and what these tests need to find the package and the bucket.
PASSED_ON = ("PYTHONPATH", "STORAGE_EMULATOR_HOST")
POD_MODULE = "airflow.providers.cncf.kubernetes.operators.pod"


def run_container(arguments: Sequence[str], scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run the entry point with these arguments, as the image does: without a shell, and with a TMPDIR of its own."""
    assert all(isinstance(argument, str) for argument in arguments), arguments
    scratch.mkdir(exist_ok=True)
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment.update(HOME=str(scratch), TMPDIR=str(scratch))
    command = [sys.executable, str(ENTRY_POINT), *arguments]
    return subprocess.run(
        command, env=environment, cwd=scratch, capture_output=True, text=True, check=False, timeout=120
    )


class CloudRun:
    """The service: it executes a job with overrides, and reports a failed task as the service does."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.requests: list[Any] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put this service behind the real operator."""
        from airflow.providers.google.cloud.operators import cloud_run

        monkeypatch.setattr(cloud_run, "CloudRunHook", lambda *_arguments, **_words: self)

    def execute_job(self, *, job_name: str, region: str, project_id: str, overrides: Any, **_words: Any) -> Any:
        """Run the container to its end; the request has the types of the real service."""
        from google.cloud.run_v2 import RunJobRequest

        name = f"projects/{project_id}/locations/{region}/jobs/{job_name}"
        request = RunJobRequest(name=name, overrides=overrides)
        self.requests.append(request)
        (container,) = request.overrides.container_overrides
        arguments = list(container.args)
        failed = min(1, run_container(arguments, self.scratch).returncode)
        execution = SimpleNamespace(job=name, name="", task_count=1, succeeded_count=1 - failed, failed_count=failed)
        return SimpleNamespace(metadata=SimpleNamespace(log_uri=""), result=lambda **_words: execution)

    def get_job(self, *, job_name: str, **_words: Any) -> Any:
        """Return the job, for the operator's return value."""
        from google.cloud.run_v2 import Job

        return Job(name=job_name)


class _PodStandIn(BaseOperator):  # type: ignore[misc]
    """The arguments of `KubernetesPodOperator` that the example uses; any other one is an error, as it is there."""

    template_fields = ("image", "name", "arguments", "namespace", "container_resources", "volumes", "volume_mounts")

    def __init__(
        self,
        *,
        name: str,
        namespace: str,
        image: str,
        arguments: Any,
        service_account_name: str,
        container_resources: Any,
        container_security_context: Any,
        volumes: Any,
        volume_mounts: Any,
        get_logs: bool,
        deferrable: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.namespace = namespace
        self.image = image
        self.arguments = arguments
        self.service_account_name = service_account_name
        self.container_resources = container_resources
        self.container_security_context = container_security_context
        self.volumes = volumes
        self.volume_mounts = volume_mounts
        self.get_logs = get_logs
        self.deferrable = deferrable


class _Model(SimpleNamespace):
    """A model of the client of Kubernetes: what it was made with."""

    # Airflow renders the fields of an object that names some.
    template_fields: Sequence[str] = ()


def install_pods(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> list[Any]:
    """Let pods be processes of this machine; return the list of the tasks that have run one."""
    ran: list[Any] = []
    try:
        from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator as Base
    except ImportError:
        Base = _PodStandIn
        client = ModuleType("kubernetes.client")
        names = (
            "SecurityContext",
            "Capabilities",
            "ResourceRequirements",
            "Volume",
            "EmptyDirVolumeSource",
            "VolumeMount",
        )
        client.models = SimpleNamespace(**{f"V1{name}": _Model for name in names})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "kubernetes", ModuleType("kubernetes"))
        monkeypatch.setitem(sys.modules, "kubernetes.client", client)
        for folder in (POD_MODULE.rsplit(".", 2)[0], POD_MODULE.rsplit(".", 1)[0]):
            monkeypatch.setitem(sys.modules, folder, ModuleType(folder))

    class Pod(Base):  # type: ignore[misc]
        """Runs the container here."""

        def execute(self, context: Any) -> None:  # noqa: ARG002
            ran.append(self)
            done = run_container(self.arguments, scratch)
            if done.returncode:
                message = f"Pod {self.name} returned a failure: exit code {done.returncode}"
                raise AirflowException(message)

    module = ModuleType(POD_MODULE)
    module.KubernetesPodOperator = Pod  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, POD_MODULE, module)
    return ran
