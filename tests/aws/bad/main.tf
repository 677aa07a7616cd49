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

# Ports that no common rule names.
resource "aws_vpc_security_group_ingress_rule" "grafana" {
  security_group_id = aws_security_group.open.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 3000
  to_port           = 3000
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "rmi" {
  security_group_id = aws_security_group.open.id
  cidr_ipv6         = "::/0"
  ip_protocol       = "tcp"
  from_port         = 1099
  to_port           = 1099
  tags              = local.tags
}

resource "aws_security_group_rule" "https" {
  security_group_id = aws_security_group.open.id
  type              = "ingress"
  cidr_blocks       = ["10.0.0.0/8", "0.0.0.0/0"]
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group_rule" "halves" {
  security_group_id = aws_security_group.open.id
  type              = "ingress"
  cidr_blocks       = ["0.0.0.0/1", "128.0.0.0/1"]
  protocol          = "tcp"
  from_port         = 8080
  to_port           = 8080
}

resource "aws_vpc_security_group_ingress_rule" "by_local" {
  for_each          = local.visitors
  security_group_id = aws_security_group.open.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 9090
  to_port           = 9090
  tags              = local.tags
}

variable "open_to" {
  type        = list(string)
  default     = ["::/0"]
  description = "Who may come."
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
  visitors = { all = "0.0.0.0/0" }
  tags = {
    "tidegate:environment" = "bad"
    "tidegate:stack"       = "bad"
  }
}
