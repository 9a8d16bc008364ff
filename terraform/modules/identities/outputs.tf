output "emails" {
  description = "Email of each service account: worker, step, delivery."
  value       = { for key, account in google_service_account.account : key => account.email }
}

output "account_ids" {
  description = "Full name of each service account, for roles on the account itself."
  value       = { for key, account in google_service_account.account : key => account.name }
}

output "roles" {
  description = "Full name of each custom role."
  value       = { for key, role in google_project_iam_custom_role.role : key => role.id }
}
