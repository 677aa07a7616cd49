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

run "a_server_counts_once_the_load_balancer_reaches_it" {
  command = plan
  assert {
    condition     = aws_autoscaling_group.servers.health_check_type == "ELB" && aws_autoscaling_group.servers.health_check_grace_period == 180
    error_message = "a server has three minutes to start, then it answers or is replaced"
  }
  assert {
    condition     = aws_lb_target_group.this.health_check[0].path == "/health" && aws_lb_target_group.this.port == 8080
    error_message = "its own port is asked"
  }
}

run "servers_and_data_are_reached_from_named_groups_only" {
  command = plan
  variables {
    metrics_cidrs        = ["10.20.0.0/16"]
    permissions_boundary = "arn:aws:iam::123456789012:policy/tidegate-bot-boundary"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.from_load_balancer.cidr_ipv4 == null && alltrue([for rule in aws_vpc_security_group_ingress_rule.from_servers : rule.cidr_ipv4 == null])
    error_message = "servers, database and cache are open to groups, never to addresses"
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.metrics : "${rule.cidr_ipv4} ${rule.from_port}"] == ["10.20.0.0/16 8080"]
    error_message = "metrics to who was named"
  }
  assert {
    condition     = aws_iam_role.server.permissions_boundary == "arn:aws:iam::123456789012:policy/tidegate-bot-boundary"
    error_message = "the servers' role is bounded"
  }
}

run "https_is_no_older_than_tls_1_2" {
  command = plan
  variables {
    certificate_arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/0a1b2c3d"
  }
  assert {
    condition     = aws_lb_listener.this.protocol == "HTTPS" && aws_lb_listener.this.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "TLS 1.2 and 1.3"
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.load : "${rule.cidr_ipv4} ${rule.from_port}"] == ["10.40.0.0/16 443", "10.40.0.0/16 80"]
    error_message = "both ports to who was named"
  }
}

run "a_kept_database_leaves_a_snapshot_and_is_not_public" {
  command = plan
  variables {
    db_kept = true
  }
  assert {
    condition     = !aws_db_instance.kept[0].publicly_accessible && aws_db_instance.kept[0].backup_retention_period == 7 && aws_db_instance.kept[0].skip_final_snapshot != true && aws_db_instance.kept[0].final_snapshot_identifier == "shop-app-last"
    error_message = "no public address, a week of backups, a last snapshot"
  }
  assert {
    condition     = aws_db_instance.kept[0].manage_master_user_password && aws_db_instance.kept[0].password == null
    error_message = "its password stands in no state"
  }
  # No plan tells of it, and a test that destroys what it guards could not end.
  assert {
    condition     = strcontains(split("\nresource ", split("resource \"aws_db_instance\" \"kept\"", file("${path.module}/data.tf"))[1])[0], "prevent_destroy = true")
    error_message = "Terraform never destroys it"
  }
}

run "what_else_cannot_be_is_refused" {
  command = plan
  variables {
    environment   = "Shop!"
    stack         = "App_1"
    tags          = { "tidegate:stack" = "other" }
    metrics_cidrs = ["0.0.0.0/0"]
    server_max    = 0
    server_types  = []
    server_port   = 80
    db_gb         = 5
    db_version    = "latest"
    cache_type    = "r7g.large"
  }
  expect_failures = [
    var.environment, var.stack, var.tags, var.metrics_cidrs, var.server_max, var.server_types, var.server_port, var.db_gb, var.db_version, var.cache_type,
  ]
}

run "the_example_holds" {
  command = plan
  module {
    source = "./examples/basic"
  }
}
