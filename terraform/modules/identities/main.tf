# Who works here, and which custom roles there are. `access` says who has which role on what; docs/infrastructure.md has
# the same as a table, and a test compares them.

locals {
  accounts = {
    worker   = "Airflow's workers, schedulers and triggerer"
    step     = "Cloud Run job for heavy steps"
    delivery = "Delivery of releases from GitHub"
  }

  # The permissions of each custom role: predefined roles have more than the product needs.
  roles = {
    source_reader = {
      title       = "Read deliveries"
      permissions = ["storage.objects.get", "storage.objects.list"]
    }
    object_writer = {
      title = "Read, write and replace objects"
      permissions = [
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.get",
        "storage.objects.list",
      ]
    }
    # Without `storage.objects.delete`, which replacing needs too: a released file stays what it is.
    artefact_writer = {
      title       = "Add released files"
      permissions = ["storage.objects.create", "storage.objects.get", "storage.objects.list"]
    }
    job_creator = {
      title       = "Create jobs of BigQuery"
      permissions = ["bigquery.jobs.create"]
    }
    table_loader = {
      title = "Load tables of a dataset"
      permissions = [
        "bigquery.datasets.get",
        "bigquery.tables.create",
        "bigquery.tables.get",
        "bigquery.tables.getData",
        "bigquery.tables.list",
        "bigquery.tables.update",
        "bigquery.tables.updateData",
      ]
    }
    step_runner = {
      title       = "Run the job for heavy steps with arguments"
      permissions = ["run.jobs.get", "run.jobs.run", "run.jobs.runWithOverrides"]
    }
    step_watcher = {
      title       = "Watch executions of Cloud Run jobs"
      permissions = ["run.executions.get", "run.operations.get"]
    }
    step_updater = {
      title       = "Give the job for heavy steps a new image"
      permissions = ["run.jobs.get", "run.jobs.update"]
    }
    environment_updater = {
      title = "Update the Airflow environment and run its commands"
      permissions = [
        "composer.environments.executeAirflowCommand",
        "composer.environments.get",
        "composer.environments.update",
        "composer.operations.get",
      ]
    }
    # For generation 2 alone: gcloud lists the packages of a worker through the cluster.
    package_lister = {
      title = "List the packages of a worker"
      permissions = [
        "container.clusters.connect",
        "container.clusters.get",
        "container.namespaces.get",
        "container.namespaces.list",
        "container.pods.exec",
        "container.pods.get",
        "container.pods.list",
      ]
    }
  }
}

resource "google_service_account" "account" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = each.value
}

resource "google_project_iam_custom_role" "role" {
  for_each = local.roles

  project     = var.project_id
  role_id     = replace("${var.name}_${each.key}", "-", "_")
  title       = each.value.title
  description = "Made by terraform/modules/identities; docs/infrastructure.md says what each permission is for."
  permissions = each.value.permissions
}
