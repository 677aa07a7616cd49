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

variable "subnet_id" {
  type        = string
  description = "Public subnet that the gateway stands in. Traffic of other zones pays for crossing them."
}

variable "route_table_ids" {
  type        = list(string)
  description = "Route tables of the subnets that get a way out."
}
