# The load: a JMeter cluster in a network, and if wanted in an account, of its own, which reaches the shop by a peering.

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
    key          = "jmeter.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

# The account of the load. Without a role it is the shop's own.
provider "aws" {
  region = var.region
  dynamic "assume_role" {
    for_each = var.jmeter_role_arn == null ? [] : [var.jmeter_role_arn]
    content {
      role_arn     = assume_role.value
      session_name = "tidegate-${var.environment}-jmeter"
    }
  }
}

# The shop's account, for its side of the peering.
provider "aws" {
  alias  = "shop"
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
  description = "Region of everything in it, and of the shop."
}

variable "zones" {
  type        = list(string)
  description = "Two availability zones or more of that region."
}

variable "state_bucket" {
  type        = string
  description = "Bucket in which the other stacks' states are: that of this one's backend."
}

variable "state_region" {
  type        = string
  description = "Region of that bucket."
}

variable "jmeter_role_arn" {
  type        = string
  default     = null
  description = "Role to assume in the account of the load: the output `change_role_arn` of the module `account`. Null for the shop's own account."
  validation {
    condition     = var.jmeter_role_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.jmeter_role_arn))
    error_message = "jmeter_role_arn is the ARN of a role, with the number of its account."
  }
}

variable "cidr" {
  type        = string
  default     = "10.40.0.0/16"
  description = "Addresses of the load's network: the app stack's `jmeter_cidr`."
}

variable "ami_id" {
  type        = string
  description = "An image of Amazon Linux 2023, x86_64."
}

variable "master" {
  type        = bool
  default     = false
  description = "Whether there is a master also while there are no slaves."
}

variable "master_type" {
  type        = string
  default     = "m6i.large"
  description = "Instance type of the master."
}

variable "slave_count" {
  type        = number
  description = "JMeter slaves that make the load."
  validation {
    condition     = var.slave_count >= 0 && var.slave_count <= 200 && floor(var.slave_count) == var.slave_count
    error_message = "slave_count must be a whole number within 0..200."
  }
}

variable "slave_types" {
  type        = list(string)
  default     = ["c6i.xlarge", "c5.xlarge", "c6a.xlarge"]
  description = "Instance types of the slaves, the best first: the next is taken where one has no capacity."
}

variable "jmeter" {
  type        = object({ version = string, sha512 = string, url = optional(string) })
  description = "The JMeter that all nodes install, with the checksum that its publisher names."
}

variable "rmi_tls" {
  type        = bool
  default     = true
  description = "Whether JMeter's nodes speak TLS with each other."
}

variable "permissions_boundary" {
  type        = string
  default     = null
  description = "ARN of a policy that bounds the roles made here: the output `permissions_boundary` of the module `tidegate`, or with `jmeter_role_arn` of the module `account`, without which the role `change` makes none."
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

data "terraform_remote_state" "app" {
  backend   = "s3"
  workspace = terraform.workspace
  config = {
    bucket = var.state_bucket
    key    = "app.tfstate"
    region = var.state_region
  }
}

locals {
  tags = {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = "jmeter"
    Name                   = "${var.environment}-jmeter-to-shop"
  }
}

module "network" {
  source          = "../../../modules/network"
  environment     = var.environment
  stack           = "jmeter"
  cidr            = var.cidr
  zones           = var.zones
  private_subnets = false
}

# ---- To the shop and back --------------------------------------------------------------------------------------------

data "aws_caller_identity" "shop" {
  provider = aws.shop
}

resource "aws_vpc_peering_connection" "shop" {
  vpc_id        = module.network.vpc_id
  peer_vpc_id   = data.terraform_remote_state.monitoring.outputs.vpc_id
  peer_owner_id = data.aws_caller_identity.shop.account_id
  tags          = local.tags
}

resource "aws_vpc_peering_connection_accepter" "shop" {
  provider                  = aws.shop
  vpc_peering_connection_id = aws_vpc_peering_connection.shop.id
  auto_accept               = true
  tags                      = local.tags
}

resource "aws_route" "to_shop" {
  route_table_id            = module.network.public_route_table_id
  destination_cidr_block    = data.terraform_remote_state.monitoring.outputs.cidr
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.shop.vpc_peering_connection_id
}

# The load balancer's and the servers' subnets, and the monitoring host's.
resource "aws_route" "from_shop" {
  provider                  = aws.shop
  count                     = length(data.terraform_remote_state.monitoring.outputs.private_route_table_ids) + 1
  route_table_id            = concat([data.terraform_remote_state.monitoring.outputs.public_route_table_id], data.terraform_remote_state.monitoring.outputs.private_route_table_ids)[count.index]
  destination_cidr_block    = var.cidr
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.shop.vpc_peering_connection_id
}

# ---- The cluster -----------------------------------------------------------------------------------------------------

module "jmeter" {
  source               = "../../../modules/jmeter"
  environment          = var.environment
  stack                = "jmeter"
  vpc_id               = module.network.vpc_id
  subnet_ids           = module.network.public_subnet_ids
  ami_id               = var.ami_id
  master               = var.master || var.slave_count > 0 # who scales from 0 gets one too
  master_type          = var.master_type
  slave_count          = var.slave_count
  slave_types          = var.slave_types
  jmeter               = var.jmeter
  rmi_tls              = var.rmi_tls
  results_bucket       = data.terraform_remote_state.monitoring.outputs.results_bucket
  metrics_cidrs        = [data.terraform_remote_state.monitoring.outputs.cidr]
  permissions_boundary = var.permissions_boundary

  # Slaves that cannot reach the shop are in service and of no use.
  after = concat([aws_route.to_shop.id], aws_route.from_shop[*].id)
}

# A workspace of another name would be another environment with this one's names.
check "workspace" {
  assert {
    condition     = terraform.workspace == var.environment
    error_message = "The workspace is ${terraform.workspace}, but the environment is ${var.environment}."
  }
}

output "target" {
  description = "What the load test is aimed at."
  value       = data.terraform_remote_state.app.outputs.url
}

output "master_id" {
  description = "The master, for `aws ssm start-session --target`; null without one."
  value       = module.jmeter.master_id
}

output "slave_group" {
  description = "The slaves' Auto Scaling group."
  value       = module.jmeter.slave_group
}

output "results_bucket" {
  description = "Where results go."
  value       = data.terraform_remote_state.monitoring.outputs.results_bucket
}
