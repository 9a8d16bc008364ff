terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # The bucket of the state is given when the folder is set up: terraform init -backend-config=bucket=...
  backend "gcs" {
    prefix = "drugs-rs/prod"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}
