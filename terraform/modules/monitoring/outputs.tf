output "policies" {
  description = "Names of the alert policies, by their files."
  value       = { for key, policy in google_monitoring_alert_policy.policy : key => policy.name }
}
