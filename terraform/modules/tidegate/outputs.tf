output "state_bucket" {
  description = "Bucket with the states, for `backend = { bucket = ... }` of each stack."
  value       = aws_s3_bucket.state.bucket
}

output "read_role_arn" {
  description = "Role that plans, looks at drift and counts what is in service."
  value       = aws_iam_role.this["read"].arn
}

output "change_role_arn" {
  description = "Role that applies."
  value       = aws_iam_role.this["change"].arn
}

output "permissions_boundary" {
  description = "What every role of an environment must be bound by, for the modules' `permissions_boundary`."
  value       = aws_iam_policy.boundary.arn
}

output "host_id" {
  description = "The host, for `aws ssm start-session --target`; null without one."
  value       = one(aws_instance.host[*].id)
}
