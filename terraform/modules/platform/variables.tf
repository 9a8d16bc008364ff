variable "project_id" {
  description = "Project that everything is made in. One project for each environment."
  type        = string
}

variable "region" {
  description = "Region of everything, such as europe-west1."
  type        = string
}

variable "name" {
  description = "Name of the system, the start of all names; with the environment's name at most 21 characters."
  type        = string
  default     = "drugs-rs"

  validation {
    # Names of service accounts have at most 30 characters, and the longest ending is -delivery.
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.name)) && length("${var.name}-${var.environment}") <= 21
    error_message = "Use small letters, digits and hyphens, with the environment's name at most 21 characters."
  }
}

variable "environment" {
  description = "Name of the environment, such as dev or prod."
  type        = string
}

variable "labels" {
  description = "More labels for everything that takes labels, such as a cost centre."
  type        = map(string)
  default     = {}
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes buckets, datasets and jobs with what they hold."
  type        = bool
  default     = false
}

variable "retention" {
  description = "How long things are kept; docs/infrastructure.md explains each."
  type = object({
    soft_delete_days         = optional(number, 0)
    lake_noncurrent_days     = optional(number, 7)
    landing_nearline_days    = optional(number, 90)
    landing_noncurrent_days  = optional(number, 30)
    artefact_retention_days  = optional(number, 365)
    artefact_noncurrent_days = optional(number, 30)
    airflow_log_days         = optional(number, 90)
    airflow_noncurrent_days  = optional(number, 14)
    untagged_image_days      = optional(number, 30)
    time_travel_hours        = optional(number, 168)
  })
  default = {}
}

variable "datasets" {
  description = "Name of each dataset that a lake is loaded into, with its description."
  type        = map(string)
}

variable "lake_prefix" {
  description = "Prefix of the lake in its bucket."
  type        = string
  default     = "lake"
}

variable "deliveries" {
  description = "What the DAG waits for below the date's prefix of the landing bucket."
  type = object({
    drugs           = optional(string, "drugs.csv")
    clinical_trials = optional(string, "clinical_trials.csv")
    pubmed_a        = optional(string, "pubmed.csv")
    pubmed_b        = optional(string, "pubmed.json")
  })
  default = {}
}

variable "settings" {
  description = "Other settings of the DAG by their names in docs/operations.md. Lists, numbers and booleans are JSON."
  type        = map(string)
  default     = {}
}

variable "airflow" {
  description = "Generation, version and sizes of the Airflow environment."
  type = object({
    generation       = number
    version          = string
    options          = optional(map(string), {})
    variables        = optional(map(string), {})
    environment_size = string
    high_resilience  = optional(bool, false)
    scheduler        = object({ cpu = number, memory_gb = number, storage_gb = number, count = number })
    triggerer        = object({ cpu = number, memory_gb = number, count = number })
    web_server       = object({ cpu = number, memory_gb = number, storage_gb = number })
    worker           = object({ cpu = number, memory_gb = number, storage_gb = number, min_count = number, max_count = number })
    dag_processor    = object({ cpu = number, memory_gb = number, storage_gb = number, count = number })
    maintenance      = object({ start_time = string, end_time = string, recurrence = string })
  })
}

variable "network" {
  description = "Network of the Airflow environment, whether it is private, and who reaches its pages."
  type = object({
    network           = optional(string)
    subnetwork        = optional(string)
    private           = optional(bool, true)
    private_endpoint  = optional(bool, false)
    web_server_ranges = optional(map(string), {})
  })
  default = {}
}

variable "step" {
  description = "Image, variables and size of the Cloud Run job for heavy steps."
  type = object({
    image         = string
    variables     = optional(map(string), {})
    cpu           = string
    memory        = string
    timeout_hours = optional(number, 6)
  })
}

variable "alerts" {
  description = "Folders of alert policies and metrics of logs, who gets alerts, and the address above docs/ that their links lead to; null: main on GitHub."
  type = object({
    alert_folder  = string
    metric_folder = string
    emails        = map(string)
    runbook_url   = optional(string)
  })
}

variable "github" {
  description = "Repository that may deliver, by name and number, its environment on GitHub, and the start of the tags that do."
  type = object({
    repository    = string
    repository_id = string
    environment   = optional(string, "production")
    tag_prefix    = optional(string, "drugs/v")
  })
}
