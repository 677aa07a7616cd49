# A network over two zones whose private subnets have a way out.

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

module "network" {
  source      = "../.."
  environment = "shop"
  stack       = "app"
  cidr        = "10.20.0.0/16"
  zones       = ["ap-northeast-1a", "ap-northeast-1c"]
}

module "nat" {
  source          = "../../nat"
  environment     = "shop"
  stack           = "app"
  subnet_id       = module.network.public_subnet_ids[0]
  route_table_ids = module.network.private_route_table_ids
}

output "address" {
  description = "The address that others see."
  value       = module.nat.address
}
