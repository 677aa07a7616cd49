# Two roles. `read` plans, looks at drift and counts what is in service; `change` applies. What either makes for an
# environment has the path /tidegate/ and the boundary below, so that nobody gets more by making a role.

module "rights" {
  source             = "./rights"
  partition          = local.partition
  account            = local.account
  name               = local.name
  environment        = var.environment
  regions            = var.regions
  boundary_arn       = local.boundary_arn
  state_bucket       = aws_s3_bucket.state.bucket
  assumed_roles      = var.assumed_roles
  assumed_read_roles = var.assumed_read_roles
  node_roles         = var.node_roles
}

resource "aws_iam_policy" "boundary" {
  name        = "${local.name}-boundary"
  description = "The most that a role of an environment can have"
  policy      = module.rights.boundary
  tags        = local.tags
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = concat(aws_iam_role.host[*].arn, var.trusted_arns)
    }
  }
}

data "aws_iam_policy_document" "nobody" {
  statement {
    effect  = "Deny"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

# Not below /tidegate/: there `change` could change itself.
resource "aws_iam_role" "this" {
  for_each           = toset(["read", "change"])
  name               = "${local.name}-${each.key}"
  assume_role_policy = var.host == null && length(var.trusted_arns) == 0 ? data.aws_iam_policy_document.nobody.json : data.aws_iam_policy_document.trust.json
  # A run of the whole environment takes minutes; a large database, most of an hour.
  max_session_duration = 14400
  tags                 = local.tags
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
