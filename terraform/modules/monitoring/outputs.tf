output "host_id" {
  description = "The host's instance id, for `aws ssm start-session --target`."
  value       = aws_instance.host.id
}

output "grafana_url" {
  description = "Grafana, from inside the network or from `ui_cidrs`."
  value       = "http://${aws_instance.host.private_ip}:3000"
}

output "grafana_secret" {
  description = "Name of the secret with the password of Grafana's `admin`."
  value       = aws_secretsmanager_secret.grafana.name
}

output "dashboards_url" {
  description = "OpenSearch's Dashboards; null without a domain."
  value       = try("https://${aws_opensearch_domain.logs[0].endpoint}/_dashboards", null)
}
