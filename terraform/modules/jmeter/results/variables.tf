variable "environment" {
  type        = string
  description = "Name of the environment, as people type it in chat. Tag `tidegate:environment`, and first part of all names."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is made of a-z, 0-9 and -, starts with a letter and has at most 20 characters."
  }
}

variable "stack" {
  type        = string
  description = "Name of the stack that this belongs to. Tag `tidegate:stack`, and second part of all names."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}$", var.stack))
    error_message = "stack is made of a-z, 0-9 and -, starts with a letter and has at most 11 characters."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Further tags for everything."
  validation {
    condition     = alltrue([for name in keys(var.tags) : !startswith(name, "tidegate:")])
    error_message = "Tags that begin with tidegate: are set by this module."
  }
}

variable "name" {
  type        = string
  default     = null
  description = "Name of the bucket. Without it, `ENVIRONMENT-results-ACCOUNT`."
}

variable "keep_days" {
  type        = number
  default     = 365
  description = "Days after which a result is deleted."
  validation {
    condition     = var.keep_days >= 1 && floor(var.keep_days) == var.keep_days
    error_message = "keep_days is a whole number, 1 or more."
  }
}

variable "kms_key_arn" {
  type        = string
  default     = null
  description = "Key that encrypts results. Without it, one of S3's own."
}

variable "writer_accounts" {
  type        = list(string)
  default     = []
  description = "Other accounts whose masters write results, by their number."
  validation {
    condition     = alltrue([for account in var.writer_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "writer_accounts are account numbers of 12 digits."
  }
}
