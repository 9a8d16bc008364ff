"""Who may do what: terraform, `docs/infrastructure.md` and the pages that say what the product needs agree."""

from __future__ import annotations

import re

from terraform_tool import ROOT, Resource, of_kind, one

PAGE = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
# What a grant of each kind is on, and the value that names it.
PLACES = {
    "google_project_iam_member": ("project", ""),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
    "google_bigquery_dataset_iam_member": ("datasets", ""),
    "google_artifact_registry_repository_iam_member": ("repository", "repository"),
    "google_cloud_run_v2_job_iam_member": ("job", ""),
    "google_service_account_iam_member": ("account", "service_account_id"),
}
# Roles of Google that give more than a product should have.
BROAD = re.compile(r"roles/(owner|editor|viewer)$|[aA]dmin$|\*|roles/storage\.|roles/bigquery\.")


def table(heading: str) -> list[list[str]]:
    """Return the first table below a heading, without its head and without marks of code."""
    section = PAGE[PAGE.index(f"\n{heading}\n") :]
    lines = re.search(r"\n((?:\|[^\n]+\|\n)+)", section)
    assert lines is not None
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1].splitlines()]
    return [[cell.replace("`", "") for cell in row] for row in rows[2:]]


def custom_roles(made: list[Resource]) -> dict[str, Resource]:
    """Return the custom roles by the names that grants have for them."""
    return {each.values["id"]: each for each in of_kind(made, "google_project_iam_custom_role")}


def granted(made: list[Resource]) -> set[tuple[str, str, str]]:
    """Return account, role and place of each grant, by following what terraform has filled in."""
    members = {f"serviceAccount:{each.values['email']}": str(each.index) for each in accounts(made)}
    roles = {name: str(each.index) for name, each in custom_roles(made).items()}
    names = {each.values["name"]: each.name for each in of_kind(made, "google_storage_bucket")}
    names |= {each.values["name"]: each.name for each in of_kind(made, "google_artifact_registry_repository")}
    names |= {each.values["name"]: str(each.index) for each in accounts(made)}
    found = set()
    for each in made:
        # A policy or a binding would take away the rights of everybody else.
        assert not re.search(r"_iam_(policy|binding)$", each.kind)
        if not each.kind.endswith("_iam_member"):
            continue
        place, named = PLACES[each.kind]
        member = each.values["member"]
        account = members.get(member, "GitHub" if member.startswith("principalSet://") else "service agent")
        on = f"{place} {names[each.values[named]]}" if named else place
        found.add((account, roles.get(each.values["role"], each.values["role"]), on))
    return found


def accounts(made: list[Resource]) -> list[Resource]:
    """Return the service accounts."""
    return of_kind(made, "google_service_account")


def test_the_table_of_grants_is_what_terraform_grants(made: list[Resource]) -> None:
    [software] = one(made, "google_composer_environment")["config"][0]["software_config"]
    third = software["image_version"].startswith("composer-3")
    rows = [row for row in table("## Permissions") if not (third and row[3].startswith("generation 2 alone"))]
    assert granted(made) == {(account, role, on) for account, role, on, _ in rows}
    assert all(reason for _, _, _, reason in table("## Permissions"))


def test_the_table_of_custom_roles_is_what_terraform_makes(made: list[Resource]) -> None:
    found = {str(each.index): sorted(each.values["permissions"]) for each in custom_roles(made).values()}
    assert found == {role: sorted(permissions.split(", ")) for role, permissions in table("### Custom roles")}


def test_every_custom_role_is_granted_and_none_is_broad(environments: dict[str, list[Resource]]) -> None:
    grants = set().union(*map(granted, environments.values()))
    roles = custom_roles(environments["prod"])
    assert {role for _, role, _ in grants if "/" not in role} == {str(each.index) for each in roles.values()}
    for _, role, _ in grants:
        assert not BROAD.search(role), role
    for each in roles.values():
        for permission in each.values["permissions"]:
            assert re.fullmatch(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+", permission), permission
            assert not permission.endswith((".setIamPolicy", ".actAs", ".getAccessToken")), permission


def test_everybody_is_an_account_of_ours_and_nobody_has_a_key(made: list[Resource]) -> None:
    assert {str(each.index) for each in accounts(made)} == {"worker", "step", "delivery"}
    assert {account for account, _, _ in granted(made)} <= {"worker", "step", "delivery", "GitHub", "service agent"}
    assert not of_kind(made, "google_service_account_key")
    for each in made:
        assert not {"allUsers", "allAuthenticatedUsers"} & {str(value) for value in each.values.values()}


def test_buckets_have_the_permissions_that_operations_names(made: list[Resource]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = {row[0]: row[1] for row in re.findall(r"^\| (sources|a lake) \| ([^|]+) \|", page, re.MULTILINE)}
    source = set(re.findall(r"storage\.objects\.\w+", rows["sources"]))
    lake = source | set(re.findall(r"storage\.objects\.\w+", rows["a lake"]))
    roles = {str(each.index): set(each.values["permissions"]) for each in custom_roles(made).values()}
    assert (roles["source_reader"], roles["object_writer"]) == (source, lake)
    # Whoever runs steps has exactly these.
    for account in ("worker", "step"):
        assert {(account, "source_reader", "bucket landing"), (account, "object_writer", "bucket lake")} <= granted(
            made
        )


def test_loads_have_the_permissions_that_bigquery_names(made: list[Resource]) -> None:
    page = (ROOT / "docs" / "bigquery.md").read_text(encoding="utf-8")
    rights = page[page.index("## Rights") : page.index("## When a load fails")]
    needed = set()
    for cell in re.findall(r"^\| (`bigquery[^|]+) \|", rights, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        needed |= {first, *(f"{first.rpartition('.')[0]}.{other}" for other in others)}
    # Terraform makes the datasets.
    needed.remove("bigquery.datasets.create")
    roles = {str(each.index): set(each.values["permissions"]) for each in custom_roles(made).values()}
    assert roles["job_creator"] | roles["table_loader"] == needed
