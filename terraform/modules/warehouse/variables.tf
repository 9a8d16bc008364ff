variable "project_id" {
  description = "Project of the datasets."
  type        = string
}

variable "region" {
  description = "Location of the datasets; that of the lake's bucket."
  type        = string
}

variable "datasets" {
  description = "Name of each dataset and its description."
  type        = map(string)
}

variable "labels" {
  description = "Labels of each dataset."
  type        = map(string)
}

variable "time_travel_hours" {
  description = "Hours for which earlier contents of a table can be queried, 48 to 168."
  type        = number
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes datasets that have tables."
  type        = bool
}
