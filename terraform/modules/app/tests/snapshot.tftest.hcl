# A state of its own: what AWS decides stays as an earlier test left it. The kept database is written alike; its `prevent_destroy`
# would keep a test from ending.

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

run "a_snapshot_s_database_is_not_made_anew_by_what_is_written_here" {
  variables {
    db_snapshot = "rds:production-2026-11-20"
  }
  # The mock decides what is left to AWS. A name that is written here and is not the snapshot's would replace the database.
  assert {
    condition     = aws_db_instance.temporary[0].db_name != "app" && aws_db_instance.temporary[0].username != "app" && aws_db_instance.temporary[0].allocated_storage != 50
    error_message = "database, user and size are the snapshot's"
  }
}
