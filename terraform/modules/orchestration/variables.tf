variable "project_id" {
  description = "Project of the environment."
  type        = string
}

variable "region" {
  description = "Region of the environment; that of its bucket."
  type        = string
}

variable "name" {
  description = "Name of the environment."
  type        = string
}

variable "labels" {
  description = "Labels of the environment."
  type        = map(string)
}

variable "generation" {
  description = "Generation of the service: 2 for Airflow 2, 3 for Airflow 2.10 and newer."
  type        = number

  validation {
    condition     = contains([2, 3], var.generation)
    error_message = "Use 2 or 3: earlier generations have ended."
  }
}

variable "airflow_version" {
  description = "Version of Airflow in the image, such as 2.10.5 or 3.1.7."
  type        = string

  validation {
    condition     = can(regex("^[23]\\.[0-9]+\\.[0-9]+(-build\\.[0-9]+)?$", var.airflow_version))
    error_message = "Use a whole version of Airflow 2 or 3, such as 2.10.5."
  }
}

variable "service_account" {
  description = "Email of the service account of workers, schedulers and triggerer."
  type        = string
}

variable "environment_bucket" {
  description = "Bucket of dags/, config/ and logs/."
  type        = string
}

variable "lake_bucket" {
  description = "Bucket of the lake."
  type        = string
}

variable "lake_prefix" {
  description = "Prefix of the lake in its bucket."
  type        = string
}

variable "landing_bucket" {
  description = "Bucket of the deliveries."
  type        = string
}

variable "deliveries" {
  description = "What the DAG waits for below the date's prefix of the landing bucket: a file, a glob or a prefix for each source."
  type = object({
    drugs           = string
    clinical_trials = string
    pubmed_a        = string
    pubmed_b        = string
  })
}

variable "settings" {
  description = "Other settings of the DAG by their names in docs/operations.md. Lists, numbers and booleans are JSON."
  type        = map(string)

  validation {
    condition     = length(setintersection(keys(var.settings), ["out", "drugs", "clinical_trials", "pubmed_a", "pubmed_b"])) == 0
    error_message = "Terraform sets the places of the lake and of the deliveries from its buckets: use lake_prefix and deliveries."
  }
}

variable "variables" {
  description = "Variables of Airflow's processes that are no settings of the DAG, such as DRUG_HEAVY_RUN_BY of an example."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.variables) : !startswith(name, "DRUGS_RS_")])
    error_message = "DRUGS_RS_... are settings of the DAG: use settings, lake_prefix and deliveries."
  }
}

variable "airflow_options" {
  description = "Options of Airflow as section-name, such as core-dags_are_paused_at_creation."
  type        = map(string)
}

variable "index_url" {
  description = "The one package index of pip in the environment."
  type        = string
}

variable "network" {
  description = "Network of the environment; null: the default network."
  type        = string
}

variable "subnetwork" {
  description = "Subnetwork of the environment; null: that of the default network."
  type        = string
}

variable "private" {
  description = "Whether the environment has no public addresses."
  type        = bool
}

variable "private_endpoint" {
  description = "Generation 2: whether the cluster's API has no public address; then a delivery has to run inside the network."
  type        = bool
}

variable "environment_size" {
  description = "Size of what the service runs itself, such as its database."
  type        = string

  validation {
    condition = contains(
      ["ENVIRONMENT_SIZE_SMALL", "ENVIRONMENT_SIZE_MEDIUM", "ENVIRONMENT_SIZE_LARGE"], var.environment_size
    )
    error_message = "Use ENVIRONMENT_SIZE_SMALL, ENVIRONMENT_SIZE_MEDIUM or ENVIRONMENT_SIZE_LARGE."
  }
}

variable "high_resilience" {
  description = "Whether schedulers, web servers and the database run in two zones; needs two schedulers and two triggerers."
  type        = bool
}

variable "scheduler" {
  description = "Size and number of schedulers."
  type        = object({ cpu = number, memory_gb = number, storage_gb = number, count = number })
}

variable "triggerer" {
  description = "Size and number of triggerers; sensors of buckets wait there, so at least one."
  type        = object({ cpu = number, memory_gb = number, count = number })

  validation {
    condition     = var.triggerer.count >= 1
    error_message = "Deferrable sensors wait in a triggerer: use at least one."
  }
}

variable "web_server" {
  description = "Size of the web server."
  type        = object({ cpu = number, memory_gb = number, storage_gb = number })
}

variable "worker" {
  description = "Size of a worker, and how many there are at least and at most."
  type        = object({ cpu = number, memory_gb = number, storage_gb = number, min_count = number, max_count = number })
}

variable "dag_processor" {
  description = "Size and number of processors of DAG files, which generation 3 has."
  type        = object({ cpu = number, memory_gb = number, storage_gb = number, count = number })
}

variable "web_server_ranges" {
  description = "Ranges of addresses that reach Airflow's pages, each with a description; empty: all, after they log in."
  type        = map(string)
}

variable "maintenance" {
  description = "When the service may restart parts of the environment: at least 12 hours a week."
  type        = object({ start_time = string, end_time = string, recurrence = string })
}
