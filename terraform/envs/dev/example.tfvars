# Copy to terraform.tfvars, which Git ignores, and fill in.
project_id           = "PROJECT"
region               = "europe-west1"
image                = "europe-west1-docker.pkg.dev/PROJECT/REPOSITORY/drugs-rs@sha256:DIGEST"
github_repository    = "OWNER/NAME"
github_repository_id = "0"

alert_emails = {
  on-call = "NAME@DOMAIN"
}
