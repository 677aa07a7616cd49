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

run "the_example_holds" {
  module {
    source = "./examples/basic"
  }
}
