# A JMeter cluster in a network of its own, with a bucket for its results.

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

variable "jmeter_sha512" {
  type        = string
  description = "Checksum of apache-jmeter-5.6.3.tgz, as Apache names it beside the download."
}

variable "slave_count" {
  type        = number
  description = "JMeter slaves."
}

module "network" {
  source          = "../../../network"
  environment     = "shop"
  stack           = "jmeter"
  cidr            = "10.40.0.0/16"
  zones           = ["ap-northeast-1a", "ap-northeast-1c"]
  private_subnets = false
}

module "results" {
  source      = "../../results"
  environment = "shop"
  stack       = "jmeter"
}

module "jmeter" {
  source         = "../.."
  environment    = "shop"
  stack          = "jmeter"
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.public_subnet_ids
  ami_id         = var.ami_id
  slave_count    = var.slave_count
  jmeter         = { version = "5.6.3", sha512 = var.jmeter_sha512 }
  results_bucket = module.results.bucket
}

output "slave_group" {
  description = "The slaves' Auto Scaling group."
  value       = module.jmeter.slave_group
}
