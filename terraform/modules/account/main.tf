# What an account of the load's own needs so that a bot of another account works there: two roles to assume, and the bound of what
# they make. States and locks stay where the bot is; no right here is about them.

locals {
  name = "${var.environment}-${var.stack}"
  tags = merge(var.tags, {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = var.stack
    Name                   = "${var.environment}-${var.stack}"
  })
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id

  # By names, which a plan knows: whoever reads it sees the rights before they are given.
  boundary_arn = "arn:${local.partition}:iam::${local.account}:policy/${aws_iam_policy.boundary.name}"

  # Who only looks is also who changes: the bot counts what is in service right after an apply.
  bot_roles = {
    read   = distinct(concat(var.bot_read_role_arns, var.bot_change_role_arns))
    change = var.bot_change_role_arns
  }
}

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

module "rights" {
  source       = "../tidegate/rights"
  partition    = local.partition
  account      = local.account
  name         = local.name
  environment  = var.environment
  regions      = var.regions
  boundary_arn = local.boundary_arn
  services     = var.services
  buckets      = var.buckets
}

resource "aws_iam_policy" "boundary" {
  name        = "${local.name}-boundary"
  description = "The most that a role of an environment can have"
  policy      = module.rights.boundary
  tags        = local.tags
}

# Roles in full, never an account: whoever else is there gets nothing. No external id: the bot gives none where it counts and looks, and
# keeps apart customers of one service, which accounts of one company are not.
data "aws_iam_policy_document" "trust" {
  for_each = local.bot_roles
  statement {
    sid     = "TheBot"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = each.value
    }
    condition {
      test     = "StringLike"
      variable = "sts:RoleSessionName"
      values   = var.session_names
    }
  }
}

# Not below /tidegate/: there `change` could change itself.
resource "aws_iam_role" "this" {
  for_each           = local.bot_roles
  name               = "${local.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
  # AWS gives no more to a role that takes another one; SDKs and the provider take it anew in time.
  max_session_duration = 3600
  tags                 = local.tags

  lifecycle {
    precondition {
      condition     = length(setintersection(var.bot_read_role_arns, var.bot_change_role_arns)) == 0
      error_message = "A role of `bot_read_role_arns` may change nothing: take it out of `bot_change_role_arns`."
    }
  }
}

resource "aws_iam_role_policy" "read" {
  for_each = aws_iam_role.this
  name     = "read"
  role     = each.value.id
  policy   = module.rights.read
}

resource "aws_iam_role_policy" "change" {
  name   = "change"
  role   = aws_iam_role.this["change"].id
  policy = module.rights.change
}

# ---- For Prometheus --------------------------------------------------------------------------------------------------

# By the caller's ARN instead of the caller as principal: a monitoring host's role comes with its environment, and AWS takes nobody
# as principal who is not there yet.
data "aws_iam_policy_document" "look_trust" {
  count = length(var.look_role_arns) == 0 ? 0 : 1
  statement {
    sid     = "Monitoring"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = distinct([for arn in var.look_role_arns : "arn:${local.partition}:iam::${split(":", arn)[4]}:root"])
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = var.look_role_arns
    }
  }
}

data "aws_iam_policy_document" "look" {
  statement {
    sid = "FindNodes"
    # EC2 knows no narrower right to look.
    actions   = ["ec2:DescribeAvailabilityZones", "ec2:DescribeInstances"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = var.regions
    }
  }
}

resource "aws_iam_role" "look" {
  count              = length(var.look_role_arns) == 0 ? 0 : 1
  name               = "${local.name}-look"
  assume_role_policy = data.aws_iam_policy_document.look_trust[0].json
  tags               = local.tags
}

resource "aws_iam_role_policy" "look" {
  count  = length(var.look_role_arns) == 0 ? 0 : 1
  name   = "look"
  role   = aws_iam_role.look[0].id
  policy = data.aws_iam_policy_document.look.json
}
