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
  description = "Network that the load comes from."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets with a way out, in which nodes are made. Public ones need no gateway that bills each gigabyte of load; nothing lets anybody in."
  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "subnet_ids needs at least one subnet."
  }
}

variable "ami_id" {
  type        = string
  description = "Image of all nodes: Amazon Linux 2023, x86_64. An id, not a search: a newer image is a change that somebody makes."
  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id is an image's id, like ami-0123456789abcdef0."
  }
}

variable "master" {
  type        = bool
  default     = true
  description = "Whether there is a master. Without one nothing of this module is billed by the hour at `slave_count = 0`."
}

variable "master_type" {
  type        = string
  default     = "m6i.large"
  description = "Instance type of the master."
}

variable "slave_count" {
  type        = number
  description = "JMeter slaves that make the load. Each runs the whole test plan: 6 slaves with 1,000 threads are 6,000."
  validation {
    condition     = var.slave_count >= 0 && floor(var.slave_count) == var.slave_count
    error_message = "slave_count is a whole number, 0 or more."
  }
}

variable "slave_max" {
  type        = number
  default     = 200
  description = "The most slaves that the group may ever have, whoever asks."
  validation {
    condition     = var.slave_max >= 1 && var.slave_max <= 1000 && floor(var.slave_max) == var.slave_max
    error_message = "slave_max is a whole number within 1..1000."
  }
}

variable "slave_types" {
  type        = list(string)
  default     = ["c6i.xlarge", "c5.xlarge", "c6a.xlarge"]
  description = "Instance types of the slaves, the best first: the next is taken where one has no capacity. They should make the same load."
  validation {
    condition     = length(var.slave_types) >= 1 && length(distinct(var.slave_types)) == length(var.slave_types)
    error_message = "slave_types are one or more different instance types."
  }
}

variable "spot_percent" {
  type        = number
  default     = 0
  description = "Percentage of slaves on spot instances, which AWS may take away in mid-test. 0 to 100."
  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "spot_percent is within 0..100."
  }
}

variable "jmeter" {
  type = object({
    version = string
    sha512  = string
    url     = optional(string)
  })
  description = "The JMeter that all nodes install, with the checksum that its publisher names for the `.tgz`. Without `url`, Apache's archive. Another one replaces master and slaves."
  validation {
    condition     = can(regex("^5\\.[0-9]+(\\.[0-9]+)?$", var.jmeter.version))
    error_message = "jmeter.version is a release of JMeter 5, like 5.6.3."
  }
  validation {
    condition     = can(regex("^[0-9a-f]{128}$", var.jmeter.sha512))
    error_message = "jmeter.sha512 is a SHA-512 checksum: 128 digits of 0-9 and a-f."
  }
  validation {
    condition     = var.jmeter.url == null || can(regex("^https://[^ '\"$`\\\\]+$", var.jmeter.url))
    error_message = "jmeter.url begins with https:// and needs no quoting."
  }
}

variable "rmi_tls" {
  type        = bool
  default     = true
  description = "Whether master and slaves speak TLS with a key of this environment's own. Without it they speak in clear, inside their own security groups."
}

variable "results_bucket" {
  type        = string
  description = "Bucket for results, made by the module `results`. The master writes below `ENVIRONMENT/`."
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.results_bucket))
    error_message = "results_bucket is the name of a bucket."
  }
}

variable "metrics_cidrs" {
  type        = list(string)
  default     = []
  description = "Addresses that may read metrics (port 9100) of the nodes: the monitoring host's network."
  validation {
    condition     = alltrue([for cidr in var.metrics_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "metrics_cidrs are networks like 10.20.0.0/16, and never everybody."
  }
}

variable "volume_gb" {
  type        = number
  default     = 20
  description = "Size of each node's encrypted volume in gigabytes."
  validation {
    condition     = var.volume_gb >= 10 && var.volume_gb <= 1000 && floor(var.volume_gb) == var.volume_gb
    error_message = "volume_gb is a whole number within 10..1000."
  }
}

variable "ready_within" {
  type        = number
  default     = 900
  description = "Seconds that a slave has to install JMeter and to listen. One that takes longer never counts as in service: Auto Scaling ends it and makes another."
  validation {
    condition     = var.ready_within >= 60 && var.ready_within <= 7200
    error_message = "ready_within is within 60..7200 seconds."
  }
}

variable "after" {
  type        = list(string)
  default     = []
  description = "Ids of what must be there before an instance starts, such as routes. Use this instead of `depends_on` for the module, which leaves all that it reads unknown in a plan."
}
