variable "project_id" {
  description = "Project of the alerts."
  type        = string
}

variable "name" {
  description = "Start of the names of notification channels."
  type        = string
}

variable "labels" {
  description = "Labels of channels and policies."
  type        = map(string)
}

variable "emails" {
  description = "Who gets alerts: a name and an email address for each."
  type        = map(string)
}

variable "alert_folder" {
  description = "Folder of alert policies; an empty or missing one means none."
  type        = string
}

variable "metric_folder" {
  description = "Folder of metrics of logs; an empty or missing one means none besides drugs_rs_alert."
  type        = string
}

variable "runbook_url" {
  description = "Where notifications find docs/incidents.md: an address with a slash at its end, such as that of a clone in a browser."
  type        = string

  validation {
    condition     = can(regex("^https://[^ ]+/$", var.runbook_url))
    error_message = "Use an address that begins with https:// and ends with a slash."
  }
}
