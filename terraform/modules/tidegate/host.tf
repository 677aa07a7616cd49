# The host of the bot, or of a runner. Nobody gets in; people come by SSM.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "host" {
  statement {
    sid       = "TakeRoles"
    actions   = ["sts:AssumeRole"]
    resources = [for name in ["read", "change"] : "arn:${local.partition}:iam::${local.account}:role/${local.name}-${name}"]
  }
  dynamic "statement" {
    for_each = length(var.secret_names) == 0 ? [] : [var.secret_names]
    content {
      sid       = "Secrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for name in statement.value : "arn:${local.partition}:secretsmanager:${data.aws_region.current.name}:${local.account}:secret:${name}-*"]
    }
  }
}

# The host's own role can do nothing to an environment: it takes `read` or `change`, so that CloudTrail tells which.
resource "aws_iam_role" "host" {
  count              = var.host == null ? 0 : 1
  name               = "${local.name}-host"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "host" {
  count  = var.host == null ? 0 : 1
  name   = "host"
  role   = aws_iam_role.host[0].id
  policy = data.aws_iam_policy_document.host.json
}

resource "aws_iam_role_policy_attachment" "ssm" {
  count      = var.host == null ? 0 : 1
  role       = aws_iam_role.host[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "host" {
  count = var.host == null ? 0 : 1
  name  = "${local.name}-host"
  role  = aws_iam_role.host[0].name
  tags  = local.tags
}

resource "aws_security_group" "host" {
  count       = var.host == null ? 0 : 1
  name        = "${local.name}-host"
  description = "Tidegate: nobody gets in"
  vpc_id      = var.host.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_egress_rule" "out" {
  count             = var.host == null ? 0 : 1
  security_group_id = aws_security_group.host[0].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To the chat, to AWS and to Terraform's registry"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

# By a ledger in PostgreSQL several hosts work together; one on SQLite is on the volume below.
resource "aws_vpc_security_group_egress_rule" "ledger" {
  count             = try(var.host.ledger, null) == null ? 0 : 1
  security_group_id = aws_security_group.host[0].id
  cidr_ipv4         = var.host.ledger.cidr
  description       = "To the ledger"
  ip_protocol       = "tcp"
  from_port         = var.host.ledger.port
  to_port           = var.host.ledger.port
  tags              = local.tags
}

# The ledger: who did what, when and why. Beside it, and of a runner, what runs left: plans, logs, checkouts.
resource "aws_ebs_volume" "ledger" {
  count             = var.host == null ? 0 : 1
  availability_zone = var.host.zone
  type              = "gp3"
  size              = var.host.data_gb
  encrypted         = true
  final_snapshot    = true
  tags              = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_instance" "host" {
  count                  = var.host == null ? 0 : 1
  ami                    = var.host.ami_id
  instance_type          = var.host.instance_type
  subnet_id              = var.host.subnet_id
  vpc_security_group_ids = [aws_security_group.host[0].id]
  iam_instance_profile   = aws_iam_instance_profile.host[0].name
  ebs_optimized          = true

  user_data_base64 = base64gzip(templatefile("${path.module}/templates/host.sh.tftpl", {
    tidegate_url  = try(var.tidegate.url, "")
    tidegate_sum  = try(var.tidegate.sha256, "")
    terraform_url = try(coalesce(var.terraform.url, "https://releases.hashicorp.com/terraform/${var.terraform.version}/terraform_${var.terraform.version}_linux_amd64.zip"), "")
    terraform_sum = try(var.terraform.sha256, "")
    program       = local.program
    volume        = aws_ebs_volume.ledger[0].id
    region        = data.aws_region.current.name
    read          = aws_iam_role.this["read"].arn
    change        = aws_iam_role.this["change"].arn
  }))
  user_data_replace_on_change = true

  metadata_options {
    http_tokens = "required"
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 30
    tags        = local.tags
  }

  tags = local.tags

  lifecycle {
    precondition {
      condition     = var.tidegate != null && var.terraform != null
      error_message = "A host needs `tidegate` and `terraform`: what to install, with checksums."
    }
  }

  depends_on = [aws_vpc_security_group_egress_rule.out, aws_vpc_security_group_egress_rule.ledger, aws_iam_role_policy.host, aws_iam_role_policy_attachment.ssm]
}

resource "aws_volume_attachment" "ledger" {
  count                          = var.host == null ? 0 : 1
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.ledger[0].id
  instance_id                    = aws_instance.host[0].id
  stop_instance_before_detaching = true
}
