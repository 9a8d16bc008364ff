output "ready" {
  description = "Known once the worker's account has all rights that an environment needs to start."
  value = concat(
    [for grant in google_project_iam_member.grant : grant.id],
    [for grant in google_artifact_registry_repository_iam_member.grant : grant.id],
    google_service_account_iam_member.service_agent[*].id,
  )
}
