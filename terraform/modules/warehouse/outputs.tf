output "dataset_ids" {
  description = "Name of each dataset."
  value       = { for key, dataset in google_bigquery_dataset.dataset : key => dataset.dataset_id }
}
