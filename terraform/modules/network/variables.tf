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

variable "cidr" {
  type        = string
  description = "Addresses of the network, /16 to /20. Networks that are to be peered must not overlap."
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr is written like 10.20.0.0/16, with a prefix of 16 to 20."
  }
}

variable "zones" {
  type        = list(string)
  description = "Availability zones, one subnet of each kind in each. The order is part of the addresses: add at the end."
  validation {
    condition     = length(var.zones) >= 1 && length(var.zones) <= 6 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones are 1 to 6 different availability zones."
  }
}

variable "private_subnets" {
  type        = bool
  default     = true
  description = "Whether there are subnets without a way in or out. The module `nat` gives them a way out."
}
