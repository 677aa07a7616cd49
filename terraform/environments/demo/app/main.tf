# The demo's servers under test, behind a load balancer. Only Terraform's built-in resources, so that nothing is
# downloaded and nothing is billed; each takes `delay` seconds to start, as the real ones take minutes.

terraform {
  required_version = ">= 1.4"
  backend "local" {}
}

variable "env_name" {
  type        = string
  description = "Name of the environment; part of every resource's name."
  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]*$", var.env_name))
    error_message = "env_name is made of a-z, 0-9, - and _ and starts with a letter."
  }
}

variable "servers" {
  type        = number
  description = "Servers behind the load balancer."
  validation {
    condition     = var.servers >= 1 && var.servers <= 50 && floor(var.servers) == var.servers
    error_message = "servers must be a whole number within 1..50."
  }
}

variable "delay" {
  type        = number
  default     = 1
  description = "Seconds that each resource takes to start or stop; fractions are allowed."
  validation {
    condition     = var.delay >= 0 && var.delay <= 600
    error_message = "delay must be within 0..600 seconds."
  }
}

variable "monitoring_state" {
  type        = string
  description = "Path of the monitoring stack's state."
}

data "terraform_remote_state" "monitoring" {
  backend = "local"
  config = {
    path = var.monitoring_state
  }
}

resource "terraform_data" "load_balancer" {
  input = {
    name  = "${var.env_name}-lb"
    url   = "http://${var.env_name}.demo.test"
    delay = var.delay
  }
  provisioner "local-exec" {
    command = "sleep ${self.input.delay}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "sleep ${self.input.delay}"
  }
}

resource "terraform_data" "server" {
  count = var.servers
  input = {
    name          = "${var.env_name}-server-${count.index + 1}"
    load_balancer = terraform_data.load_balancer.input.name
    metrics       = data.terraform_remote_state.monitoring.outputs.prometheus_url
    delay         = var.delay
  }
  provisioner "local-exec" {
    command = "sleep ${self.input.delay}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "sleep ${self.input.delay}"
  }
}

# Outputs read `input`, not `output`: it is known while planning. The load balancer's address does not depend on the
# number of servers, so that scaling them leaves the JMeter stack alone.
output "load_balancer" {
  description = "What the load test is aimed at."
  value       = terraform_data.load_balancer.input.url
}

output "servers" {
  description = "Number of servers behind the load balancer."
  value       = length(terraform_data.server)
}
