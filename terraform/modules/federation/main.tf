# GitHub's workflows act as the delivery account without a key: only those of one repository, in one environment of GitHub,
# which may ask people first, and only on tags of releases.

resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project_id
  workload_identity_pool_id = "${var.name}-github"
  display_name              = "GitHub"
  description               = "Deliveries of ${var.repository}."
}

resource "google_iam_workload_identity_pool_provider" "release" {
  # checkov:skip=CKV_GCP_125:It accepts nothing but one exact subject, and each tag is another one; a test evaluates the condition.
  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "release"
  display_name                       = "Releases"
  description                        = "Tags ${var.tag_prefix}* of ${var.repository}."

  attribute_mapping = {
    "google.subject"          = "assertion.sub"
    "attribute.repository_id" = "assertion.repository_id"
    "attribute.ref"           = "assertion.ref"
    "attribute.environment"   = "assertion.environment"
  }

  # The number stays when a repository is renamed, and nobody else gets it when the name becomes free.
  attribute_condition = join(" && ", [
    "assertion.repository == '${var.repository}'",
    "assertion.repository_id == '${var.repository_id}'",
    "assertion.environment == '${var.github_environment}'",
    "assertion.ref_type == 'tag'",
    "assertion.ref.startsWith('refs/tags/${var.tag_prefix}')",
  ])

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "release" {
  service_account_id = var.delivery_account
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.repository_id/${var.repository_id}"
}
