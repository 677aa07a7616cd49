output "account" {
  description = "Number of this account, for `jmeter_account` of the stack monitoring and for `remove_in`."
  value       = local.account
}

output "read_role_arn" {
  description = "Role that looks, counts what is in service and asks for quotas: `role` of the stack, and `assumed_read_roles` of the module `tidegate`."
  value       = aws_iam_role.this["read"].arn
}

output "change_role_arn" {
  description = "Role that applies: `jmeter_role_arn` and `planned_end.role` of the stack, and `assumed_roles` of the module `tidegate`."
  value       = aws_iam_role.this["change"].arn
}

output "look_role_arn" {
  description = "Role by which Prometheus finds the nodes: `jmeter_look_role_arn` of the stack monitoring, and `node_roles` of the module `tidegate`; null without `look_role_arns`."
  value       = one(aws_iam_role.look[*].arn)
}

output "permissions_boundary" {
  description = "What every role of an environment in this account must be bound by, for the stack's `permissions_boundary`: not that of the bot's account."
  value       = aws_iam_policy.boundary.arn
}
