variable "project_id" {
  description = "Project of this environment."
  type        = string
}

variable "region" {
  description = "Region of everything, such as europe-west1."
  type        = string
}

variable "image" {
  description = "Image of the Cloud Run job until the first delivery replaces it; its entry point is the command drugs-rs."
  type        = string
}

variable "alert_emails" {
  description = "Who gets alerts: a name and an email address for each."
  type        = map(string)
}

variable "github_repository" {
  description = "Repository that may deliver, as owner/name."
  type        = string
}

variable "github_repository_id" {
  description = "Number of that repository: gh api repos/OWNER/NAME --jq .id"
  type        = string
}

variable "network" {
  description = "Network of the Airflow environment; null: the default network."
  type        = string
  default     = null
}

variable "subnetwork" {
  description = "Subnetwork of the Airflow environment; null: that of the default network."
  type        = string
  default     = null
}

variable "web_server_ranges" {
  description = "Ranges of addresses that reach Airflow's pages, each with a description; empty: all, after they log in."
  type        = map(string)
  default     = {}
}

variable "settings" {
  description = "Settings of the DAG for this environment, added to those of main.tf."
  type        = map(string)
  default     = {}
}
