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
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/tidegate/node" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:tidegate/shop/jmeter/rmi" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::shop-results-123456789012" }
  }
  # Of its own accord the mock gives texts here, which are no ids.
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  environment    = "shop"
  stack          = "jmeter"
  vpc_id         = "vpc-0123456789abcdef0"
  subnet_ids     = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  ami_id         = "ami-0123456789abcdef0"
  slave_count    = 40
  results_bucket = "shop-results-123456789012"
  # The checksum of nothing, as a test's stand-in.
  jmeter = {
    version = "5.6.3"
    sha512  = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
  }
}

run "forty_slaves" {
  assert {
    condition     = aws_autoscaling_group.slaves.desired_capacity == 40 && aws_autoscaling_group.slaves.min_size == 0 && aws_autoscaling_group.slaves.max_size == 200
    error_message = "the group has as many slaves as were asked for"
  }
  assert {
    condition     = aws_autoscaling_group.slaves.wait_for_capacity_timeout == "0"
    error_message = "Terraform does not judge capacity"
  }
  assert {
    condition     = [for override in aws_autoscaling_group.slaves.mixed_instances_policy[0].launch_template[0].override : override.instance_type] == ["c6i.xlarge", "c5.xlarge", "c6a.xlarge"]
    error_message = "where one type has no capacity the next is taken, in the order written"
  }
  assert {
    condition = alltrue([
      for name in ["tidegate:environment", "tidegate:stack"] :
      contains([for tag in aws_autoscaling_group.slaves.tag : tag.key if tag.propagate_at_launch], name)
    ])
    error_message = "slaves carry the tags by which they are found again"
  }
  assert {
    condition     = aws_launch_template.slave.metadata_options[0].http_tokens == "required" && aws_instance.master[0].metadata_options[0].http_tokens == "required"
    error_message = "metadata is read with a token only"
  }
  assert {
    condition     = aws_launch_template.slave.block_device_mappings[0].ebs[0].encrypted == "true" && aws_instance.master[0].root_block_device[0].encrypted
    error_message = "volumes are encrypted"
  }
  assert {
    condition     = length(aws_secretsmanager_secret.rmi) == 1
    error_message = "a key of its own"
  }
}

run "slaves_and_master_are_reached_from_each_other_only" {
  command = plan
  variables {
    metrics_cidrs = ["10.20.0.0/16"]
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.slave_from_master : rule.cidr_ipv4 == null])
    error_message = "RMI is open to a group, never to addresses"
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.slave_from_master : rule.from_port] == [50000, 1099]
    error_message = "fixed ports"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.metrics) == 2
    error_message = "metrics of both kinds of node"
  }
}

run "nothing_by_the_hour_without_master_and_slaves" {
  command = plan
  variables {
    master      = false
    slave_count = 0
  }
  assert {
    condition     = length(aws_instance.master) == 0 && aws_autoscaling_group.slaves.desired_capacity == 0
    error_message = "no instance"
  }
}

run "in_clear_there_is_no_key" {
  command = plan
  variables {
    rmi_tls = false
  }
  assert {
    condition     = length(aws_secretsmanager_secret.rmi) == 0
    error_message = "no key was asked for"
  }
}

run "more_slaves_than_the_group_may_have_are_refused" {
  command = plan
  variables {
    slave_max = 30
  }
  expect_failures = [aws_autoscaling_group.slaves]
}

run "slaves_without_a_master_are_refused" {
  command = plan
  variables {
    master = false
  }
  expect_failures = [aws_autoscaling_group.slaves]
}

run "what_cannot_be_is_refused" {
  command = plan
  variables {
    slave_count   = -1
    slave_types   = []
    metrics_cidrs = ["0.0.0.0/0"]
    jmeter        = { version = "5.6.3'; reboot", sha512 = "abc" }
    ami_id        = "latest"
  }
  expect_failures = [var.slave_count, var.slave_types, var.metrics_cidrs, var.jmeter, var.ami_id]
}

run "a_slave_is_in_service_once_jmeter_listens" {
  command = plan
  variables {
    ready_within = 600
    spot_percent = 30
  }
  assert {
    condition     = [for hook in aws_autoscaling_group.slaves.initial_lifecycle_hook : "${hook.name} ${hook.lifecycle_transition} ${hook.heartbeat_timeout} ${hook.default_result}"] == ["jmeter-listens autoscaling:EC2_INSTANCE_LAUNCHING 600 ABANDON"]
    error_message = "one that takes longer never counts"
  }
  assert {
    condition     = aws_autoscaling_group.slaves.mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 70
    error_message = "the rest may be taken away"
  }
}

run "results_come_back_from_slaves_only" {
  command = plan
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/tidegate-bot-boundary"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.master_from_slave.cidr_ipv4 == null && length(aws_vpc_security_group_ingress_rule.metrics) == 0
    error_message = "the master is open to a group, and to nobody's metrics without metrics_cidrs"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.node : role.permissions_boundary == "arn:aws:iam::123456789012:policy/tidegate-bot-boundary"])
    error_message = "the nodes' roles are bounded"
  }
}

run "what_else_cannot_be_is_refused" {
  command = plan
  variables {
    environment    = "Shop!"
    stack          = "Jmeter_1"
    tags           = { "tidegate:stack" = "other" }
    subnet_ids     = []
    slave_max      = 1001
    spot_percent   = 101
    results_bucket = "Results!"
    volume_gb      = 5
    ready_within   = 30
  }
  expect_failures = [
    var.environment, var.stack, var.tags, var.subnet_ids, var.slave_max, var.spot_percent, var.results_bucket, var.volume_gb, var.ready_within,
  ]
}

run "jmeter_is_not_downloaded_in_clear" {
  command = plan
  variables {
    jmeter = {
      version = "5.6.3"
      sha512  = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
      url     = "http://downloads.example.com/jmeter.tgz"
    }
  }
  expect_failures = [var.jmeter]
}

# Planned only: what `prevent_destroy` guards cannot be torn down after a test.
run "results_are_kept_encrypted_and_private" {
  command = plan
  module {
    source = "./results"
  }
  variables {
    writer_accounts = ["210987654321"]
  }
  assert {
    condition     = aws_s3_bucket.this.bucket == "shop-results-123456789012" && aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "what is overwritten can be put back"
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "encrypted by S3's own key"
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "public in no way"
  }
  assert {
    condition     = data.aws_iam_policy_document.this.statement[0].effect == "Deny" && one(data.aws_iam_policy_document.this.statement[0].condition).variable == "aws:SecureTransport"
    error_message = "nothing goes in clear"
  }
  assert {
    condition     = one(data.aws_iam_policy_document.this.statement[1].condition).values == tolist(["arn:aws:iam::210987654321:role/tidegate/shop-*-master"])
    error_message = "of another account its masters write, and nobody else there"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 365
    error_message = "a year"
  }
  # No plan tells of it, and a test that destroys what it guards could not end.
  assert {
    condition     = length(regexall("prevent_destroy = true", file("${path.module}/main.tf"))) == 1
    error_message = "Terraform never destroys it"
  }
}

run "results_by_a_key_of_one_s_own" {
  command = plan
  module {
    source = "./results"
  }
  variables {
    kms_key_arn = "arn:aws:kms:ap-northeast-1:123456789012:key/0a1b2c3d"
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "encrypted by the key that was named"
  }
}

run "results_that_cannot_be_are_refused" {
  command = plan
  module {
    source = "./results"
  }
  variables {
    environment     = "Shop!"
    stack           = "Jmeter_1"
    tags            = { "tidegate:stack" = "other" }
    keep_days       = 0
    writer_accounts = ["production"]
  }
  expect_failures = [var.environment, var.stack, var.tags, var.keep_days, var.writer_accounts]
}

run "the_example_holds" {
  command = plan
  variables {
    jmeter_sha512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
  }
  module {
    source = "./examples/basic"
  }
}
