variable "partition" {
  type        = string
  description = "Partition of the account: `aws`, `aws-cn`, `aws-us-gov`."
}

variable "account" {
  type        = string
  description = "Number of the account that the rights are in."
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is an account number of 12 digits."
  }
}

variable "name" {
  type        = string
  description = "First part of the names of Tidegate's own roles there, which no node takes."
}

variable "environment" {
  type        = string
  description = "Tag `tidegate:environment` of what Tidegate itself is made of there, which `change` leaves alone."
}

variable "regions" {
  type        = list(string)
  description = "Regions in which environments may be made."
  validation {
    condition     = length(var.regions) >= 1
    error_message = "regions needs at least one region."
  }
}

variable "boundary_arn" {
  type        = string
  description = "ARN of the policy made of the output `boundary`, without which `change` makes no role."
}

variable "state_bucket" {
  type        = string
  default     = null
  description = "Name of the bucket with the Terraform states; null where they are in another account, and nothing of them is allowed."
}

variable "services" {
  type        = list(string)
  default     = ["autoscaling", "ec2", "elasticache", "elasticloadbalancing", "es", "rds"]
  description = "What environments are made of, by the names that IAM has for services."
  validation {
    condition     = length(var.services) >= 1 && alltrue([for service in var.services : contains(["autoscaling", "ec2", "elasticache", "elasticloadbalancing", "es", "rds"], service)])
    error_message = "services are one or more of autoscaling, ec2, elasticache, elasticloadbalancing, es and rds."
  }
}

variable "buckets" {
  type        = bool
  default     = true
  description = "Whether buckets for results are made there (`*-results-*`), and the buckets of the account looked at."
}

variable "assumed_roles" {
  type        = list(string)
  default     = []
  description = "ARNs of roles in other accounts that `change` may assume."
}

variable "assumed_read_roles" {
  type        = list(string)
  default     = []
  description = "ARNs of roles in other accounts that `read` and `change` may assume."
}

variable "node_roles" {
  type        = list(string)
  default     = []
  description = "ARNs of roles that nodes of environments may assume."
}
