# Everything that must not be, so that a test can show that each is found. Never part of anything.

resource "aws_security_group" "open" {
  name        = "open"
  description = "Open to everybody"
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_ebs_volume" "plain" {
  availability_zone = "ap-northeast-1a"
  size              = 10
  encrypted         = false
  tags              = { Name = "without Tidegate's tags" }
}

resource "aws_db_instance" "plain" {
  identifier          = "plain"
  instance_class      = "db.t4g.medium"
  storage_encrypted   = false
  publicly_accessible = true
  tags                = local.tags
}

resource "aws_instance" "old_metadata" {
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.medium"
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "open" {
  bucket                  = "results"
  block_public_acls       = false
  block_public_policy     = false
  ignore_public_acls      = false
  restrict_public_buckets = false
}

resource "aws_autoscaling_group" "untagged" {
  name                      = "untagged"
  min_size                  = 0
  max_size                  = 1
  wait_for_capacity_timeout = "10m"
}

locals {
  tags = {
    "tidegate:environment" = "bad"
    "tidegate:stack"       = "bad"
  }
}
