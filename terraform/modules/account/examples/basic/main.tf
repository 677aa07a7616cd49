# Both sides in one root, by an administrator of both accounts: the bot's with the states, and the load's. Where they have not the same
# administrators, each module is applied by its own: `tidegate`, then `account`, then `tidegate` again with the ARNs.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

# The bot's account.
provider "aws" {
  region = "ap-northeast-1"
}

# The load's.
provider "aws" {
  alias  = "load"
  region = "ap-northeast-1"
  assume_role {
    role_arn = "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"
  }
}

module "tidegate" {
  source             = "../../../tidegate"
  regions            = ["ap-northeast-1"]
  trusted_arns       = ["arn:aws:iam::123456789012:role/ci-runner"]
  assumed_roles      = [module.account.change_role_arn]
  assumed_read_roles = [module.account.read_role_arn]
  node_roles         = [module.account.look_role_arn]
}

module "account" {
  source               = "../.."
  providers            = { aws = aws.load }
  regions              = ["ap-northeast-1"]
  bot_read_role_arns   = [module.tidegate.read_role_arn]
  bot_change_role_arns = [module.tidegate.change_role_arn]
  look_role_arns       = ["arn:aws:iam::123456789012:role/tidegate/shop-monitoring-host"]
}

output "state_bucket" {
  description = "For each stack's backend, that of the load too."
  value       = module.tidegate.state_bucket
}

output "jmeter_role_arn" {
  description = "For the stack of the load: `jmeter_role_arn`, and `role` of its `planned_end`."
  value       = module.account.change_role_arn
}

output "jmeter_role" {
  description = "For the stack of the load: `role`."
  value       = module.account.read_role_arn
}

output "jmeter_permissions_boundary" {
  description = "For the stack of the load: `permissions_boundary`."
  value       = module.account.permissions_boundary
}

output "jmeter_look_role_arn" {
  description = "For the stack of the monitoring: `jmeter_look_role_arn`."
  value       = module.account.look_role_arn
}

output "jmeter_account" {
  description = "For the stack of the monitoring: `jmeter_account`."
  value       = module.account.account
}
