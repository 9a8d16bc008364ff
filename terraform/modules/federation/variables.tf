variable "project_id" {
  description = "Project of the pool."
  type        = string
}

variable "name" {
  description = "Start of the pool's name; the whole has at most 32 characters."
  type        = string
}

variable "repository" {
  description = "Repository on GitHub, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "Use owner/name, without quotes or wildcards."
  }
}

variable "repository_id" {
  description = "Number of the repository on GitHub: gh api repos/OWNER/NAME --jq .id"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.repository_id))
    error_message = "Use the number of the repository."
  }
}

variable "github_environment" {
  description = "Environment on GitHub that the workflow's job has to be in."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.github_environment))
    error_message = "Use the name of an environment, without quotes or wildcards."
  }
}

variable "tag_prefix" {
  description = "Start of the tags that may deliver."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.tag_prefix))
    error_message = "Use a prefix of tags, without quotes or wildcards, and not an empty one."
  }
}

variable "delivery_account" {
  description = "Full name of the service account that deliveries act as."
  type        = string
}
