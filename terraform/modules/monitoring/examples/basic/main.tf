# Prometheus and Grafana for the environment `shop`, reached by SSM's port forwarding.

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

variable "ami_id" {
  type        = string
  description = "An image of Amazon Linux 2023, x86_64."
}

variable "prometheus" {
  type        = object({ version = string, sha256 = string })
  description = "Version and checksum, as its publisher names it."
}

variable "grafana" {
  type        = object({ version = string, sha256 = string })
  description = "Version and checksum, as its publisher names it."
}

module "network" {
  source          = "../../../network"
  environment     = "shop"
  stack           = "monitoring"
  cidr            = "10.20.0.0/16"
  zones           = ["ap-northeast-1a"]
  private_subnets = false
}

module "monitoring" {
  source      = "../.."
  environment = "shop"
  stack       = "monitoring"
  vpc_id      = module.network.vpc_id
  subnet_id   = module.network.public_subnet_ids[0]
  zone        = "ap-northeast-1a"
  ami_id      = var.ami_id
  prometheus  = var.prometheus
  grafana     = var.grafana
}

output "host_id" {
  description = "For `aws ssm start-session --target`."
  value       = module.monitoring.host_id
}
