# The demo's JMeter cluster, in the order that a cluster needs: the master, then its slaves, then a check of the whole.
# Only Terraform's built-in resources, so that nothing is downloaded and nothing is billed; each takes `delay` seconds to
# start, as the real ones take minutes.

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

variable "slaves" {
  type        = number
  description = "JMeter slaves that make the load."
  validation {
    condition     = var.slaves >= 0 && var.slaves <= 200 && floor(var.slaves) == var.slaves
    error_message = "slaves must be a whole number within 0..200."
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

variable "app_state" {
  type        = string
  description = "Path of the app stack's state."
}

variable "rmi_password" {
  type        = string
  sensitive   = true
  default     = "demo-keystore-password"
  description = "Password of the keystore with which master and slaves know each other."
}

data "terraform_remote_state" "app" {
  backend = "local"
  config = {
    path = var.app_state
  }
}

resource "terraform_data" "master" {
  input = {
    name    = "${var.env_name}-master"
    address = "master.${var.env_name}.demo.test"
    target  = data.terraform_remote_state.app.outputs.load_balancer
    delay   = var.delay
  }
  provisioner "local-exec" {
    command = "sleep ${self.input.delay}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "sleep ${self.input.delay}"
  }
}

resource "terraform_data" "slave" {
  count = var.slaves
  input = {
    name   = "${var.env_name}-slave-${count.index + 1}"
    master = terraform_data.master.input.address
    state  = "InService"
    delay  = var.delay
  }
  provisioner "local-exec" {
    command = "sleep ${self.input.delay}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "sleep ${self.input.delay}"
  }
}

# What a check of the cluster would be. When the number of slaves changes it is changed in place.
resource "terraform_data" "ready" {
  input = {
    master = terraform_data.master.input.address
    slaves = length([for slave in terraform_data.slave : slave if slave.input.state == "InService"])
    delay  = var.delay
  }
  provisioner "local-exec" {
    command = "sleep ${self.input.delay}"
  }
}

# Outputs read `input`, not `output`: it is known while planning.
output "master_address" {
  description = "Where the load test is started from."
  value       = terraform_data.master.input.address
}

output "slaves" {
  description = "Number of slaves in service."
  value       = terraform_data.ready.input.slaves
}

output "rmi_password" {
  description = "Password of the keystore."
  value       = var.rmi_password
  sensitive   = true
}
