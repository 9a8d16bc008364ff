variable "project_id" {
  description = "Project of the grants."
  type        = string
}

variable "region" {
  description = "Region of the repositories and of the job."
  type        = string
}

variable "emails" {
  description = "Email of each service account: worker, step, delivery."
  type        = map(string)
}

variable "account_ids" {
  description = "Full name of each service account."
  type        = map(string)
}

variable "roles" {
  description = "Full name of each custom role."
  type        = map(string)
}

variable "buckets" {
  description = "Name of each bucket: lake, landing, artefacts, environment."
  type        = map(string)
}

variable "datasets" {
  description = "Name of each dataset that lakes are loaded into."
  type        = map(string)
}

variable "repositories" {
  description = "Name of each repository: wheels, python, images."
  type        = map(string)
}

variable "step_name" {
  description = "Name of the Cloud Run job."
  type        = string
}

variable "generation" {
  description = "Generation of the Airflow environment: 2 or 3."
  type        = number
}
