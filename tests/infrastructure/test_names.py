"""The DAG, the pages and terraform have one name for each thing."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import types
import warnings
from typing import Any

import pytest
from terraform_tool import ROOT, Resource, Workspace, of_kind, one

MODULES = ROOT / "terraform" / "modules"


@pytest.fixture(scope="module")
def settings() -> types.ModuleType:
    """Load the settings of the DAG without Airflow, which is not here, and without the native module."""
    compat: Any = types.ModuleType("drugs_rs.airflow.compat")
    compat.AirflowFailException = RuntimeError
    compat.variable = lambda _name: None
    path = ROOT / "python" / "drugs_rs" / "airflow" / "settings.py"
    spec = importlib.util.spec_from_file_location("settings_of_the_dag", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("drugs_rs", "drugs_rs.airflow"):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        patch.setitem(sys.modules, "drugs_rs.airflow.compat", compat)
        patch.setitem(sys.modules, "settings_of_the_dag", module)
        spec.loader.exec_module(module)
    return module


def variables(made: list[Resource]) -> dict[str, str]:
    """Return the variables of Airflow's processes."""
    [config] = one(made, "google_composer_environment")["config"]
    found: dict[str, str] = config["software_config"][0]["env_variables"]
    return found


def load(settings: types.ModuleType, environment: dict[str, str]) -> Any:
    """Read the settings as the DAG does; an unknown one is an error here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return settings.Settings.load(None, environment)


def test_the_dag_reads_what_terraform_sets(made: list[Resource], settings: types.ModuleType) -> None:
    read = load(settings, variables(made))
    buckets = {each.name: each.values["name"] for each in of_kind(made, "google_storage_bucket")}
    assert read.out == f"gs://{buckets['lake']}/lake"
    for source in ("drugs", "clinical_trials", "pubmed_a", "pubmed_b"):
        assert getattr(read, source).startswith(f"gs://{buckets['landing']}/{settings.DT_PLACEHOLDER}/"), source
    # From `settings` of main.tf and of the test.
    assert (read.isolation, read.min_rows) == ("subprocess", 100)
    # Nothing that only a clone has.
    assert read.samples is False


def test_a_setting_with_a_wrong_name_or_value_is_found(made: list[Resource], settings: types.ModuleType) -> None:
    with pytest.raises(UserWarning, match="DRUGS_RS_MIN_ROW in the environment is no setting"):
        load(settings, {**variables(made), "DRUGS_RS_MIN_ROW": "1"})
    with pytest.raises(settings.SettingsError, match="min_rows"):
        load(settings, {**variables(made), "DRUGS_RS_MIN_ROWS": "many"})


def test_every_place_of_the_dag_is_set(made: list[Resource]) -> None:
    dag = (ROOT / "dags" / "drug.py").read_text(encoding="utf-8")
    sources = re.search(r"^SOURCES = \{(.+)\}$", dag, re.MULTILINE)
    assert sources is not None
    names = set(json.loads("{" + sources[1] + "}"))
    assert {f"DRUGS_RS_{name.upper()}" for name in names | {"out"}} <= set(variables(made))
    orchestration = (MODULES / "orchestration" / "variables.tf").read_text(encoding="utf-8")
    deliveries = re.search(r'variable "deliveries".+?type = object\(\{(.+?)\}\)', orchestration, re.DOTALL)
    assert deliveries is not None
    assert set(re.findall(r"(\w+) += string", deliveries[1])) == names


def test_the_page_has_the_variables_of_the_environment(made: list[Resource]) -> None:
    page = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(DRUGS_RS_[A-Z_]+)` \| `([^`]+)` \|$", page, re.MULTILINE))
    for each in of_kind(made, "google_storage_bucket"):
        documented = {name: value.replace(f"<{each.name}>", each.values["name"]) for name, value in documented.items()}
    extra = {"DRUGS_RS_ISOLATION", "DRUGS_RS_MIN_ROWS", "DRUGS_RS_EXPECT_ROWS"}
    assert documented == {name: value for name, value in variables(made).items() if name not in extra}


def test_variables_that_are_no_settings_reach_airflow_and_the_job(workspace: Workspace) -> None:
    """The examples and the container read some; terraform takes back what gcloud sets, so it must know them."""
    main = workspace.folder / "terraform" / "envs" / "dev" / "main.tf"
    text = main.read_text(encoding="utf-8")
    example = (ROOT / "examples/airflow/drug_heavy.py").read_text(encoding="utf-8")
    [name] = re.findall(r'os\.environ\.get\("(\w+)", "cloud_run"\)', example)
    words = 'variables = { DRUGS_RS_STOP_WORDS_FILE = "gs://bucket/words" }'
    text = text.replace("  airflow = {", f'  airflow = {{\n    variables = {{ {name} = "kubernetes" }}')
    main.write_text(text.replace("  step = {", f"  step = {{\n    {words}"), encoding="utf-8")
    wrong, made = workspace.test("envs/dev")
    assert wrong == ""
    assert variables(made)[name] == "kubernetes"
    [outer] = one(made, "google_cloud_run_v2_job")["template"]
    [container] = outer["template"][0]["containers"]
    assert [(each["name"], each["value"]) for each in container["env"]] == [
        ("DRUGS_RS_STOP_WORDS_FILE", "gs://bucket/words")
    ]


def test_other_prefixes_and_deliveries_reach_the_dag(workspace: Workspace, settings: types.ModuleType) -> None:
    main = workspace.folder / "terraform" / "envs" / "dev" / "main.tf"
    text = main.read_text(encoding="utf-8")
    more = '  lake_prefix = "other/lake"\n  deliveries  = { pubmed_a = "pubmed/*.xml.gz" }\n\n  datasets = {'
    main.write_text(text.replace("  datasets = {", more), encoding="utf-8")
    wrong, made = workspace.test("envs/dev")
    assert wrong == ""
    read = load(settings, variables(made))
    assert read.out.endswith("-lake/other/lake")
    assert read.pubmed_a.endswith("/{dt}/pubmed/*.xml.gz") and read.pubmed_b.endswith("/{dt}/pubmed.json")


def test_the_metric_of_alerts_counts_each_line_of_an_alert(made: list[Resource]) -> None:
    """It once looked for texts alone, and Airflow 3, which `envs/dev` has, writes JSON lines."""
    spec = importlib.util.spec_from_file_location("log_filter", ROOT / "tests" / "python" / "log_filter.py")
    assert spec is not None and spec.loader is not None
    log_filter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(log_filter)
    metric = next(each for each in of_kind(made, "google_logging_metric") if each.index == "drugs_rs_alert")
    counts = log_filter.parse(metric.values["filter"])
    alerts = (ROOT / "python" / "drugs_rs" / "airflow" / "alerts.py").read_text(encoding="utf-8")
    [key] = re.findall(r'^MARK = "(\w+)"$', alerts, re.MULTILINE)
    kinds = set(re.findall(r'"kind": "(\w+)"', alerts))
    assert len(kinds) == 3
    airflow = {"resource": {"type": "cloud_composer_environment"}}
    for kind in kinds:
        line = {"severity": "ERROR", "message": "the task failed", key: {"kind": kind}}
        text = json.dumps(line)
        for entry in (
            {"textPayload": text},
            {"jsonPayload": {"event": text}},
            {"jsonPayload": {"message": text}},
            {"jsonPayload": line},
        ):
            assert counts({**airflow, **entry}), entry
            assert not counts({"resource": {"type": "cloud_run_job"}, **entry})
    assert not counts({**airflow, "jsonPayload": {"event": "another line"}})
    assert f"with the key `{key}`" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_tags_that_deliver_are_those_of_releases(made: list[Resource]) -> None:
    provider = one(made, "google_iam_workload_identity_pool_provider")
    assert "assertion.ref.startsWith('refs/tags/drugs/v')" in provider["attribute_condition"]
    page = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    assert "tags `drugs/v*`" in page and "begins with `drugs/v`" in page


def test_the_workflow_gets_its_variables_by_their_names() -> None:
    outputs = (MODULES / "platform" / "outputs.tf").read_text(encoding="utf-8")
    delivery = re.search(r'output "delivery" \{.*?value = \{(.*?)\}\n', outputs, re.DOTALL)
    assert delivery is not None
    names = set(re.findall(r"^ +([A-Z_]+) +=", delivery[1], re.MULTILINE))
    page = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    told = re.search(r"as `delivery`, the variables of the workflow: ([^.]+)\.", page)
    assert told is not None
    assert set(re.findall(r"`([A-Z_]+)`", told[1])) == names
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = set(re.findall(r"\bvars\.([A-Z_]+)", path.read_text(encoding="utf-8")))
        # The canary run is no part of the infrastructure.
        assert used - {"CANARY_DAG", "CANARY_DT"} <= names, path.name


def test_the_page_has_every_module_and_its_retention(made: list[Resource]) -> None:
    assert made
    page = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    first = page[: page.index("## Applying")]
    assert set(re.findall(r"^\| `(\w+)` \|", first, re.MULTILINE)) == {path.name for path in MODULES.iterdir()}
    platform = (MODULES / "platform" / "variables.tf").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"(\w+_days) += optional\(number, (\d+)\)", platform))
    for name, days in re.findall(r"`(\w+_days)` \((\d+)\)", page):
        assert defaults[name] == days, name


def test_the_example_of_heavy_steps_has_the_job_of_dev(environments: dict[str, list[Resource]]) -> None:
    job = one(environments["dev"], "google_cloud_run_v2_job")["name"]
    example = (ROOT / "examples/airflow/drug_heavy.py").read_text(encoding="utf-8")
    assert re.findall('^JOB = "(.*)"$', example, flags=re.MULTILINE) == [job]
