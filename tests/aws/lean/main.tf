# The smallest root with an Auto Scaling group, five resources, for tests of failures against the emulator: created in a
# quarter of a minute, scaled in less.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
  backend "s3" {
    key          = "lean.tfstate"
    use_lockfile = true
  }
}

provider "aws" {}

variable "environment" {
  type        = string
  description = "Name of the environment; part of every resource's name."
}

variable "slave_count" {
  type        = number
  description = "Instances in the group."
  validation {
    condition     = var.slave_count >= 0 && var.slave_count <= 200 && floor(var.slave_count) == var.slave_count
    error_message = "slave_count must be a whole number within 0..200."
  }
}

variable "slave_max" {
  type        = number
  default     = 200
  description = "The most that the group may have."
}

variable "slave_type" {
  type        = string
  default     = "c6i.xlarge"
  description = "Instance type."
}

variable "capacity_timeout" {
  type        = string
  default     = "0"
  description = "How long Terraform itself waits for capacity. Our modules never do; others' do, and taint the group that comes up short."
}

variable "ami_id" {
  type        = string
  default     = "ami-760aaa0f"
  description = "Image. The default is one that the emulator knows."
}

locals {
  tags = {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = "lean"
    Name                   = "${var.environment}-lean"
  }
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_12: five resources; the modules' network empties its default security group
  cidr_block = "10.60.0.0/16"
  tags       = local.tags
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.60.0.0/20"
  tags       = local.tags
}

resource "aws_security_group" "this" {
  name        = "${var.environment}-lean"
  description = "Nothing in, nothing out"
  vpc_id      = aws_vpc.this.id
  tags        = local.tags
}

resource "aws_launch_template" "this" {
  name                   = "${var.environment}-lean"
  image_id               = var.ami_id
  instance_type          = var.slave_type
  vpc_security_group_ids = [aws_security_group.this.id]
  update_default_version = true
  tags                   = local.tags

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_autoscaling_group" "this" {
  name                      = "${var.environment}-lean"
  min_size                  = 0
  max_size                  = var.slave_max
  desired_capacity          = var.slave_count
  vpc_zone_identifier       = [aws_subnet.this.id]
  wait_for_capacity_timeout = var.capacity_timeout
  force_delete              = true

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  dynamic "tag" {
    for_each = local.tags
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }
}

output "slave_group" {
  description = "The group's name."
  value       = aws_autoscaling_group.this.name
}
