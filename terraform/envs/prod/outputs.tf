output "platform" {
  description = "Addresses and names that people, the DAG's deliveries and GitHub's workflow need."
  value       = module.platform
}
