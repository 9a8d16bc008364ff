output "name" {
  description = "Name of the environment."
  value       = google_composer_environment.airflow.name
}

output "dag_prefix" {
  description = "Where DAG files go."
  value       = google_composer_environment.airflow.config[0].dag_gcs_prefix
}

output "web_page" {
  description = "Address of Airflow's pages."
  value       = google_composer_environment.airflow.config[0].airflow_uri
}
