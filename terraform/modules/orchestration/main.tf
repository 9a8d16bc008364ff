# The Airflow environment: Managed Service for Apache Airflow, formerly Cloud Composer. Generation 2 has Airflow 2 on a
# cluster in this project; generation 3 keeps its cluster to itself, and has a processor of DAG files of its own.

locals {
  # The places of the DAG's settings (python/drugs_rs/airflow/settings.py). Terraform leaves {dt} alone, and the DAG
  # replaces it by the date of a run.
  places = {
    out             = "gs://${var.lake_bucket}/${var.lake_prefix}"
    drugs           = "gs://${var.landing_bucket}/{dt}/${var.deliveries.drugs}"
    clinical_trials = "gs://${var.landing_bucket}/{dt}/${var.deliveries.clinical_trials}"
    pubmed_a        = "gs://${var.landing_bucket}/{dt}/${var.deliveries.pubmed_a}"
    pubmed_b        = "gs://${var.landing_bucket}/{dt}/${var.deliveries.pubmed_b}"
  }
  environment_variables = merge(var.variables, {
    for name, value in merge(var.settings, local.places) : "DRUGS_RS_${upper(name)}" => value
  })
}

resource "google_composer_environment" "airflow" {
  project = var.project_id
  region  = var.region
  name    = var.name
  labels  = var.labels

  storage_config {
    bucket = var.environment_bucket
  }

  config {
    environment_size           = var.environment_size
    resilience_mode            = var.high_resilience ? "HIGH_RESILIENCE" : "STANDARD_RESILIENCE"
    enable_private_environment = var.generation == 3 ? var.private : null
    enable_private_builds_only = var.generation == 3 ? var.private : null

    node_config {
      network         = var.network
      subnetwork      = var.subnetwork
      service_account = var.service_account
    }

    dynamic "private_environment_config" {
      for_each = var.generation == 2 && var.private ? ["private"] : []

      content {
        enable_private_endpoint = var.private_endpoint
      }
    }

    software_config {
      image_version            = "composer-${var.generation}-airflow-${var.airflow_version}"
      env_variables            = local.environment_variables
      airflow_config_overrides = var.airflow_options
    }

    workloads_config {
      scheduler {
        cpu        = var.scheduler.cpu
        memory_gb  = var.scheduler.memory_gb
        storage_gb = var.scheduler.storage_gb
        count      = var.scheduler.count
      }

      triggerer {
        cpu       = var.triggerer.cpu
        memory_gb = var.triggerer.memory_gb
        count     = var.triggerer.count
      }

      web_server {
        cpu        = var.web_server.cpu
        memory_gb  = var.web_server.memory_gb
        storage_gb = var.web_server.storage_gb
      }

      worker {
        cpu        = var.worker.cpu
        memory_gb  = var.worker.memory_gb
        storage_gb = var.worker.storage_gb
        min_count  = var.worker.min_count
        max_count  = var.worker.max_count
      }

      dynamic "dag_processor" {
        for_each = var.generation == 3 ? [var.dag_processor] : []

        content {
          cpu        = dag_processor.value.cpu
          memory_gb  = dag_processor.value.memory_gb
          storage_gb = dag_processor.value.storage_gb
          count      = dag_processor.value.count
        }
      }
    }

    dynamic "web_server_network_access_control" {
      for_each = length(var.web_server_ranges) > 0 ? [var.web_server_ranges] : []

      content {
        dynamic "allowed_ip_range" {
          for_each = web_server_network_access_control.value

          content {
            value       = allowed_ip_range.key
            description = allowed_ip_range.value
          }
        }
      }
    }

    maintenance_window {
      start_time = var.maintenance.start_time
      end_time   = var.maintenance.end_time
      recurrence = var.maintenance.recurrence
    }
  }

  lifecycle {
    # The delivery of a release sets the version of the wheel.
    ignore_changes = [config[0].software_config[0].pypi_packages]

    precondition {
      condition     = var.generation == (startswith(var.airflow_version, "3.") ? 3 : var.generation)
      error_message = "Airflow 3 needs generation 3."
    }
  }
}

# pip of the environment asks one index alone. An extra index beside PyPI would install whichever has the higher version.
resource "google_storage_bucket_object" "pip_configuration" {
  bucket       = var.environment_bucket
  name         = "config/pip/pip.conf"
  content_type = "text/plain"
  content      = <<-EOT
    [global]
    index-url = ${var.index_url}
  EOT

  # The service lays out the bucket first.
  depends_on = [google_composer_environment.airflow]
}
