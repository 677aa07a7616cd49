# A way out, and none in, for private subnets. Apart from the network, which costs nothing, so that the stack that needs a
# way out can be destroyed with its gateway while the network stays.

locals {
  tags = merge(var.tags, {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = var.stack
    Name                   = "${var.environment}-${var.stack}-nat"
  })
}

resource "aws_eip" "this" {
  domain = "vpc"
  tags   = local.tags
}

resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.this.id
  subnet_id     = var.subnet_id
  tags          = local.tags
}

resource "aws_route" "out" {
  count                  = length(var.route_table_ids)
  route_table_id         = var.route_table_ids[count.index]
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

output "address" {
  description = "The address that others see: the one to name in their firewalls."
  value       = aws_eip.this.public_ip
}

output "route_ids" {
  description = "The ways out: what starts behind them should wait for them."
  value       = aws_route.out[*].id
}
