output "lake" {
  description = "URI of the lake."
  value       = "gs://${module.storage.lake}/${var.lake_prefix}"
}

output "landing" {
  description = "URI of the bucket that deliveries go to."
  value       = "gs://${module.storage.landing}"
}

output "artefacts" {
  description = "URI of the bucket of released files."
  value       = "gs://${module.storage.artefacts}"
}

output "airflow" {
  description = "Name of the Airflow environment, where its DAG files go, and its pages."
  value = {
    name       = module.orchestration.name
    dag_prefix = module.orchestration.dag_prefix
    web_page   = module.orchestration.web_page
  }
}

output "registry" {
  description = "Where wheels and images are uploaded, and where Airflow installs from."
  value = {
    upload_url   = module.registry.upload_url
    index_url    = module.registry.index_url
    image_prefix = module.registry.image_prefix
  }
}

output "datasets" {
  description = "Datasets, as drugs-rs load takes them."
  value       = { for key, dataset in module.warehouse.dataset_ids : key => "bigquery://${var.project_id}/${dataset}" }
}

output "step" {
  description = "Name of the Cloud Run job for heavy steps."
  value       = module.heavy_step.name
}

output "delivery" {
  description = "Variables of the workflow that delivers, by their names on GitHub."
  value = {
    GCP_PROJECT                = var.project_id
    GCP_LOCATION               = var.region
    PYTHON_REPOSITORY          = basename(module.registry.repositories["wheels"])
    COMPOSER_ENVIRONMENT       = module.orchestration.name
    WORKLOAD_IDENTITY_PROVIDER = module.federation.provider
    DELIVERY_SERVICE_ACCOUNT   = module.identities.emails["delivery"]
  }
}

output "alert_policies" {
  description = "Names of the alert policies, by their files."
  value       = module.monitoring.policies
}

output "access" {
  description = "Grants that the Airflow environment waits for."
  value       = module.access.ready
}
