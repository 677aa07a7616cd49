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
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::tidegate-state-123456789012" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/tidegate-bot-boundary" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/tidegate-bot-any" }
  }
}

variables {
  regions = ["ap-northeast-1"]
}

# Planned only: what `prevent_destroy` guards cannot be torn down after a test.
run "two_roles_and_a_bucket_without_a_host" {
  command = plan
  assert {
    condition     = length(aws_instance.host) == 0 && keys(aws_iam_role.this) == ["change", "read"]
    error_message = "the roles and the bucket do not need a host"
  }
  assert {
    condition     = aws_s3_bucket.state.bucket == "tidegate-state-123456789012" && aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "older states can be put back"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.path != "/tidegate/"])
    error_message = "the roles themselves are not where `change` may change roles"
  }
}

run "a_host_that_nobody_reaches" {
  command = plan
  variables {
    host = {
      vpc_id    = "vpc-0123456789abcdef0"
      subnet_id = "subnet-0123456789abcdef0"
      zone      = "ap-northeast-1a"
      ami_id    = "ami-0123456789abcdef0"
    }
    # The checksum of nothing, as a test's stand-in.
    tidegate  = { url = "https://downloads.example.com/tidegate.tar.gz", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
    terraform = { version = "1.11.4", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  }
  assert {
    condition     = aws_instance.host[0].metadata_options[0].http_tokens == "required" && aws_instance.host[0].root_block_device[0].encrypted && aws_ebs_volume.ledger[0].encrypted
    error_message = "metadata with a token only, volumes encrypted"
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.ledger) == 0
    error_message = "a bot with its ledger on its own disk gets out to 443 only"
  }
  assert {
    condition     = local.program == "tidegate serve"
    error_message = "the bot, where nothing else is said"
  }
  assert {
    condition = alltrue([for line in [
      "ExecStart=/usr/local/bin/tidegate serve", "PathChanged=/srv/tidegate/tidegate.toml", "systemctl enable --now tidegate.path tidegate.service",
      ] : contains(split("\n", templatefile("${path.module}/templates/host.sh.tftpl", {
        tidegate_url = "", tidegate_sum = "", terraform_url = "", terraform_sum = "", program = "tidegate serve", volume = "", region = "", read = "", change = ""
    })), line)])
    error_message = "it is started when its configuration is written, not at the first boot only"
  }
}

run "a_runner_shares_the_ledger" {
  command = plan
  variables {
    host = {
      vpc_id    = "vpc-0123456789abcdef0"
      subnet_id = "subnet-0123456789abcdef0"
      zone      = "ap-northeast-1a"
      ami_id    = "ami-0123456789abcdef0"
      runs      = "runner"
      ledger    = { cidr = "10.0.3.0/24" }
    }
    tidegate  = { url = "https://downloads.example.com/tidegate.tar.gz", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
    terraform = { version = "1.11.4", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  }
  assert {
    condition     = local.program == "tidegate-runner"
    error_message = "the engine without the conversation: two bots would both listen to the chat"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.ledger[0].from_port == 5432 && aws_vpc_security_group_egress_rule.ledger[0].to_port == 5432 && aws_vpc_security_group_egress_rule.ledger[0].cidr_ipv4 == "10.0.3.0/24"
    error_message = "it gets out to PostgreSQL"
  }
}

run "a_runner_without_a_ledger_could_do_nothing" {
  command = plan
  variables {
    host = {
      vpc_id    = "vpc-0123456789abcdef0"
      subnet_id = "subnet-0123456789abcdef0"
      zone      = "ap-northeast-1a"
      ami_id    = "ami-0123456789abcdef0"
      runs      = "runner"
    }
    tidegate  = { url = "https://downloads.example.com/tidegate.tar.gz", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
    terraform = { version = "1.11.4", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  }
  expect_failures = [var.host]
}

run "a_host_needs_to_know_what_to_install" {
  command = plan
  variables {
    host = {
      vpc_id    = "vpc-0123456789abcdef0"
      subnet_id = "subnet-0123456789abcdef0"
      zone      = "ap-northeast-1a"
      ami_id    = "ami-0123456789abcdef0"
    }
  }
  expect_failures = [aws_instance.host]
}

run "what_cannot_be_is_refused" {
  command = plan
  variables {
    regions   = []
    tidegate  = { url = "http://downloads.example.com/tidegate.tar.gz", sha256 = "abc" }
    terraform = { version = "latest", sha256 = "abc" }
  }
  expect_failures = [var.regions, var.tidegate, var.terraform]
}

run "the_example_holds" {
  command = plan
  module {
    source = "./examples/basic"
  }
}
