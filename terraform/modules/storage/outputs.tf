output "lake" {
  description = "Name of the lake's bucket."
  value       = google_storage_bucket.lake.name
}

output "landing" {
  description = "Name of the bucket of deliveries."
  value       = google_storage_bucket.landing.name
}

output "artefacts" {
  description = "Name of the bucket of released files."
  value       = google_storage_bucket.artefacts.name
}

output "environment" {
  description = "Name of the Airflow environment's bucket."
  value       = google_storage_bucket.environment.name
}
