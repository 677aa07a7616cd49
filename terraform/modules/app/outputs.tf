output "url" {
  description = "What a load test is aimed at. The same at every size."
  value       = "${var.certificate_arn == null ? "http" : "https"}://${aws_lb.this.dns_name}"
}

output "server_group" {
  description = "Name of the servers' Auto Scaling group."
  value       = aws_autoscaling_group.servers.name
}

output "servers_wanted" {
  description = "Servers that were asked for. How many are in service only Auto Scaling knows."
  value       = var.server_count
}

output "database" {
  description = "Address of the database; null without one."
  value       = one(concat(aws_db_instance.kept[*].address, aws_db_instance.temporary[*].address))
}

output "database_secret" {
  description = "ARN of the secret with the database's password; null without a database."
  value       = try(local.db_secrets[0][0].secret_arn, null)
}

output "cache" {
  description = "Address of the cache; null without one."
  value       = one(aws_elasticache_replication_group.this[*].primary_endpoint_address)
}
