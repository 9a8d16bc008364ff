# Who has which role on what: the table of docs/infrastructure.md, which a test compares with these lists. Each grant adds
# one member and leaves the others, so that grants made elsewhere stay.

data "google_project" "current" {
  project_id = var.project_id
}

locals {
  # Predefined roles begin with roles/; the others are the custom ones of `identities`. The keys of grants are made of these
  # names, because terraform must know them before the roles exist.
  role_names = merge(var.roles, {
    for role in local.predefined_roles : role => role
  })
  predefined_roles = [
    "roles/artifactregistry.reader",
    "roles/artifactregistry.writer",
    "roles/composer.worker",
    "roles/iam.serviceAccountUser",
  ]

  project_grants = concat(local.generation_grants, [
    # What the service asks of the account of an environment.
    { account = "worker", role = "roles/composer.worker" },
    { account = "worker", role = "job_creator" },
    { account = "worker", role = "step_watcher" },
    { account = "step", role = "job_creator" },
    { account = "delivery", role = "environment_updater" },
    { account = "delivery", role = "step_watcher" },
  ])
  generation_grants = var.generation == 2 ? [{ account = "delivery", role = "package_lister" }] : []

  bucket_grants = [
    { account = "worker", on = "landing", role = "source_reader" },
    { account = "worker", on = "lake", role = "object_writer" },
    { account = "step", on = "landing", role = "source_reader" },
    { account = "step", on = "lake", role = "object_writer" },
    { account = "delivery", on = "artefacts", role = "artefact_writer" },
    { account = "delivery", on = "environment", role = "object_writer" },
  ]

  dataset_grants = [
    { account = "worker", role = "table_loader" },
    { account = "step", role = "table_loader" },
  ]

  repository_grants = [
    { account = "worker", on = "python", role = "roles/artifactregistry.reader" },
    { account = "delivery", on = "wheels", role = "roles/artifactregistry.writer" },
    { account = "delivery", on = "images", role = "roles/artifactregistry.writer" },
  ]

  step_grants = [
    { account = "worker", role = "step_runner" },
    { account = "delivery", role = "step_updater" },
  ]

  # Whoever updates something that runs as an account must be allowed to act as it.
  account_grants = [
    { account = "delivery", on = "worker", role = "roles/iam.serviceAccountUser" },
    { account = "delivery", on = "step", role = "roles/iam.serviceAccountUser" },
  ]
}

resource "google_project_iam_member" "grant" {
  for_each = { for grant in local.project_grants : "${grant.account}/${basename(grant.role)}" => grant }

  project = var.project_id
  role    = local.role_names[each.value.role]
  member  = "serviceAccount:${var.emails[each.value.account]}"
}

resource "google_storage_bucket_iam_member" "grant" {
  for_each = { for grant in local.bucket_grants : "${grant.account}/${grant.on}/${basename(grant.role)}" => grant }

  bucket = var.buckets[each.value.on]
  role   = local.role_names[each.value.role]
  member = "serviceAccount:${var.emails[each.value.account]}"
}

resource "google_bigquery_dataset_iam_member" "grant" {
  for_each = {
    for pair in setproduct(local.dataset_grants, keys(var.datasets)) :
    "${pair[0].account}/${pair[1]}/${basename(pair[0].role)}" => { grant = pair[0], dataset = var.datasets[pair[1]] }
  }

  project    = var.project_id
  dataset_id = each.value.dataset
  role       = local.role_names[each.value.grant.role]
  member     = "serviceAccount:${var.emails[each.value.grant.account]}"
}

resource "google_artifact_registry_repository_iam_member" "grant" {
  for_each = { for grant in local.repository_grants : "${grant.account}/${grant.on}/${basename(grant.role)}" => grant }

  project    = var.project_id
  location   = var.region
  repository = var.repositories[each.value.on]
  role       = local.role_names[each.value.role]
  member     = "serviceAccount:${var.emails[each.value.account]}"
}

resource "google_cloud_run_v2_job_iam_member" "grant" {
  for_each = { for grant in local.step_grants : "${grant.account}/${basename(grant.role)}" => grant }

  project  = var.project_id
  location = var.region
  name     = var.step_name
  role     = local.role_names[each.value.role]
  member   = "serviceAccount:${var.emails[each.value.account]}"
}

resource "google_service_account_iam_member" "grant" {
  for_each = { for grant in local.account_grants : "${grant.account}/${grant.on}/${basename(grant.role)}" => grant }

  service_account_id = var.account_ids[each.value.on]
  role               = local.role_names[each.value.role]
  member             = "serviceAccount:${var.emails[each.value.account]}"
}

# Generation 2 runs its cluster in this project: Google's own agent of the service binds the cluster's accounts to the
# worker's account.
resource "google_service_account_iam_member" "service_agent" {
  count = var.generation == 2 ? 1 : 0

  service_account_id = var.account_ids["worker"]
  role               = "roles/composer.ServiceAgentV2Ext"
  member             = "serviceAccount:service-${data.google_project.current.number}@cloudcomposer-accounts.iam.gserviceaccount.com"
}
