# Datasets that a lake is loaded into. Loads make the tables. There is no default expiration of partitions: it would drop
# old dates, and the log of the loads would not know it.

resource "google_bigquery_dataset" "dataset" {
  # checkov:skip=CKV_GCP_81:The tables are made of published records; Google's own keys encrypt them.
  for_each = var.datasets

  project                    = var.project_id
  dataset_id                 = each.key
  description                = each.value
  location                   = var.region
  labels                     = var.labels
  max_time_travel_hours      = var.time_travel_hours
  delete_contents_on_destroy = var.force_destroy
}
