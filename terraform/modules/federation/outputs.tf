output "provider" {
  description = "Full name of the provider, for the workflow's log-in step."
  value       = google_iam_workload_identity_pool_provider.release.name
}
