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

variable "permissions_boundary" {
  type        = string
  default     = null
  description = "ARN of a policy that bounds the roles made here. The module `tidegate` makes one."
}

variable "vpc_id" {
  type        = string
  description = "Network that the host stands in."
}

variable "subnet_id" {
  type        = string
  description = "Subnet with a way out, for the host and its volume."
}

variable "zone" {
  type        = string
  description = "The subnet's availability zone: the volume with the metrics is in it."
}

variable "ami_id" {
  type        = string
  description = "Image of the host: Amazon Linux 2023, x86_64. An id, not a search. Another one replaces the host and keeps the metrics."
  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id is an image's id, like ami-0123456789abcdef0."
  }
}

variable "instance_type" {
  type        = string
  default     = "t3.medium"
  description = "Instance type of the host."
}

variable "data_gb" {
  type        = number
  default     = 50
  description = "Size of the encrypted volume with the metrics in gigabytes. AWS never makes it smaller again."
  validation {
    condition     = var.data_gb >= 10 && var.data_gb <= 16384 && floor(var.data_gb) == var.data_gb
    error_message = "data_gb is a whole number within 10..16384."
  }
}

variable "keep_days" {
  type        = number
  default     = 90
  description = "Days that metrics are kept."
  validation {
    condition     = var.keep_days >= 1 && floor(var.keep_days) == var.keep_days
    error_message = "keep_days is a whole number, 1 or more."
  }
}

variable "prometheus" {
  type = object({
    version = string
    sha256  = string
    url     = optional(string)
  })
  description = "The Prometheus to install, with the checksum that its publisher names for `linux-amd64.tar.gz`. Without `url`, its releases on GitHub."
  validation {
    condition     = can(regex("^[23]\\.[0-9]+\\.[0-9]+$", var.prometheus.version)) && can(regex("^[0-9a-f]{64}$", var.prometheus.sha256))
    error_message = "prometheus needs a version like 3.5.0 and a SHA-256 checksum: 64 digits of 0-9 and a-f."
  }
  validation {
    condition     = var.prometheus.url == null || can(regex("^https://[^ '\"$`\\\\]+$", var.prometheus.url))
    error_message = "prometheus.url begins with https:// and needs no quoting."
  }
}

variable "grafana" {
  type = object({
    version = string
    sha256  = string
    url     = optional(string)
  })
  description = "The Grafana (OSS) to install, with the checksum that its publisher names for `linux-amd64.tar.gz`. Without `url`, dl.grafana.com."
  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.grafana.version)) && can(regex("^[0-9a-f]{64}$", var.grafana.sha256))
    error_message = "grafana needs a version like 12.2.0 and a SHA-256 checksum: 64 digits of 0-9 and a-f."
  }
  validation {
    condition     = var.grafana.url == null || can(regex("^https://[^ '\"$`\\\\]+$", var.grafana.url))
    error_message = "grafana.url begins with https:// and needs no quoting."
  }
}

variable "targets" {
  type = list(object({
    role     = string
    port     = number
    role_arn = optional(string)
  }))
  default = [
    { role = "jmeter-master", port = 9100 },
    { role = "jmeter-slave", port = 9100 },
    { role = "app-server", port = 8080 },
  ]
  description = "Instances of this environment that Prometheus finds by EC2's own list: their tag `Role`, the port of `/metrics`, and for another account a role to look there with."
}

variable "ui_cidrs" {
  type        = list(string)
  default     = []
  description = "Addresses that may open Grafana (port 3000) and OpenSearch's Dashboards. Without any, people come by SSM's port forwarding."
  validation {
    condition     = alltrue([for cidr in var.ui_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "ui_cidrs are networks like 192.0.2.0/24, and never everybody."
  }
}

variable "opensearch" {
  type = object({
    instance_type = string
    instances     = number
    data_gb       = number
  })
  default     = null
  description = "An OpenSearch domain with Dashboards for logs, in the same subnet; null for none."
}
