mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/tidegate/server" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/shop-app/50dc6c495c0c9188" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/shop-app/73e2d6bc24d8a067" }
  }
  # Of its own accord the mock gives texts here, which are no ids.
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  environment   = "shop"
  stack         = "app"
  vpc_id        = "vpc-0123456789abcdef0"
  subnet_ids    = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  ingress_cidrs = ["10.40.0.0/16"]
  ami_id        = "ami-0123456789abcdef0"
  server_count  = 20
  db_class      = "db.r6g.4xlarge"
  cache_type    = "cache.r7g.large"
}

run "twenty_servers_with_database_and_cache" {
  assert {
    condition     = aws_autoscaling_group.servers.desired_capacity == 20 && aws_autoscaling_group.servers.wait_for_capacity_timeout == "0"
    error_message = "as many servers as were asked for, and Terraform does not judge capacity"
  }
  assert {
    condition     = aws_lb.this.internal && [for rule in aws_vpc_security_group_ingress_rule.load : rule.cidr_ipv4] == ["10.40.0.0/16"]
    error_message = "only who was named reaches the load balancer"
  }
  assert {
    condition     = aws_launch_template.server.metadata_options[0].http_tokens == "required" && aws_launch_template.server.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "metadata with a token only, volumes encrypted"
  }
  assert {
    condition     = length(aws_db_instance.kept) == 0 && aws_db_instance.temporary[0].storage_encrypted && !aws_db_instance.temporary[0].publicly_accessible
    error_message = "a database that goes with the rest, encrypted, with no public address"
  }
  assert {
    condition     = aws_elasticache_replication_group.this[0].at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this[0].transit_encryption_enabled
    error_message = "an encrypted cache"
  }
}

run "a_kept_database_is_another_resource" {
  command = plan
  variables {
    db_kept = true
  }
  assert {
    condition     = aws_db_instance.kept[0].deletion_protection && aws_db_instance.kept[0].storage_encrypted
    error_message = "neither Terraform nor the console deletes it"
  }
}

run "neither_database_nor_cache" {
  command = plan
  variables {
    db_class   = null
    cache_type = null
  }
  assert {
    condition     = length(aws_db_instance.temporary) == 0 && length(aws_elasticache_replication_group.this) == 0 && length(aws_vpc_security_group_ingress_rule.from_servers) == 0
    error_message = "nothing of either"
  }
}

run "with_a_certificate_it_speaks_https" {
  command = plan
  variables {
    certificate_arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/0a1b2c3d"
  }
  assert {
    condition     = aws_lb_listener.this.port == 443 && aws_lb_listener.to_https[0].default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP only sends people to HTTPS"
  }
}

run "more_servers_than_the_group_may_have_are_refused" {
  command = plan
  variables {
    server_max = 10
  }
  expect_failures = [aws_autoscaling_group.servers]
}

run "what_cannot_be_is_refused" {
  command = plan
  variables {
    server_count  = 1.5
    subnet_ids    = ["subnet-0123456789abcdef0"]
    ingress_cidrs = ["0.0.0.0/0"]
    db_class      = "r6g.4xlarge"
    ami_id        = "al2023"
  }
  expect_failures = [var.server_count, var.subnet_ids, var.ingress_cidrs, var.db_class, var.ami_id]
}

run "the_example_holds" {
  command = plan
  module {
    source = "./examples/basic"
  }
}
