variable "project_id" {
  description = "Project that holds the buckets."
  type        = string
}

variable "region" {
  description = "Region of the buckets; the same as that of the datasets, because BigQuery loads within one location."
  type        = string
}

variable "name_prefix" {
  description = "Start of each bucket's name. Names of buckets are unique in the world, so it contains the project."
  type        = string
}

variable "labels" {
  description = "Labels of each bucket."
  type        = map(string)
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes buckets that have objects."
  type        = bool
}

variable "soft_delete_days" {
  description = "Days for which a deleted object can be restored by soft delete: 0 (off), or 7 to 90."
  type        = number

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "Use 0, or 7 to 90 days: Cloud Storage allows nothing between."
  }
}

variable "lake_noncurrent_days" {
  description = "Days for which replaced and deleted objects of the lake stay as noncurrent versions."
  type        = number

  validation {
    condition     = var.lake_noncurrent_days >= 2
    error_message = "Readers need replaced objects for a day, so use 2 days or more."
  }
}

variable "landing_nearline_days" {
  description = "Age in days at which a delivery moves to the class Nearline."
  type        = number
}

variable "landing_noncurrent_days" {
  description = "Days for which replaced and deleted deliveries stay as noncurrent versions."
  type        = number
}

variable "artefact_retention_days" {
  description = "Days for which a released file can be neither replaced nor deleted; 0: no retention policy."
  type        = number
}

variable "artefact_noncurrent_days" {
  description = "Days for which deleted artefacts stay as noncurrent versions."
  type        = number
}

variable "airflow_log_days" {
  description = "Age in days at which task logs in the environment's bucket are deleted."
  type        = number
}

variable "airflow_noncurrent_days" {
  description = "Days for which replaced DAG files and logs stay as noncurrent versions."
  type        = number
}
