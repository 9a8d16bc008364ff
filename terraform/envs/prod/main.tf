# Production: room for a whole day of PubMed, two of what must not be missing, and nothing that holds data is destroyed.

module "platform" {
  source = "../../modules/platform"

  project_id  = var.project_id
  region      = var.region
  environment = "prod"

  datasets = {
    drugs = "Which drug is mentioned where and when: the tables of the lake."
  }

  settings = merge({ isolation = "subprocess", expect_rows = "50%" }, var.settings)

  airflow = {
    generation       = 2
    version          = "2.10.5"
    environment_size = "ENVIRONMENT_SIZE_MEDIUM"
    high_resilience  = true
    scheduler        = { cpu = 1, memory_gb = 4, storage_gb = 2, count = 2 }
    triggerer        = { cpu = 0.5, memory_gb = 1, count = 2 }
    web_server       = { cpu = 1, memory_gb = 4, storage_gb = 2 }
    worker           = { cpu = 2, memory_gb = 8, storage_gb = 10, min_count = 2, max_count = 6 }
    dag_processor    = { cpu = 1, memory_gb = 4, storage_gb = 2, count = 2 }

    maintenance = {
      start_time = "2024-01-06T00:00:00Z"
      end_time   = "2024-01-06T12:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA"
    }
  }

  network = {
    network           = var.network
    subnetwork        = var.subnetwork
    web_server_ranges = var.web_server_ranges
  }

  step = {
    image  = var.image
    cpu    = "4"
    memory = "16Gi"
  }

  alerts = {
    alert_folder  = "${path.module}/../../../monitoring/alerts"
    metric_folder = "${path.module}/../../../monitoring/metrics"
    emails        = var.alert_emails
  }

  github = {
    repository    = var.github_repository
    repository_id = var.github_repository_id
  }
}
