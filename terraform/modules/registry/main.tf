# Wheels and images. Airflow installs through `python`, a virtual repository that asks our wheels first and PyPI only for
# other names, so that nobody can publish a package of our name elsewhere and have it installed.

resource "google_artifact_registry_repository" "wheels" {
  # checkov:skip=CKV_GCP_84:Wheels are public code; Google's own keys encrypt them.
  project       = var.project_id
  location      = var.region
  repository_id = "${var.name}-wheels"
  description   = "Released wheels of drugs_rs."
  format        = "PYTHON"
  labels        = var.labels
}

resource "google_artifact_registry_repository" "pypi" {
  # checkov:skip=CKV_GCP_84:It caches public packages.
  project       = var.project_id
  location      = var.region
  repository_id = "${var.name}-pypi"
  description   = "Cache of PyPI, for the other packages of the environment."
  format        = "PYTHON"
  mode          = "REMOTE_REPOSITORY"
  labels        = var.labels

  remote_repository_config {
    python_repository {
      public_repository = "PYPI"
    }
  }
}

resource "google_artifact_registry_repository" "python" {
  # checkov:skip=CKV_GCP_84:It stores nothing itself.
  project       = var.project_id
  location      = var.region
  repository_id = "${var.name}-python"
  description   = "What Airflow installs from: our wheels first, then PyPI."
  format        = "PYTHON"
  mode          = "VIRTUAL_REPOSITORY"
  labels        = var.labels

  virtual_repository_config {
    upstream_policies {
      id         = "wheels"
      repository = google_artifact_registry_repository.wheels.id
      priority   = 100
    }
    upstream_policies {
      id         = "pypi"
      repository = google_artifact_registry_repository.pypi.id
      priority   = 10
    }
  }
}

resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84:The image has public code and no data; Google's own keys encrypt it.
  project       = var.project_id
  location      = var.region
  repository_id = "${var.name}-images"
  description   = "Container images for heavy steps."
  format        = "DOCKER"
  labels        = var.labels

  docker_config {
    # A tag names one image for ever, so a roll-back gets what was tested.
    immutable_tags = true
  }

  cleanup_policies {
    id     = "untagged"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "${var.untagged_image_days * 24 * 60 * 60}s"
    }
  }
}
