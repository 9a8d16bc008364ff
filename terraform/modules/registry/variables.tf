variable "project_id" {
  description = "Project of the repositories."
  type        = string
}

variable "region" {
  description = "Region of the repositories."
  type        = string
}

variable "name" {
  description = "Start of each repository's name."
  type        = string
}

variable "labels" {
  description = "Labels of each repository."
  type        = map(string)
}

variable "untagged_image_days" {
  description = "Age in days at which images without a tag are deleted."
  type        = number
}
