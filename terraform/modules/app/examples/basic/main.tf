# A system under test of two servers with a database that is thrown away, reached from one network.

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

module "network" {
  source      = "../../../network"
  environment = "shop"
  stack       = "app"
  cidr        = "10.20.0.0/16"
  zones       = ["ap-northeast-1a", "ap-northeast-1c"]
}

module "app" {
  source        = "../.."
  environment   = "shop"
  stack         = "app"
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.private_subnet_ids
  ingress_cidrs = ["10.40.0.0/16"]
  ami_id        = var.ami_id
  server_count  = 2
  db_class      = "db.t4g.medium"
  cache_type    = "cache.t4g.small"
}

output "url" {
  description = "What a load test is aimed at."
  value       = module.app.url
}
