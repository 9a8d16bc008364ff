# Everything that one environment of the pipeline needs, put together. `envs/` calls this module with its sizes.

locals {
  name   = "${var.name}-${var.environment}"
  labels = merge(var.labels, { system = var.name, environment = var.environment })
}

resource "google_project_service" "service" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "composer.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
  ])

  project = var.project_id
  service = each.value
  # Others in the project may use it.
  disable_on_destroy = false
}

module "storage" {
  source = "../storage"

  project_id               = var.project_id
  region                   = var.region
  name_prefix              = "${var.project_id}-${local.name}"
  labels                   = local.labels
  force_destroy            = var.force_destroy
  soft_delete_days         = var.retention.soft_delete_days
  lake_noncurrent_days     = var.retention.lake_noncurrent_days
  landing_nearline_days    = var.retention.landing_nearline_days
  landing_noncurrent_days  = var.retention.landing_noncurrent_days
  artefact_retention_days  = var.retention.artefact_retention_days
  artefact_noncurrent_days = var.retention.artefact_noncurrent_days
  airflow_log_days         = var.retention.airflow_log_days
  airflow_noncurrent_days  = var.retention.airflow_noncurrent_days

  depends_on = [google_project_service.service]
}

module "identities" {
  source = "../identities"

  project_id = var.project_id
  name       = local.name

  depends_on = [google_project_service.service]
}

module "registry" {
  source = "../registry"

  project_id          = var.project_id
  region              = var.region
  name                = local.name
  labels              = local.labels
  untagged_image_days = var.retention.untagged_image_days

  depends_on = [google_project_service.service]
}

module "warehouse" {
  source = "../warehouse"

  project_id        = var.project_id
  region            = var.region
  datasets          = var.datasets
  labels            = local.labels
  time_travel_hours = var.retention.time_travel_hours
  force_destroy     = var.force_destroy

  depends_on = [google_project_service.service]
}

module "heavy_step" {
  source = "../heavy_step"

  project_id          = var.project_id
  region              = var.region
  name                = "${local.name}-step"
  labels              = local.labels
  service_account     = module.identities.emails["step"]
  image               = var.step.image
  variables           = var.step.variables
  cpu                 = var.step.cpu
  memory              = var.step.memory
  timeout_hours       = var.step.timeout_hours
  deletion_protection = !var.force_destroy

  depends_on = [google_project_service.service]
}

module "access" {
  source = "../access"

  project_id   = var.project_id
  region       = var.region
  emails       = module.identities.emails
  account_ids  = module.identities.account_ids
  roles        = module.identities.roles
  datasets     = module.warehouse.dataset_ids
  repositories = module.registry.repositories
  step_name    = module.heavy_step.name
  generation   = var.airflow.generation
  buckets = {
    lake        = module.storage.lake
    landing     = module.storage.landing
    artefacts   = module.storage.artefacts
    environment = module.storage.environment
  }
}

module "orchestration" {
  source = "../orchestration"

  project_id         = var.project_id
  region             = var.region
  name               = local.name
  labels             = local.labels
  generation         = var.airflow.generation
  airflow_version    = var.airflow.version
  airflow_options    = var.airflow.options
  variables          = var.airflow.variables
  environment_size   = var.airflow.environment_size
  high_resilience    = var.airflow.high_resilience
  scheduler          = var.airflow.scheduler
  triggerer          = var.airflow.triggerer
  web_server         = var.airflow.web_server
  worker             = var.airflow.worker
  dag_processor      = var.airflow.dag_processor
  maintenance        = var.airflow.maintenance
  service_account    = module.identities.emails["worker"]
  environment_bucket = module.storage.environment
  lake_bucket        = module.storage.lake
  lake_prefix        = var.lake_prefix
  landing_bucket     = module.storage.landing
  deliveries         = var.deliveries
  settings           = var.settings
  index_url          = module.registry.index_url
  network            = var.network.network
  subnetwork         = var.network.subnetwork
  private            = var.network.private
  private_endpoint   = var.network.private_endpoint
  web_server_ranges  = var.network.web_server_ranges

  # An environment whose account lacks a right does not start, and its failure names another cause.
  depends_on = [module.access]
}

module "monitoring" {
  source = "../monitoring"

  project_id    = var.project_id
  name          = local.name
  labels        = local.labels
  emails        = var.alerts.emails
  alert_folder  = var.alerts.alert_folder
  metric_folder = var.alerts.metric_folder
  runbook_url   = coalesce(var.alerts.runbook_url, "https://github.com/${var.github.repository}/blob/main/")

  depends_on = [google_project_service.service]
}

module "federation" {
  source = "../federation"

  project_id         = var.project_id
  name               = local.name
  repository         = var.github.repository
  repository_id      = var.github.repository_id
  github_environment = var.github.environment
  tag_prefix         = var.github.tag_prefix
  delivery_account   = module.identities.account_ids["delivery"]

  depends_on = [google_project_service.service]
}
