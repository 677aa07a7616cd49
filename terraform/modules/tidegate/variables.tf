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
  default     = "bot"
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
    condition     = length(var.regions) >= 1
    error_message = "regions needs at least one region."
  }
}

variable "state_bucket" {
  type        = string
  default     = null
  description = "Name of the bucket with the Terraform states. Without it, `ENVIRONMENT-state-ACCOUNT`."
}

variable "state_kept_days" {
  type        = number
  default     = 365
  description = "Days that an older version of a state is kept."
  validation {
    condition     = var.state_kept_days >= 7
    error_message = "state_kept_days is 7 or more."
  }
}

variable "assumed_roles" {
  type        = list(string)
  default     = []
  description = "ARNs of roles in other accounts that the role `change` may assume: those of stacks in an account of their own (`change_role_arn` of the module `account`)."
  validation {
    condition     = alltrue([for arn in var.assumed_roles : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "assumed_roles are ARNs of roles, each named in full."
  }
}

variable "assumed_read_roles" {
  type        = list(string)
  default     = []
  description = "ARNs of roles in other accounts that `read` and `change` may assume: those that only look there (`read_role_arn` of the module `account`)."
  validation {
    condition     = alltrue([for arn in var.assumed_read_roles : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "assumed_read_roles are ARNs of roles, each named in full."
  }
}

variable "node_roles" {
  type        = list(string)
  default     = []
  description = "ARNs of roles that nodes of environments may assume: those by which Prometheus looks into another account (`jmeter_look_role_arn`)."
}

variable "trusted_arns" {
  type        = list(string)
  default     = []
  description = "ARNs of other roles or users that may take the roles `read` and `change`: a runner elsewhere, or people on duty."
}

variable "host" {
  type = object({
    vpc_id        = string
    subnet_id     = string
    zone          = string
    ami_id        = string
    instance_type = optional(string, "t3.large")
    data_gb       = optional(number, 20)
    runs          = optional(string, "bot")
    ledger        = optional(object({ cidr = string, port = optional(number, 5432) }))
  })
  default     = null
  description = "A host for the bot (`runs = \"bot\"`) or for a machine that carries out the runs of a bot elsewhere (`\"runner\"`), on Amazon Linux 2023; null for none, where the roles are wanted only. `ledger` says where PostgreSQL is, which a runner shares with the bot: the host gets out to that port and to 443, nowhere else. Two runs at once with the AWS provider need 2 processors and 2 GB."
  validation {
    condition     = var.host == null || contains(["bot", "runner"], try(var.host.runs, ""))
    error_message = "host.runs is bot or runner."
  }
  validation {
    condition     = try(var.host.runs, "") != "runner" || try(var.host.ledger, null) != null
    error_message = "A runner shares the bot's ledger, which has to be PostgreSQL: say where it is, host.ledger = { cidr = \"10.0.3.0/24\" }."
  }
  validation {
    condition     = try(var.host.ledger, null) == null || can(cidrnetmask(var.host.ledger.cidr)) && try(var.host.ledger.port >= 1 && var.host.ledger.port <= 65535, false)
    error_message = "host.ledger needs an IPv4 range such as 10.0.3.0/24, and a port within 1..65535."
  }
}

variable "tidegate" {
  type        = object({ url = string, sha256 = string })
  default     = null
  description = "Archive (`.tar.gz`) with the programs `tidegate` and `tidegate-runner`, and its checksum. Needed with `host`."
  validation {
    condition     = var.tidegate == null || can(regex("^https://[^ '\"$`\\\\]+$", var.tidegate.url)) && can(regex("^[0-9a-f]{64}$", var.tidegate.sha256))
    error_message = "tidegate needs a url with https:// and a SHA-256 checksum: 64 digits of 0-9 and a-f."
  }
}

variable "terraform" {
  type        = object({ version = string, sha256 = string, url = optional(string) })
  default     = null
  description = "The Terraform to install, with the checksum that its publisher names for `linux_amd64.zip`. Needed with `host`."
  validation {
    condition     = var.terraform == null || can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.terraform.version)) && can(regex("^[0-9a-f]{64}$", var.terraform.sha256))
    error_message = "terraform needs a version like 1.11.4 and a SHA-256 checksum: 64 digits of 0-9 and a-f."
  }
}

variable "secret_names" {
  type        = list(string)
  default     = []
  description = "Names of secrets that the host may read, such as Slack's tokens. Not below `tidegate/`: those are the environments', whose nodes read them."
  validation {
    condition     = alltrue([for name in var.secret_names : !startswith(name, "tidegate/") && !startswith(name, "*") && !startswith(name, "?")])
    error_message = "secret_names may not begin with tidegate/: what stands there, environments and their nodes read and take away."
  }
}
