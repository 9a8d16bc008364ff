# The whole environment with made-up values and without Google: `terraform test` where the provider can be had, or
# `make test-infrastructure`, which reads every value.

mock_provider "google" {}

variables {
  project_id           = "some-project"
  region               = "europe-west1"
  image                = "europe-west1-docker.pkg.dev/some-project/some-repository/drugs-rs:0"
  github_repository    = "some-owner/some-name"
  github_repository_id = "12345"
  alert_emails         = { on-call = "on-call@example.com" }
  web_server_ranges    = { "203.0.113.0/24" = "office" }
  settings             = { min_rows = "100" }
}

run "apply" {
  command = apply
}
