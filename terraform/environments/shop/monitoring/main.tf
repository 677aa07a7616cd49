# The shop's monitoring, and what lasts: the network, and the bucket with the results. Never destroyed by `off`.

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
    key          = "monitoring.tfstate"
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

variable "zones" {
  type        = list(string)
  description = "Two availability zones or more of that region."
}

variable "cidr" {
  type        = string
  default     = "10.20.0.0/16"
  description = "Addresses of the shop's network."
}

variable "ami_id" {
  type        = string
  description = "An image of Amazon Linux 2023, x86_64."
}

variable "instance_type" {
  type        = string
  default     = "t3.medium"
  description = "Instance type of the monitoring host."
}

variable "prometheus" {
  type        = object({ version = string, sha256 = string, url = optional(string) })
  description = "The Prometheus to install, with the checksum that its publisher names."
}

variable "grafana" {
  type        = object({ version = string, sha256 = string, url = optional(string) })
  description = "The Grafana to install, with the checksum that its publisher names."
}

variable "ui_cidrs" {
  type        = list(string)
  default     = []
  description = "Addresses that may open Grafana. Without any, people come by SSM's port forwarding."
}

variable "jmeter_account" {
  type        = string
  default     = null
  description = "Number of the account that the load comes from, if it is another one."
}

variable "jmeter_look_role_arn" {
  type        = string
  default     = null
  description = "Role in that account with which Prometheus finds the nodes (ec2:DescribeInstances, ec2:DescribeAvailabilityZones): the output `look_role_arn` of the module `account`."
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

module "network" {
  source      = "../../../modules/network"
  environment = var.environment
  stack       = "monitoring"
  cidr        = var.cidr
  zones       = var.zones
}

module "results" {
  source          = "../../../modules/jmeter/results"
  environment     = var.environment
  stack           = "monitoring"
  writer_accounts = var.jmeter_account == null ? [] : [var.jmeter_account]
}

module "monitoring" {
  source               = "../../../modules/monitoring"
  environment          = var.environment
  stack                = "monitoring"
  vpc_id               = module.network.vpc_id
  subnet_id            = module.network.public_subnet_ids[0]
  zone                 = var.zones[0]
  ami_id               = var.ami_id
  instance_type        = var.instance_type
  prometheus           = var.prometheus
  grafana              = var.grafana
  ui_cidrs             = var.ui_cidrs
  permissions_boundary = var.permissions_boundary
  targets = [
    { role = "app-server", port = 8080 },
    { role = "jmeter-master", port = 9100, role_arn = var.jmeter_look_role_arn },
    { role = "jmeter-slave", port = 9100, role_arn = var.jmeter_look_role_arn },
  ]
}

# A workspace of another name would be another environment with this one's names.
check "workspace" {
  assert {
    condition     = terraform.workspace == var.environment
    error_message = "The workspace is ${terraform.workspace}, but the environment is ${var.environment}."
  }
}

output "vpc_id" {
  description = "The shop's network."
  value       = module.network.vpc_id
}

output "cidr" {
  description = "Its addresses."
  value       = module.network.cidr
}

output "public_subnet_ids" {
  description = "Its subnets with a way to the internet."
  value       = module.network.public_subnet_ids
}

output "private_subnet_ids" {
  description = "Its subnets without one."
  value       = module.network.private_subnet_ids
}

output "public_route_table_id" {
  description = "Route table of the public subnets."
  value       = module.network.public_route_table_id
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets."
  value       = module.network.private_route_table_ids
}

output "results_bucket" {
  description = "Where results go."
  value       = module.results.bucket
}

output "grafana_url" {
  description = "Where the dashboards are."
  value       = module.monitoring.grafana_url
}

output "monitoring_host" {
  description = "The monitoring host, for `aws ssm start-session --target`."
  value       = module.monitoring.host_id
}
