# The demo's monitoring: what the other two stacks report to. Only Terraform's built-in resources, so that nothing is
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

variable "delay" {
  type        = number
  default     = 1
  description = "Seconds that each resource takes to start or stop; fractions are allowed."
  validation {
    condition     = var.delay >= 0 && var.delay <= 600
    error_message = "delay must be within 0..600 seconds."
  }
}

resource "terraform_data" "prometheus" {
  input = {
    name  = "${var.env_name}-prometheus"
    url   = "http://prometheus.${var.env_name}.demo.test:9090"
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

resource "terraform_data" "grafana" {
  input = {
    name  = "${var.env_name}-grafana"
    url   = "http://grafana.${var.env_name}.demo.test:3000"
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

# Outputs read `input`, not `output`: it is known while planning, so that a change in place leaves what the other stacks
# read untouched.
output "grafana_url" {
  description = "Where the dashboards are."
  value       = terraform_data.grafana.input.url
}

output "prometheus_url" {
  description = "Where servers and slaves send their metrics."
  value       = terraform_data.prometheus.input.url
}
