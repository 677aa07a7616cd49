# The shop itself: what a load test is aimed at.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
  # Bucket and region are arguments (`-backend-config`); the workspace is the environment.
  backend "s3" {
    key          = "app.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region
}

variable "environment" {
  type        = string
  description = "Name of the environment: that of the workspace."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is made of a-z, 0-9 and -, starts with a letter and has at most 20 characters."
  }
}

variable "region" {
  type        = string
  description = "Region of everything in it."
}

variable "state_bucket" {
  type        = string
  description = "Bucket in which the other stacks' states are: that of this one's backend."
}

variable "state_region" {
  type        = string
  description = "Region of that bucket."
}

variable "ami_id" {
  type        = string
  description = "An image of Amazon Linux 2023, x86_64."
}

variable "jmeter_cidr" {
  type        = string
  default     = "10.40.0.0/16"
  description = "Addresses that the load comes from: those of the JMeter stack's network."
}

variable "servers" {
  type        = number
  description = "Servers behind the load balancer."
  validation {
    condition     = var.servers >= 1 && var.servers <= 50 && floor(var.servers) == var.servers
    error_message = "servers must be a whole number within 1..50."
  }
}

variable "server_types" {
  type        = list(string)
  default     = ["m6i.large", "m5.large", "m6a.large"]
  description = "Instance types of the servers, the best first."
}

variable "db_class" {
  type        = string
  description = "Class of the database. Another one restarts it."
}

variable "db_gb" {
  type        = number
  default     = 50
  description = "Size of the database's volume in gigabytes; it never shrinks."
}

variable "db_kept" {
  type        = bool
  default     = false
  description = "Whether the database outlives `off`. Then the stack is lowered instead of destroyed, and the database goes on being billed."
}

variable "db_snapshot" {
  type        = string
  default     = null
  description = "Snapshot from which the database is made. Without it, an empty one."
}

variable "cache_type" {
  type        = string
  description = "Node type of the cache."
}

variable "permissions_boundary" {
  type        = string
  default     = null
  description = "ARN of a policy that bounds the roles made here: the output `permissions_boundary` of the module `tidegate`, without which its role `change` makes none."
  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary))
    error_message = "permissions_boundary is the ARN of a policy, with the number of its account."
  }
}

# Outputs are named in full where they are used: so Tidegate knows, before the first `up`, that it is only the other stack that
# is not there yet.
data "terraform_remote_state" "monitoring" {
  backend   = "s3"
  workspace = terraform.workspace
  config = {
    bucket = var.state_bucket
    key    = "monitoring.tfstate"
    region = var.state_region
  }
}

# In this stack, so that `off` ends it; the network itself costs nothing and stays.
module "nat" {
  source          = "../../../modules/network/nat"
  environment     = var.environment
  stack           = "app"
  subnet_id       = data.terraform_remote_state.monitoring.outputs.public_subnet_ids[0]
  route_table_ids = data.terraform_remote_state.monitoring.outputs.private_route_table_ids
}

module "app" {
  source               = "../../../modules/app"
  environment          = var.environment
  stack                = "app"
  vpc_id               = data.terraform_remote_state.monitoring.outputs.vpc_id
  subnet_ids           = data.terraform_remote_state.monitoring.outputs.private_subnet_ids
  ingress_cidrs        = [var.jmeter_cidr]
  metrics_cidrs        = [data.terraform_remote_state.monitoring.outputs.cidr]
  ami_id               = var.ami_id
  server_count         = var.servers
  server_types         = var.server_types
  db_class             = var.db_class
  db_gb                = var.db_gb
  db_kept              = var.db_kept
  db_snapshot          = var.db_snapshot
  cache_type           = var.cache_type
  permissions_boundary = var.permissions_boundary

  # A server that starts before there is a way out is one that SSM never hears of.
  after = module.nat.route_ids
}

# A workspace of another name would be another environment with this one's names.
check "workspace" {
  assert {
    condition     = terraform.workspace == var.environment
    error_message = "The workspace is ${terraform.workspace}, but the environment is ${var.environment}."
  }
}

# None of them changes with the sizes, so that the JMeter stack can be planned beside this one.
output "url" {
  description = "What a load test is aimed at."
  value       = module.app.url
}

output "server_group" {
  description = "The servers' Auto Scaling group."
  value       = module.app.server_group
}
