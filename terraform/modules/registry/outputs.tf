output "repositories" {
  description = "Name of each repository: wheels, pypi, python, images."
  value = {
    wheels = google_artifact_registry_repository.wheels.name
    pypi   = google_artifact_registry_repository.pypi.name
    python = google_artifact_registry_repository.python.name
    images = google_artifact_registry_repository.images.name
  }
}

output "upload_url" {
  description = "Address for `twine upload`."
  value       = "https://${var.region}-python.pkg.dev/${var.project_id}/${google_artifact_registry_repository.wheels.repository_id}/"
}

output "index_url" {
  description = "Package index of the Airflow environment, for pip.conf."
  value       = "https://${var.region}-python.pkg.dev/${var.project_id}/${google_artifact_registry_repository.python.repository_id}/simple/"
}

output "image_prefix" {
  description = "Start of the names of images."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}
