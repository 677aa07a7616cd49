mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "210987654321" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::210987654321:policy/tidegate-load-boundary" }
  }
}

# For the example, which has both accounts.
mock_provider "aws" {
  alias = "load"
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "210987654321" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  regions              = ["ap-northeast-1"]
  bot_read_role_arns   = ["arn:aws:iam::123456789012:role/tidegate-bot-read"]
  bot_change_role_arns = ["arn:aws:iam::123456789012:role/tidegate-bot-change"]
}

run "two_roles_and_nothing_that_is_billed" {
  assert {
    condition     = keys(aws_iam_role.this) == ["change", "read"] && length(aws_iam_role.look) == 0
    error_message = "one that changes, one that looks; Prometheus gets one where it is named"
  }
  assert {
    condition     = [for role in aws_iam_role.this : role.name] == ["tidegate-load-change", "tidegate-load-read"]
    error_message = "names that can be written down before"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.path != "/tidegate/" && role.max_session_duration == 3600])
    error_message = "the roles themselves are not where `change` may change roles, and a session is an hour"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.tags["tidegate:environment"] == "tidegate" && role.tags["tidegate:stack"] == "load"])
    error_message = "tagged as Tidegate's own"
  }
  assert {
    condition     = output.permissions_boundary == "arn:aws:iam::210987654321:policy/tidegate-load-boundary" && output.account == "210987654321" && output.look_role_arn == null
    error_message = "the bound is this account's, and what is not made is told as none"
  }
}

run "prometheus_has_a_role_where_it_is_named" {
  variables {
    look_role_arns = ["arn:aws:iam::123456789012:role/tidegate/shop-monitoring-host"]
  }
  assert {
    condition     = aws_iam_role.look[0].name == "tidegate-load-look" && output.look_role_arn == aws_iam_role.look[0].arn
    error_message = "one that finds nodes"
  }
}

run "an_account_is_not_a_role" {
  command = plan
  variables {
    bot_read_role_arns   = ["arn:aws:iam::123456789012:root"]
    bot_change_role_arns = ["123456789012"]
    look_role_arns       = ["arn:aws:iam::123456789012:root"]
  }
  expect_failures = [var.bot_read_role_arns, var.bot_change_role_arns, var.look_role_arns]
}

run "nor_are_all_roles_one" {
  command = plan
  variables {
    bot_read_role_arns   = ["arn:aws:iam::123456789012:role/*"]
    bot_change_role_arns = ["*"]
    look_role_arns       = ["arn:aws:iam::123456789012:role/tidegate/*"]
  }
  expect_failures = [var.bot_read_role_arns, var.bot_change_role_arns, var.look_role_arns]
}

run "nor_is_a_user" {
  command = plan
  variables {
    bot_read_role_arns   = ["arn:aws:iam::123456789012:user/ito"]
    bot_change_role_arns = ["arn:aws:iam::123456789012:user/ito"]
  }
  expect_failures = [var.bot_read_role_arns, var.bot_change_role_arns]
}

run "somebody_has_to_be_able_to_take_them" {
  command = plan
  variables {
    regions              = []
    bot_read_role_arns   = []
    bot_change_role_arns = []
    session_names        = []
    services             = []
  }
  expect_failures = [var.regions, var.bot_read_role_arns, var.bot_change_role_arns, var.session_names, var.services]
}

run "who_only_reads_changes_nothing" {
  command = plan
  variables {
    bot_change_role_arns = ["arn:aws:iam::123456789012:role/tidegate-bot-read"]
  }
  expect_failures = [aws_iam_role.this]
}

run "what_cannot_be_is_refused" {
  command = plan
  variables {
    environment   = "Load"
    stack         = "a-name-that-is-too-long"
    tags          = { "tidegate:environment" = "shop" }
    regions       = ["*"]
    session_names = ["*"]
    services      = ["iam"]
  }
  expect_failures = [var.environment, var.stack, var.tags, var.regions, var.session_names, var.services]
}

# Planned only: it has the states' bucket, which `prevent_destroy` guards.
run "the_example_holds" {
  command = plan
  module {
    source = "./examples/basic"
  }
}
