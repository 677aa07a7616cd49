variable "tags" {
  type        = map(string)
  default     = {}
  description = "Further tags for everything."
  validation {
    condition     = alltrue([for name in keys(var.tags) : !startswith(name, "tidegate:")])
    error_message = "Tags that begin with tidegate: are set by this module."
  }
}

variable "environment" {
  type        = string
  default     = "tidegate"
  description = "Tag `tidegate:environment` of all this, and first part of all names: not the name of an environment that Tidegate changes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is made of a-z, 0-9 and -, starts with a letter and has at most 20 characters."
  }
}

variable "stack" {
  type        = string
  default     = "load"
  description = "Tag `tidegate:stack`, and second part of all names."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}$", var.stack))
    error_message = "stack is made of a-z, 0-9 and -, starts with a letter and has at most 11 characters."
  }
}

variable "regions" {
  type        = list(string)
  description = "Regions in which environments may be made."
  validation {
    condition     = length(var.regions) >= 1 && alltrue([for region in var.regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]+$", region))])
    error_message = "regions needs at least one region, each like ap-northeast-1."
  }
}

variable "bot_read_role_arns" {
  type        = list(string)
  description = "ARNs of the roles that may take the role `read` here: the output `read_role_arn` of the module `tidegate`. Roles that there are: AWS takes no others."
  validation {
    condition     = length(var.bot_read_role_arns) >= 1 && alltrue([for arn in var.bot_read_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "bot_read_role_arns needs at least one role, each named in full by its ARN: not an account, not a user, no *."
  }
}

variable "bot_change_role_arns" {
  type        = list(string)
  description = "ARNs of the roles that may take the roles `change` and `read` here: the output `change_role_arn` of the module `tidegate`. Not one of `bot_read_role_arns`."
  validation {
    condition     = length(var.bot_change_role_arns) >= 1 && alltrue([for arn in var.bot_change_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "bot_change_role_arns needs at least one role, each named in full by its ARN: not an account, not a user, no *."
  }
}

variable "session_names" {
  type        = list(string)
  default     = ["tidegate", "tidegate-*"]
  description = "Names that a session may have, with * for any end: those that the bot and the roots' provider (`session_name`) give. CloudTrail shows them."
  validation {
    condition     = length(var.session_names) >= 1 && alltrue([for name in var.session_names : can(regex("^[A-Za-z0-9+=,.@_-]{4,}\\*?$", name))])
    error_message = "session_names needs at least one name of 4 characters or more out of A-Z, a-z, 0-9 and +=,.@_-, with * at its end only."
  }
}

variable "services" {
  type        = list(string)
  default     = ["autoscaling", "ec2"]
  description = "What is made in this account, by the names that IAM has for services. The default is what the module `jmeter` needs; further ones are elasticache, elasticloadbalancing, es and rds."
  validation {
    condition     = length(var.services) >= 1 && alltrue([for service in var.services : contains(["autoscaling", "ec2", "elasticache", "elasticloadbalancing", "es", "rds"], service)])
    error_message = "services are one or more of autoscaling, ec2, elasticache, elasticloadbalancing, es and rds."
  }
}

variable "buckets" {
  type        = bool
  default     = false
  description = "Whether buckets for results are made in this account too (`*-results-*`). The shop's is where its monitoring is."
}

variable "look_role_arns" {
  type        = list(string)
  default     = []
  description = "ARNs of the roles that may take the role `look`, by which Prometheus finds the nodes: those of monitoring hosts, `role/tidegate/ENVIRONMENT-monitoring-host`. They need not be there yet. Without any, there is no such role."
  validation {
    condition     = alltrue([for arn in var.look_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "look_role_arns are roles, each named in full by its ARN: not an account, not a user, no *."
  }
}
