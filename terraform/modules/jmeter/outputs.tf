output "slave_group" {
  description = "Name of the slaves' Auto Scaling group."
  value       = aws_autoscaling_group.slaves.name
}

output "slaves_wanted" {
  description = "Slaves that were asked for. How many are in service only Auto Scaling knows."
  value       = var.slave_count
}

output "master_id" {
  description = "The master's instance id, for `aws ssm start-session --target`; null without a master."
  value       = one(aws_instance.master[*].id)
}

output "master_address" {
  description = "The master's address in its network; null without a master."
  value       = one(aws_instance.master[*].private_ip)
}

output "jmeter_version" {
  description = "JMeter on all nodes."
  value       = var.jmeter.version
}
