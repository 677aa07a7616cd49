mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:tidegate/shop/monitoring/grafana" }
  }
}

variables {
  environment = "shop"
  stack       = "monitoring"
  vpc_id      = "vpc-0123456789abcdef0"
  subnet_id   = "subnet-0123456789abcdef0"
  zone        = "ap-northeast-1a"
  ami_id      = "ami-0123456789abcdef0"
  # The checksum of nothing, as a test's stand-in.
  prometheus = { version = "3.5.0", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  grafana    = { version = "12.2.0", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
}

run "a_host_that_nobody_reaches_but_by_ssm" {
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.ui) == 0
    error_message = "no open port without ui_cidrs"
  }
  assert {
    condition     = aws_instance.host.metadata_options[0].http_tokens == "required" && aws_instance.host.root_block_device[0].encrypted && aws_ebs_volume.data.encrypted
    error_message = "metadata with a token only, volumes encrypted"
  }
  assert {
    condition     = length(aws_opensearch_domain.logs) == 0
    error_message = "OpenSearch only if wanted"
  }
  assert {
    condition     = length(aws_instance.host.user_data_base64) < 16384
    error_message = "EC2 takes 16 KB of user data"
  }
}

run "prometheus_finds_this_environments_instances_only" {
  command = plan
  variables {
    targets = [{ role = "jmeter-slave", port = 9100, role_arn = "arn:aws:iam::210987654321:role/tidegate/look" }]
  }
  assert {
    condition     = yamldecode(local.prometheus_config).scrape_configs[1].ec2_sd_configs[0].filters[0] == { name = "tag:tidegate:environment", values = ["shop"] }
    error_message = "by the environment's tag"
  }
  assert {
    condition     = yamldecode(local.prometheus_config).scrape_configs[1].ec2_sd_configs[0].role_arn == "arn:aws:iam::210987654321:role/tidegate/look"
    error_message = "in another account by its role"
  }
}

run "people_come_from_named_addresses" {
  command = plan
  variables {
    ui_cidrs   = ["192.0.2.0/24"]
    opensearch = { instance_type = "t3.small.search", instances = 1, data_gb = 20 }
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.ui : "${rule.cidr_ipv4} ${rule.from_port}"] == ["192.0.2.0/24 443", "192.0.2.0/24 3000"]
    error_message = "Grafana and Dashboards"
  }
  assert {
    condition     = aws_opensearch_domain.logs[0].encrypt_at_rest[0].enabled && aws_opensearch_domain.logs[0].domain_endpoint_options[0].enforce_https
    error_message = "encrypted at rest and on its way"
  }
}

run "what_cannot_be_is_refused" {
  command = plan
  variables {
    ui_cidrs   = ["0.0.0.0/0"]
    prometheus = { version = "latest", sha256 = "" }
    data_gb    = 1
  }
  expect_failures = [var.ui_cidrs, var.prometheus, var.data_gb]
}

run "metrics_outlive_the_host" {
  command = plan
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/tidegate-bot-boundary"
  }
  assert {
    condition     = aws_ebs_volume.data.final_snapshot && aws_volume_attachment.data.stop_instance_before_detaching
    error_message = "a volume that goes leaves a snapshot, of a file system that is whole"
  }
  assert {
    condition     = aws_iam_role.host.permissions_boundary == "arn:aws:iam::123456789012:policy/tidegate-bot-boundary"
    error_message = "the host's role is bounded"
  }
}

run "opensearch_is_reached_by_tls_and_from_its_group" {
  command = plan
  variables {
    opensearch = { instance_type = "t3.small.search", instances = 1, data_gb = 20 }
  }
  assert {
    condition     = aws_opensearch_domain.logs[0].node_to_node_encryption[0].enabled && aws_opensearch_domain.logs[0].domain_endpoint_options[0].tls_security_policy == "Policy-Min-TLS-1-2-PFS-2023-10"
    error_message = "between its nodes too, and by no TLS older than 1.2"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.opensearch[0].cidr_ipv4 == null && length(aws_vpc_security_group_ingress_rule.ui) == 0
    error_message = "open to a group, not to addresses that nobody named"
  }
}

run "what_else_cannot_be_is_refused" {
  command = plan
  variables {
    environment = "Shop!"
    stack       = "Monitoring_1"
    tags        = { "tidegate:stack" = "other" }
    ami_id      = "latest"
    keep_days   = 0
    data_gb     = 10.5
    prometheus  = { version = "3.5.0", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", url = "http://downloads.example.com/prometheus.tar.gz" }
    grafana     = { version = "latest", sha256 = "abc" }
  }
  expect_failures = [var.environment, var.stack, var.tags, var.ami_id, var.keep_days, var.data_gb, var.prometheus, var.grafana]
}

run "nothing_is_downloaded_in_clear" {
  command = plan
  variables {
    grafana = { version = "12.2.0", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", url = "http://downloads.example.com/grafana.tar.gz" }
  }
  expect_failures = [var.grafana]
}

run "the_example_holds" {
  command = plan
  module {
    source = "./examples/basic"
  }
}
