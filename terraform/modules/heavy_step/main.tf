# A Cloud Run job for steps that need more memory than a worker has. The entry point of its image is `drugs-rs`, and each
# execution gets its own arguments: without them the command fails, so that no execution that lost them is a success.
# Files that a step writes to /tmp count as memory.

resource "google_cloud_run_v2_job" "step" {
  project             = var.project_id
  location            = var.region
  name                = var.name
  labels              = var.labels
  deletion_protection = var.deletion_protection

  template {
    # A lake has one writer for a date; Airflow retries what failed.
    parallelism = 1
    task_count  = 1

    template {
      service_account = var.service_account
      timeout         = "${var.timeout_hours * 60 * 60}s"
      max_retries     = 0

      containers {
        image = var.image

        dynamic "env" {
          for_each = var.variables

          content {
            name  = env.key
            value = env.value
          }
        }

        resources {
          limits = {
            cpu    = var.cpu
            memory = var.memory
          }
        }
      }
    }
  }

  lifecycle {
    # The delivery of a release sets the image, and gcloud notes itself as the client.
    ignore_changes = [template[0].template[0].containers[0].image, client, client_version]
  }
}
