output "read" {
  description = "JSON of what the role `read` may do, and `change` too."
  value       = data.aws_iam_policy_document.read.json
}

output "change" {
  description = "JSON of what the role `change` may do beyond it."
  value       = data.aws_iam_policy_document.change.json
}

output "boundary" {
  description = "JSON of the most that a role of an environment can have."
  value       = data.aws_iam_policy_document.boundary.json
}
