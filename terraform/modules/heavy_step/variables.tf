variable "project_id" {
  description = "Project of the job."
  type        = string
}

variable "region" {
  description = "Region of the job; that of the lake's bucket."
  type        = string
}

variable "name" {
  description = "Name of the job."
  type        = string
}

variable "labels" {
  description = "Labels of the job."
  type        = map(string)
}

variable "service_account" {
  description = "Email of the service account that the step runs as."
  type        = string
}

variable "image" {
  description = "Image whose entry point is the command drugs-rs. Deliveries replace it."
  type        = string
}

variable "variables" {
  description = "Variables of the container: files of words, such as DRUGS_RS_STOP_WORDS_FILE. Other options come as arguments."
  type        = map(string)
}

variable "cpu" {
  description = "Processors of a step: 1, 2, 4, 6 or 8."
  type        = string
}

variable "memory" {
  description = "Memory of a step with its unit, such as 8Gi; with 4 processors at least 2Gi, at most 16Gi."
  type        = string
}

variable "timeout_hours" {
  description = "Hours after which a step is ended, at most 168."
  type        = number

  validation {
    condition     = var.timeout_hours > 0 && var.timeout_hours <= 168
    error_message = "Cloud Run allows at most 168 hours."
  }
}

variable "deletion_protection" {
  description = "Whether terraform refuses to delete the job."
  type        = bool
}
