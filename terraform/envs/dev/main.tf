# Development: the smallest sizes, and everything can be destroyed with what it holds.

module "platform" {
  source = "../../modules/platform"

  project_id    = var.project_id
  region        = var.region
  environment   = "dev"
  force_destroy = true

  retention = {
    lake_noncurrent_days    = 2
    landing_noncurrent_days = 2
    # A retention policy would keep `terraform destroy` from deleting the bucket.
    artefact_retention_days = 0
    airflow_log_days        = 14
    airflow_noncurrent_days = 2
    untagged_image_days     = 7
    time_travel_hours       = 48
  }

  datasets = {
    drugs = "Which drug is mentioned where and when: the tables of the lake."
  }

  settings = merge({ isolation = "subprocess" }, var.settings)

  airflow = {
    generation       = 3
    version          = "3.1.7"
    environment_size = "ENVIRONMENT_SIZE_SMALL"
    scheduler        = { cpu = 0.5, memory_gb = 2, storage_gb = 1, count = 1 }
    triggerer        = { cpu = 0.5, memory_gb = 1, count = 1 }
    web_server       = { cpu = 1, memory_gb = 2, storage_gb = 1 }
    worker           = { cpu = 1, memory_gb = 4, storage_gb = 10, min_count = 1, max_count = 2 }
    dag_processor    = { cpu = 0.5, memory_gb = 2, storage_gb = 1, count = 1 }

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
    cpu    = "2"
    memory = "4Gi"
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
