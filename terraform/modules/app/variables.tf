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
  description = "Network that all of it stands in."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets in two zones or more, for load balancer, servers, database and cache."
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "A load balancer and a database need subnets in two zones."
  }
}

variable "ingress_cidrs" {
  type        = list(string)
  description = "Addresses that may reach the load balancer: those that the load comes from."
  validation {
    condition     = alltrue([for cidr in var.ingress_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "ingress_cidrs are networks like 10.40.0.0/16, and never everybody."
  }
}

variable "metrics_cidrs" {
  type        = list(string)
  default     = []
  description = "Addresses that may read the servers' metrics: the monitoring host's network."
  validation {
    condition     = alltrue([for cidr in var.metrics_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "metrics_cidrs are networks like 10.20.0.0/16, and never everybody."
  }
}

variable "certificate_arn" {
  type        = string
  default     = null
  description = "Certificate of the load balancer: it then speaks HTTPS on 443, and HTTP only to send people there. Without it, HTTP on 80 inside the network."
}

variable "ami_id" {
  type        = string
  description = "Image of the servers: Amazon Linux 2023, x86_64, or one of your own with the application in it. An id, not a search."
  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id is an image's id, like ami-0123456789abcdef0."
  }
}

variable "user_data" {
  type        = string
  default     = null
  description = "What a server runs at its first start. Without it, a small server in Python that answers on `server_port`."
}

variable "server_count" {
  type        = number
  description = "Servers behind the load balancer."
  validation {
    condition     = var.server_count >= 0 && floor(var.server_count) == var.server_count
    error_message = "server_count is a whole number, 0 or more."
  }
}

variable "server_max" {
  type        = number
  default     = 100
  description = "The most servers that the group may ever have."
  validation {
    condition     = var.server_max >= 1 && floor(var.server_max) == var.server_max
    error_message = "server_max is a whole number, 1 or more."
  }
}

variable "server_types" {
  type        = list(string)
  default     = ["m6i.large", "m5.large", "m6a.large"]
  description = "Instance types of the servers, the best first: the next is taken where one has no capacity."
  validation {
    condition     = length(var.server_types) >= 1 && length(distinct(var.server_types)) == length(var.server_types)
    error_message = "server_types are one or more different instance types."
  }
}

variable "server_port" {
  type        = number
  default     = 8080
  description = "Port on which a server answers, `/health` and `/metrics` too."
  validation {
    condition     = var.server_port >= 1024 && var.server_port <= 65535
    error_message = "server_port is within 1024..65535."
  }
}

variable "db_class" {
  type        = string
  default     = null
  description = "Class of the database, like `db.r6g.4xlarge`; null for no database. Another class restarts it."
  validation {
    condition     = var.db_class == null || can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.db_class))
    error_message = "db_class is a class of RDS, like db.t4g.medium."
  }
}

variable "db_gb" {
  type        = number
  default     = 50
  description = "Size of the database's volume in gigabytes. AWS never makes it smaller again: the same at every level."
  validation {
    condition     = var.db_gb >= 20 && var.db_gb <= 16384 && floor(var.db_gb) == var.db_gb
    error_message = "db_gb is a whole number within 20..16384."
  }
}

variable "db_version" {
  type        = string
  default     = "16"
  description = "Major version of PostgreSQL."
  validation {
    condition     = can(regex("^[0-9]{2}$", var.db_version))
    error_message = "db_version is a major version of PostgreSQL, like 16."
  }
}

variable "db_snapshot" {
  type        = string
  default     = null
  description = "Snapshot from which a database is made, of its size and with its database and user. Without it, an empty one."
}

variable "db_kept" {
  type        = bool
  default     = false
  description = "Whether the database outlives everything: neither Terraform nor the console deletes it. Otherwise it goes with the rest, without a last snapshot."
}

variable "cache_type" {
  type        = string
  default     = null
  description = "Node type of the cache, like `cache.r7g.large`; null for no cache."
  validation {
    condition     = var.cache_type == null || can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.cache_type))
    error_message = "cache_type is a node type of ElastiCache, like cache.t4g.small."
  }
}

variable "after" {
  type        = list(string)
  default     = []
  description = "Ids of what must be there before an instance starts, such as routes. Use this instead of `depends_on` for the module, which leaves all that it reads unknown in a plan."
}
