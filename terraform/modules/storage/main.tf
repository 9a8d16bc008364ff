# The buckets. Uniform access and public access prevention hold for each; objects that were replaced or deleted stay as
# noncurrent versions for some days, so that a mistake can be undone, or a retention policy forbids both.

locals {
  # A multipart upload that a killed step left costs storage until it is aborted.
  abandoned_upload_days = 7
}

# The lake deletes its own replaced files and commits by replacing objects. So it never has a retention policy, a hold, or
# a rule that deletes live objects by age; all of these would break it.
resource "google_storage_bucket" "lake" {
  # checkov:skip=CKV_GCP_62:Usage logs cost a write for each access; Data Access audit logs of the project serve those who need them.
  name                        = "${var.name_prefix}-lake"
  project                     = var.project_id
  location                    = var.region
  labels                      = var.labels
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.lake_noncurrent_days
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = local.abandoned_upload_days
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
}

# What suppliers deliver. Bronze has an exact copy of each delivery, so old ones move to a cheaper class.
resource "google_storage_bucket" "landing" {
  # checkov:skip=CKV_GCP_62:Usage logs cost a write for each access; Data Access audit logs of the project serve those who need them.
  name                        = "${var.name_prefix}-landing"
  project                     = var.project_id
  location                    = var.region
  labels                      = var.labels
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  lifecycle_rule {
    condition {
      age        = var.landing_nearline_days
      with_state = "LIVE"
    }
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.landing_noncurrent_days
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = local.abandoned_upload_days
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
}

# Wheels, SBOMs and attestations of releases. They never change, so a retention policy protects them where there is one.
resource "google_storage_bucket" "artefacts" {
  # checkov:skip=CKV_GCP_78:A bucket with a retention policy cannot have versions, and needs none: nothing is replaced.
  # checkov:skip=CKV_GCP_62:Usage logs cost a write for each access; Data Access audit logs of the project serve those who need them.
  name                        = "${var.name_prefix}-artefacts"
  project                     = var.project_id
  location                    = var.region
  labels                      = var.labels
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  # A bucket has versions or a retention policy, not both.
  versioning {
    enabled = var.artefact_retention_days == 0
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  dynamic "retention_policy" {
    for_each = var.artefact_retention_days > 0 ? [var.artefact_retention_days] : []

    content {
      # Not locked: a lock can never be taken back, and keeps the project alive with it.
      is_locked        = false
      retention_period = retention_policy.value * 24 * 60 * 60
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.artefact_noncurrent_days
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }
}

# The bucket of the Airflow environment: dags/, config/, logs/. Its own, so that the delivery gets rights on it alone.
resource "google_storage_bucket" "environment" {
  # checkov:skip=CKV_GCP_62:Usage logs cost a write for each access; Data Access audit logs of the project serve those who need them.
  name                        = "${var.name_prefix}-airflow"
  project                     = var.project_id
  location                    = var.region
  labels                      = var.labels
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  lifecycle_rule {
    condition {
      age            = var.airflow_log_days
      matches_prefix = ["logs/"]
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.airflow_noncurrent_days
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }
}
