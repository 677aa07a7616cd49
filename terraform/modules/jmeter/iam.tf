# What nodes may do themselves. Roles have the path /tidegate/, by which who changes the environment may be kept to them.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

locals {
  arn_group  = "arn:${data.aws_partition.current.partition}:autoscaling:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:autoScalingGroup:*:autoScalingGroupName/${local.group}"
  arn_bucket = "arn:${data.aws_partition.current.partition}:s3:::${var.results_bucket}"
}

data "aws_iam_policy_document" "master" {
  statement {
    sid = "FindSlaves"
    # Auto Scaling and EC2 know no narrower right to look.
    actions   = ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"]
    resources = ["*"]
  }
  statement {
    sid       = "Results"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.arn_bucket}/${var.environment}/*"]
  }
  dynamic "statement" {
    for_each = aws_secretsmanager_secret.rmi
    content {
      sid       = "MakeKey"
      actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
      resources = [statement.value.arn]
    }
  }
}

data "aws_iam_policy_document" "slave" {
  statement {
    sid       = "SayReady"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = [local.arn_group]
  }
  dynamic "statement" {
    for_each = aws_secretsmanager_secret.rmi
    content {
      sid       = "ReadKey"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value.arn]
    }
  }
}

resource "aws_iam_role" "node" {
  for_each             = { master = local.master_tags, slave = local.slave_tags }
  name                 = "${local.name}-${each.key}"
  path                 = "/tidegate/"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary
  tags                 = each.value
}

resource "aws_iam_role_policy" "node" {
  for_each = {
    master = data.aws_iam_policy_document.master.json
    slave  = data.aws_iam_policy_document.slave.json
  }
  name   = "node"
  role   = aws_iam_role.node[each.key].id
  policy = each.value
}

# Sessions and port forwarding by SSM: no SSH, no key, no open port.
resource "aws_iam_role_policy_attachment" "ssm" {
  for_each   = aws_iam_role.node
  role       = each.value.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "node" {
  for_each = { master = local.master_tags, slave = local.slave_tags }
  name     = "${local.name}-${each.key}"
  path     = "/tidegate/"
  role     = aws_iam_role.node[each.key].name
  tags     = each.value
}
