"""Terraform itself checks, plans and makes both environments; what it makes is what the pages promise."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from terraform_tool import ROOT, Resource, Workspace, of_kind, one

BUCKETS = {"lake": "lake", "landing": "landing", "artefacts": "artefacts", "environment": "airflow"}
DAY = 24 * 60 * 60


def change(workspace: Workspace, path: str, old: str, new: str) -> None:
    """Replace a text that must be there."""
    file = workspace.folder / "terraform" / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_files_have_the_format_of_terraform(workspace: Workspace) -> None:
    done = workspace.run(".", "fmt", "-check", "-diff", "-recursive")
    assert done.returncode == 0, done.stdout
    change(workspace, "modules/storage/main.tf", "  name ", " name ")
    assert workspace.run(".", "fmt", "-check", "-recursive").returncode != 0


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_terraform_finds_both_valid(shared: Workspace, environment: str) -> None:
    assert shared.validate(f"envs/{environment}") == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("modules/storage/main.tf", "public_access_prevention ", "public_access ", "Unsupported argument"),
        (
            "modules/storage/outputs.tf",
            "google_storage_bucket.lake",
            "google_storage_bucket.sea",
            "undeclared resource",
        ),
        ("modules/storage/main.tf", "  versioning {", "  versions {", "Unsupported block type"),
        ("modules/storage/main.tf", "    enabled = true", '    enabled = "perhaps"', "a bool is required"),
        ("modules/storage/main.tf", "  location                    = var.region\n", "", "Missing required argument"),
        ("modules/platform/main.tf", "module.storage.lake\n", "module.storage.pond\n", "Unsupported attribute"),
        ("modules/platform/main.tf", "var.lake_prefix", "var.lake_suffix", "undeclared input variable"),
        (
            "modules/access/main.tf",
            "data.google_project.current.number",
            "data.google_project.current.size",
            "has no argument",
        ),
    ],
)
def test_terraform_knows_the_arguments_of_resources(
    workspace: Workspace, path: str, old: str, new: str, told: str
) -> None:
    change(workspace, path, old, new)
    assert told in workspace.validate("envs/dev")


def test_every_bucket_is_private_and_keeps_versions(made: list[Resource]) -> None:
    buckets = of_kind(made, "google_storage_bucket")
    assert {each.name for each in buckets} == set(BUCKETS)
    for each in buckets:
        assert each.values["name"].endswith(f"-{BUCKETS[each.name]}")
        assert each.values["uniform_bucket_level_access"] is True
        assert each.values["public_access_prevention"] == "enforced"
        # Cloud Storage refuses a bucket with both.
        assert each.values["versioning"] == [{"enabled": not each.values["retention_policy"]}]
        assert [rule for rule in each.values["lifecycle_rule"] if deletes_noncurrent(rule)]


def deletes_noncurrent(rule: dict[str, Any]) -> bool:
    """Return whether a rule deletes nothing but versions that were replaced or deleted."""
    [action], [condition] = rule["action"], rule["condition"]
    ended = condition["days_since_noncurrent_time"]
    return bool(action["type"] == "Delete" and ended and ended > 0 and condition["with_state"] == "ARCHIVED")


def test_nothing_forbids_the_lake_to_delete_or_deletes_what_it_has(made: list[Resource]) -> None:
    lake = one(made, "google_storage_bucket", "lake")
    assert lake["retention_policy"] == []
    assert not lake["default_event_based_hold"] and not lake["enable_object_retention"]
    for rule in lake["lifecycle_rule"]:
        [action] = rule["action"]
        assert deletes_noncurrent(rule) or action["type"] == "AbortIncompleteMultipartUpload", rule
    for each in of_kind(made, "google_storage_bucket"):
        for policy in each.values["retention_policy"]:
            assert each.name == "artefacts" and policy["is_locked"] is False


def test_production_keeps_its_data_and_development_can_go(environments: dict[str, list[Resource]]) -> None:
    for environment, destroyed in (("dev", True), ("prod", False)):
        made = environments[environment]
        for each in of_kind(made, "google_storage_bucket"):
            assert each.values["force_destroy"] is destroyed
        for each in of_kind(made, "google_bigquery_dataset"):
            assert each.values["delete_contents_on_destroy"] is destroyed
        assert one(made, "google_cloud_run_v2_job")["deletion_protection"] is not destroyed
        retention = one(made, "google_storage_bucket", "artefacts")["retention_policy"]
        assert [each["retention_period"] for each in retention] == ([] if destroyed else [365 * DAY])


def test_datasets_expire_nothing_and_lie_where_the_lake_lies(made: list[Resource]) -> None:
    lake = one(made, "google_storage_bucket", "lake")
    for each in of_kind(made, "google_bigquery_dataset"):
        assert each.values["default_partition_expiration_ms"] is None
        assert each.values["default_table_expiration_ms"] is None
        assert each.values["location"] == lake["location"]
    assert one(made, "google_cloud_run_v2_job")["location"] == lake["location"]


@pytest.mark.parametrize(("generation", "version"), [(2, "2.6.3"), (2, "2.10.5"), (3, "2.10.5"), (3, "3.1.7")])
def test_each_generation_gets_what_it_has(workspace: Workspace, generation: int, version: str) -> None:
    main = workspace.folder / "terraform" / "envs" / "prod" / "main.tf"
    text = main.read_text(encoding="utf-8")
    text = re.sub(r"generation( +)= \d", rf"generation\1= {generation}", text)
    main.write_text(re.sub(r'version( +)= "[^"]+"', rf'version\1= "{version}"', text), encoding="utf-8")
    wrong, made = workspace.test("envs/prod")
    assert wrong == ""
    [config] = one(made, "google_composer_environment")["config"]
    [software], [workloads] = config["software_config"], config["workloads_config"]
    assert software["image_version"] == f"composer-{generation}-airflow-{version}"
    # Each generation refuses what the other has.
    assert len(workloads["dag_processor"]) == (1 if generation == 3 else 0)
    assert len(config["private_environment_config"]) == (1 if generation == 2 else 0)
    assert config["enable_private_environment"] is (True if generation == 3 else None)
    agents = [each for each in of_kind(made, "google_service_account_iam_member") if each.name == "service_agent"]
    assert len(agents) == (1 if generation == 2 else 0)
    grants = {each.index for each in of_kind(made, "google_project_iam_member")}
    assert ("delivery/package_lister" in grants) == (generation == 2)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('version          = "2.10.5"', 'version          = "3.1.7"', "Airflow 3 needs generation 3"),
        ("generation       = 2", "generation       = 1", "Use 2 or 3"),
        ('version          = "2.10.5"', 'version          = "latest"', "Use a whole version"),
        ("memory_gb = 1, count = 2 }", "memory_gb = 1, count = 0 }", "use at least one"),
        ('isolation = "subprocess"', 'out = "gs://elsewhere"', "Terraform sets the places"),
        ("  airflow = {", '  airflow = {\n    variables = { DRUGS_RS_OUT = "x" }', "are settings of the DAG"),
        ("  alerts = {", '  alerts = {\n    runbook_url = "docs"', "begins with https://"),
        ("ENVIRONMENT_SIZE_MEDIUM", "MEDIUM", "Use ENVIRONMENT_SIZE_SMALL"),
        ('environment = "prod"', 'environment = "production-of-everything"', "at most 21 characters"),
        ("  datasets = {", "  retention = { soft_delete_days = 3 }\n\n  datasets = {", "7 to 90"),
        ("  datasets = {", "  retention = { lake_noncurrent_days = 0 }\n\n  datasets = {", "2 days or more"),
    ],
)
def test_values_that_cannot_work_are_refused(workspace: Workspace, old: str, new: str, told: str) -> None:
    change(workspace, "envs/prod/main.tf", old, new)
    wrong, _ = workspace.test("envs/prod")
    assert told in wrong


@pytest.mark.parametrize("name", ["a'b/c", "owner/*", "owner", "owner/name' || 'a' == 'a"])
def test_a_repository_that_is_no_name_is_refused(workspace: Workspace, name: str) -> None:
    change(workspace, "envs/dev/tests/whole.tftest.hcl", "some-owner/some-name", name)
    assert "Use owner/name" in workspace.test("envs/dev")[0]


def test_pip_asks_one_index_and_our_wheels_come_first(made: list[Resource]) -> None:
    pip = one(made, "google_storage_bucket_object", "pip_configuration")
    assert pip["name"] == "config/pip/pip.conf"
    assert pip["bucket"] == one(made, "google_storage_bucket", "environment")["name"]
    section, *lines = pip["content"].splitlines()
    assert section == "[global]" and len(lines) == 1 and lines[0].startswith("index-url = https://")
    virtual = one(made, "google_artifact_registry_repository", "python")
    assert f"/{virtual['repository_id']}/simple/" in lines[0]
    [upstreams] = virtual["virtual_repository_config"]
    ranks = {each["id"]: each["priority"] for each in upstreams["upstream_policies"]}
    assert ranks["wheels"] > ranks["pypi"]
    assert one(made, "google_artifact_registry_repository", "images")["docker_config"] == [{"immutable_tags": True}]


def test_the_job_runs_as_its_own_account_with_the_given_image(made: list[Resource]) -> None:
    [outer] = one(made, "google_cloud_run_v2_job")["template"]
    [inner] = outer["template"]
    [container] = inner["containers"]
    accounts = {each.index: each.values["email"] for each in of_kind(made, "google_service_account")}
    assert inner["service_account"] == accounts["step"]
    # An execution that lost its arguments fails: with `--version` it was a success that had done nothing.
    assert container["image"].endswith("/drugs-rs:0") and not container["args"]
    # The entry point of the image is the command; Airflow repeats what failed.
    assert not container["command"] and inner["max_retries"] == 0 and outer["task_count"] == 1
    [limits] = container["resources"]
    assert set(limits["limits"]) == {"cpu", "memory"}


def holds(condition: str, claims: dict[str, str]) -> bool:
    """Evaluate a condition of Google's language as far as ours uses it, and refuse any other."""
    for term in condition.split(" && "):
        if equal := re.fullmatch(r"assertion\.(\w+) == '([^'\\]*)'", term):
            if claims[equal[1]] != equal[2]:
                return False
        elif start := re.fullmatch(r"assertion\.(\w+)\.startsWith\('([^'\\]+)'\)", term):
            if not claims[start[1]].startswith(start[2]):
                return False
        else:
            raise AssertionError(term)
    return True


def test_github_delivers_from_tags_of_one_repository_alone(made: list[Resource]) -> None:
    provider = one(made, "google_iam_workload_identity_pool_provider")
    good = {
        "repository": "some-owner/some-name",
        "repository_id": "12345",
        "environment": "production",
        "ref_type": "tag",
        "ref": "refs/tags/drugs/v1.2.3",
    }
    condition = provider["attribute_condition"]
    assert holds(condition, good)
    for name, value in (
        ("repository", "some-owner/other"),
        ("repository_id", "54321"),
        ("environment", "other"),
        ("ref_type", "branch"),
        ("ref", "refs/heads/drugs/v1"),
        ("ref", "refs/tags/v1.2.3"),
        ("ref", "refs/pull/1/merge"),
    ):
        assert not holds(condition, {**good, name: value}), (name, value)
    [issuer] = provider["oidc"]
    assert issuer["issuer_uri"] == "https://token.actions.githubusercontent.com"
    member = one(made, "google_service_account_iam_member", "release")["member"]
    assert member.endswith("/attribute.repository_id/12345")
    assert provider["attribute_mapping"]["attribute.repository_id"] == "assertion.repository_id"


def policies(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the alert policies of an environment."""
    wrong, made = workspace.test("envs/dev")
    assert wrong == ""
    return [each.values for each in of_kind(made, "google_monitoring_alert_policy")]


def test_each_alert_file_is_a_policy(workspace: Workspace) -> None:
    folder = workspace.folder / "monitoring" / "alerts"
    present = len(list(folder.glob("*"))) if folder.exists() else 0
    assert len(policies(workspace)) == present
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "made_up_lines.yaml").write_text(
        "display_name: Lines\ncombiner: OR\ndocumentation: {content: read the runbook}\nconditions:\n"
        '- display_name: a line\n  condition_matched_log: {filter: "textPayload:broken"}\n',
        encoding="utf-8",
    )
    counted = {
        "display_name": "Count",
        "documentation": {"content": "read the runbook"},
        "conditions": [
            {
                "display_name": "many",
                "condition_threshold": {
                    "filter": 'metric.type="logging.googleapis.com/user/drugs_rs_alert"',
                    "comparison": "COMPARISON_GT",
                    "threshold_value": 0,
                    "duration": "0s",
                    "aggregations": [{"alignment_period": "300s", "per_series_aligner": "ALIGN_DELTA"}],
                    "trigger": {"count": 1},
                },
            }
        ],
    }
    (folder / "made_up_count.json").write_text(json.dumps(counted), encoding="utf-8")
    found = {each["display_name"]: each for each in policies(workspace)}
    assert len(found) == present + 2
    lines, count = found["Lines"], found["Count"]
    assert lines["conditions"][0]["condition_matched_log"][0]["filter"] == "textPayload:broken"
    assert lines["alert_strategy"][0]["notification_rate_limit"] == [{"period": "300s"}]
    [threshold] = count["conditions"][0]["condition_threshold"]
    assert threshold["aggregations"][0]["per_series_aligner"] == "ALIGN_DELTA" and threshold["trigger"][0]["count"] == 1
    # Only policies on lines of a log may have a limit.
    assert count["alert_strategy"][0]["notification_rate_limit"] == []
    assert all(len(each["notification_channels"]) == 1 for each in found.values())


def test_an_alert_file_without_a_condition_is_refused(workspace: Workspace) -> None:
    folder = workspace.folder / "monitoring" / "alerts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty.yaml").write_text(
        "display_name: None\ndocumentation: {content: x}\nconditions: [{display_name: nothing}]\n", encoding="utf-8"
    )
    assert "A condition of empty has none of" in workspace.test("envs/dev")[0]


def test_every_alert_of_the_project_keeps_its_own_words(made: list[Resource]) -> None:
    folder = ROOT / "monitoring" / "alerts"
    found = {each.index: each.values for each in of_kind(made, "google_monitoring_alert_policy")}
    files = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")} if folder.exists() else {}
    assert set(files) <= set(found)
    for name, text in files.items():
        assert found[name]["display_name"] in text
        for condition in found[name]["conditions"]:
            assert condition["display_name"] in text


def test_a_notification_leads_to_its_runbook_entry(made: list[Resource]) -> None:
    """A mail has no folder that `docs/incidents.md` could be relative to."""
    page = (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")
    anchors = {title.lower().replace(" ", "-") for title in re.findall(r"^### (.+)$", page, re.MULTILINE)}
    found = of_kind(made, "google_monitoring_alert_policy")
    assert found
    for each in found:
        [documentation] = each.values["documentation"]
        [(address, anchor)] = re.findall(r"\]\(([^)#]+)#([^)]+)\)", documentation["content"])
        assert address == "https://github.com/some-owner/some-name/blob/main/docs/incidents.md"
        assert anchor in anchors
