mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-1" }
  }
}

variables {
  environment = "shop"
  stack       = "app"
  cidr        = "10.20.0.0/16"
  zones       = ["ap-northeast-1a", "ap-northeast-1c"]
  tags        = { team = "load" }
}

run "a_network_over_two_zones" {
  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2
    error_message = "one subnet of each kind in each zone"
  }
  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.cidr_block])) == 4
    error_message = "no two subnets have the same addresses"
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "the default security group lets nothing in or out"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.map_public_ip_on_launch != true])
    error_message = "nothing in a private subnet has a public address"
  }
  assert {
    condition     = aws_vpc.this.tags["tidegate:environment"] == "shop" && aws_vpc.this.tags["tidegate:stack"] == "app" && aws_vpc.this.tags["team"] == "load"
    error_message = "everything carries the tags by which it is found again"
  }
}

run "a_network_without_private_subnets" {
  variables {
    private_subnets = false
  }
  assert {
    condition     = length(output.private_subnet_ids) == 0 && length(output.private_route_table_ids) == 0
    error_message = "no private subnets were asked for"
  }
}

run "what_cannot_be_is_refused" {
  command = plan
  variables {
    environment = "Shop!"
    cidr        = "10.20.0.0/28"
    zones       = ["ap-northeast-1a", "ap-northeast-1a"]
    tags        = { "tidegate:stack" = "other" }
  }
  expect_failures = [var.environment, var.cidr, var.zones, var.tags]
}

run "what_is_private_has_no_way_to_the_internet_of_its_own" {
  assert {
    condition     = aws_route.internet.route_table_id == aws_route_table.public.id && aws_route_table.private[0].id != aws_route_table.public.id
    error_message = "the internet gateway is for public subnets"
  }
  assert {
    condition     = alltrue([for association in aws_route_table_association.private : association.route_table_id == aws_route_table.private[0].id])
    error_message = "private subnets have a table of their own"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && length(aws_vpc_endpoint.s3.route_table_ids) == 2
    error_message = "S3 is reached from both kinds of subnet without a paid way out"
  }
}

run "what_else_cannot_be_is_refused" {
  command = plan
  variables {
    stack = "App_1"
    cidr  = "10.20.0.0"
    zones = []
  }
  expect_failures = [var.stack, var.cidr, var.zones]
}

run "a_way_out_for_private_subnets" {
  module {
    source = "./nat"
  }
  variables {
    subnet_id       = "subnet-0123456789abcdef0"
    route_table_ids = ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"]
  }
  assert {
    condition     = [for route in aws_route.out : route.route_table_id] == ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"] && alltrue([for route in aws_route.out : route.destination_cidr_block == "0.0.0.0/0" && route.nat_gateway_id == aws_nat_gateway.this.id])
    error_message = "every table that was named goes out by the gateway"
  }
  assert {
    condition     = aws_nat_gateway.this.allocation_id == aws_eip.this.id && output.address == aws_eip.this.public_ip && length(output.route_ids) == 2
    error_message = "others see one address, and what starts behind the routes can wait for them"
  }
  assert {
    condition     = alltrue([for tags in [aws_eip.this.tags, aws_nat_gateway.this.tags] : tags["tidegate:environment"] == "shop" && tags["tidegate:stack"] == "app" && tags["team"] == "load"])
    error_message = "what is billed by the hour carries the tags by which it is found again"
  }
}

run "a_way_out_needs_names_too" {
  command = plan
  module {
    source = "./nat"
  }
  variables {
    environment     = "Shop!"
    stack           = "App_1"
    tags            = { "tidegate:stack" = "other" }
    subnet_id       = "subnet-0123456789abcdef0"
    route_table_ids = []
  }
  expect_failures = [var.environment, var.stack, var.tags]
}

run "the_example_holds" {
  module {
    source = "./examples/basic"
  }
}
