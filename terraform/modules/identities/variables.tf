variable "project_id" {
  description = "Project of the accounts and roles."
  type        = string
}

variable "name" {
  description = "Start of the names of accounts and roles."
  type        = string
}
