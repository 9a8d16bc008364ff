# Alerts. Each file of `alert_folder` is a policy and each file of `metric_folder` a metric of logs, as YAML or JSON, so
# that tests and people read them without terraform.

locals {
  policies = {
    for file in fileset(var.alert_folder, "*.{yaml,yml,json}") :
    replace(file, "/\\.[a-z]+$/", "") => yamldecode(file("${var.alert_folder}/${file}"))
  }
  metrics = merge(
    {
      # A line of JSON in Airflow's logs for each alert of the DAG.
      drugs_rs_alert = {
        description = "Alerts of the DAG: failed tasks, failed runs, slow runs."
        filter = join(" AND ", [
          "resource.type=\"cloud_composer_environment\"",
          # A text on Airflow 2; JSON lines on Airflow 3, which a collector may have read.
          "(${join(" OR ", [
            "textPayload:\"drugs_rs_alert\"",
            "jsonPayload.event:\"drugs_rs_alert\"",
            "jsonPayload.message:\"drugs_rs_alert\"",
            "jsonPayload.drugs_rs_alert.kind=(\"failure\" OR \"run\" OR \"slow\")",
          ])})",
        ])
      }
    },
    {
      for file in fileset(var.metric_folder, "*.{yaml,yml,json}") :
      replace(file, "/\\.[a-z]+$/", "") => yamldecode(file("${var.metric_folder}/${file}"))
    },
  )
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.emails

  project      = var.project_id
  display_name = "${var.name}: ${each.key}"
  type         = "email"
  user_labels  = var.labels
  labels = {
    email_address = each.value
  }
}

resource "google_logging_metric" "metric" {
  for_each = local.metrics

  project          = var.project_id
  name             = each.key
  description      = try(each.value.description, null)
  filter           = each.value.filter
  value_extractor  = try(each.value.value_extractor, null)
  label_extractors = try(each.value.label_extractors, null)

  metric_descriptor {
    metric_kind = try(each.value.metric_descriptor.metric_kind, "DELTA")
    value_type  = try(each.value.metric_descriptor.value_type, "INT64")
    unit        = try(each.value.metric_descriptor.unit, "1")

    dynamic "labels" {
      for_each = try(each.value.metric_descriptor.labels, [])

      content {
        key         = labels.value.key
        value_type  = try(labels.value.value_type, "STRING")
        description = try(labels.value.description, null)
      }
    }
  }
}

resource "google_monitoring_alert_policy" "policy" {
  for_each = local.policies

  project               = var.project_id
  display_name          = each.value.display_name
  combiner              = try(each.value.combiner, "OR")
  severity              = try(each.value.severity, null)
  enabled               = try(each.value.enabled, true)
  user_labels           = var.labels
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.name]

  documentation {
    # A link of a page in this repository leads somewhere in a mail too.
    content   = replace(each.value.documentation.content, "](docs/", "](${var.runbook_url}docs/")
    mime_type = try(each.value.documentation.mime_type, "text/markdown")
    subject   = try(each.value.documentation.subject, null)
  }

  alert_strategy {
    auto_close = try(each.value.alert_strategy.auto_close, "86400s")

    # Policies on a line of a log need a limit, and only these may have one.
    dynamic "notification_rate_limit" {
      for_each = anytrue([for condition in each.value.conditions : can(condition.condition_matched_log.filter)]) ? ["limit"] : []

      content {
        period = try(each.value.alert_strategy.notification_rate_limit.period, "300s")
      }
    }
  }

  dynamic "conditions" {
    for_each = each.value.conditions

    content {
      display_name = conditions.value.display_name

      dynamic "condition_threshold" {
        for_each = can(conditions.value.condition_threshold.filter) ? [conditions.value.condition_threshold] : []

        content {
          filter                  = condition_threshold.value.filter
          comparison              = condition_threshold.value.comparison
          duration                = condition_threshold.value.duration
          threshold_value         = try(condition_threshold.value.threshold_value, null)
          evaluation_missing_data = try(condition_threshold.value.evaluation_missing_data, null)

          dynamic "aggregations" {
            for_each = try(condition_threshold.value.aggregations, [])

            content {
              alignment_period     = try(aggregations.value.alignment_period, null)
              per_series_aligner   = try(aggregations.value.per_series_aligner, null)
              cross_series_reducer = try(aggregations.value.cross_series_reducer, null)
              group_by_fields      = try(aggregations.value.group_by_fields, null)
            }
          }

          dynamic "trigger" {
            for_each = can(condition_threshold.value.trigger.count) || can(condition_threshold.value.trigger.percent) ? [condition_threshold.value.trigger] : []

            content {
              count   = try(trigger.value.count, null)
              percent = try(trigger.value.percent, null)
            }
          }
        }
      }

      dynamic "condition_absent" {
        for_each = can(conditions.value.condition_absent.filter) ? [conditions.value.condition_absent] : []

        content {
          filter   = condition_absent.value.filter
          duration = condition_absent.value.duration

          dynamic "aggregations" {
            for_each = try(condition_absent.value.aggregations, [])

            content {
              alignment_period     = try(aggregations.value.alignment_period, null)
              per_series_aligner   = try(aggregations.value.per_series_aligner, null)
              cross_series_reducer = try(aggregations.value.cross_series_reducer, null)
              group_by_fields      = try(aggregations.value.group_by_fields, null)
            }
          }
        }
      }

      dynamic "condition_matched_log" {
        for_each = can(conditions.value.condition_matched_log.filter) ? [conditions.value.condition_matched_log] : []

        content {
          filter           = condition_matched_log.value.filter
          label_extractors = try(condition_matched_log.value.label_extractors, null)
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition = alltrue([
        for condition in each.value.conditions : can(condition.condition_threshold.filter)
        || can(condition.condition_absent.filter) || can(condition.condition_matched_log.filter)
      ])
      error_message = "A condition of ${each.key} has none of condition_threshold, condition_absent, condition_matched_log with a filter."
    }
  }

  depends_on = [google_logging_metric.metric]
}
