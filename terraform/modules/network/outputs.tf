output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

# Instances in these subnets reach the internet only once the route is there: who uses them must wait for it.
output "public_subnet_ids" {
  description = "Subnets with a way to the internet, in the order of `zones`."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
  depends_on  = [aws_route.internet, aws_route_table_association.public]
}

output "private_subnet_ids" {
  description = "Subnets without one, in the order of `zones`; none without `private_subnets`."
  value       = [for zone in var.zones : aws_subnet.private[zone].id if var.private_subnets]
  depends_on  = [aws_route_table_association.private]
}

output "public_route_table_id" {
  description = "Route table of the public subnets, for peerings."
  value       = aws_route_table.public.id
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets, for peerings and for `nat`."
  value       = aws_route_table.private[*].id
}
