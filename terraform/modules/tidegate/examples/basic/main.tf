# The states' bucket and the two roles, for a runner that lives elsewhere.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "ap-northeast-1"
}

module "tidegate" {
  source       = "../.."
  regions      = ["ap-northeast-1"]
  trusted_arns = ["arn:aws:iam::123456789012:role/ci-runner"]
}

output "state_bucket" {
  description = "For each stack's backend."
  value       = module.tidegate.state_bucket
}

output "change_role_arn" {
  description = "For the runner's AWS profile."
  value       = module.tidegate.change_role_arn
}

output "read_role_arn" {
  description = "For who only looks, and for the module `account`."
  value       = module.tidegate.read_role_arn
}

output "permissions_boundary" {
  description = "For each stack's `permissions_boundary`: without it the role `change` makes no role."
  value       = module.tidegate.permissions_boundary
}
