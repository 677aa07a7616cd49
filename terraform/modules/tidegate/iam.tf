# Two roles. `read` plans, looks at drift and counts what is in service; `change` applies. What either makes for an
# environment has the path /tidegate/ and the boundary below, so that nobody gets more by making a role.

data "aws_iam_policy_document" "read" {
  statement {
    sid = "Look"
    # Nearly all of these have no narrower form; none of them shows contents.
    actions = [
      "autoscaling:Describe*",
      "cloudtrail:LookupEvents",
      "cloudwatch:DescribeAlarms",
      "ec2:Describe*",
      "ec2:GetLaunchTemplateData",
      "elasticache:Describe*",
      "elasticache:ListTagsForResource",
      "elasticloadbalancing:Describe*",
      "es:Describe*",
      "es:ListTags",
      "iam:GetInstanceProfile",
      "iam:GetPolicy",
      "iam:GetPolicyVersion",
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole",
      "iam:ListRolePolicies",
      "kms:DescribeKey",
      "rds:Describe*",
      "rds:ListTagsForResource",
      "secretsmanager:DescribeSecret",
      "secretsmanager:GetResourcePolicy",
      "servicequotas:GetServiceQuota",
      "servicequotas:ListServiceQuotas",
      "sts:GetCallerIdentity",
      "tag:GetResources",
    ]
    resources = ["*"]
  }

  statement {
    sid = "LookAtBuckets"
    actions = [
      "s3:GetAccelerateConfiguration",
      "s3:GetBucket*",
      "s3:GetEncryptionConfiguration",
      "s3:GetLifecycleConfiguration",
      "s3:GetReplicationConfiguration",
      "s3:ListBucket",
    ]
    resources = ["arn:${local.partition}:s3:::*"]
  }

  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = ["${local.state_arn}/*"]
  }

  # A plan takes the lock too.
  statement {
    sid       = "Lock"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.state_arn}/*.tflock"]
  }
}

data "aws_iam_policy_document" "change" {
  statement {
    sid       = "WriteStates"
    actions   = ["s3:PutObject"]
    resources = ["${local.state_arn}/*"]
  }

  # An environment made for one test ends with its workspace. The versions stay.
  statement {
    sid       = "EndWorkspaces"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.state_arn}/env:/*"]
  }

  statement {
    sid = "Environments"
    actions = [
      "autoscaling:*",
      "ec2:*",
      "elasticache:*",
      "elasticloadbalancing:*",
      "es:*",
      "rds:*",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = var.regions
    }
  }

  statement {
    sid = "ResultBuckets"
    actions = [
      "s3:CreateBucket",
      "s3:DeleteBucketPolicy",
      "s3:PutBucket*",
      "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
    ]
    resources = ["arn:${local.partition}:s3:::*-results-*"]
  }

  # Not their values: those are the nodes' own. UpdateSecret would write them too, so that another description needs another secret.
  statement {
    sid       = "PlacesForSecrets"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource"]
    resources = ["arn:${local.partition}:secretsmanager:*:${local.account}:secret:tidegate/*"]
  }

  # RDS makes and keeps its password itself, in the name of who asks.
  statement {
    sid       = "PasswordsOfDatabases"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource", "secretsmanager:RotateSecret"]
    resources = ["arn:${local.partition}:secretsmanager:*:${local.account}:secret:rds!*"]
  }

  statement {
    sid       = "MakeBoundRoles"
    actions   = ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/tidegate/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [local.boundary_arn]
    }
  }

  statement {
    sid = "KeepRoles"
    actions = [
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:TagRole",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:role/tidegate/*"]
  }

  statement {
    sid = "InstanceProfiles"
    actions = [
      "iam:AddRoleToInstanceProfile",
      "iam:CreateInstanceProfile",
      "iam:DeleteInstanceProfile",
      "iam:RemoveRoleFromInstanceProfile",
      "iam:TagInstanceProfile",
      "iam:UntagInstanceProfile",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:instance-profile/tidegate/*"]
  }

  statement {
    sid       = "GiveRolesToInstances"
    actions   = ["iam:PassRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/tidegate/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }

  statement {
    sid       = "ServicesMakeTheirOwn"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"]
  }

  dynamic "statement" {
    for_each = length(var.assumed_roles) == 0 ? [] : [var.assumed_roles]
    content {
      sid       = "OtherAccounts"
      actions   = ["sts:AssumeRole"]
      resources = statement.value
    }
  }

  # Whatever else is allowed: states and Tidegate itself are not an environment.
  statement {
    sid       = "NeverTheStates"
    effect    = "Deny"
    actions   = ["s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration", "s3:DeleteObjectVersion"]
    resources = [local.state_arn, "${local.state_arn}/*"]
  }
  statement {
    sid    = "NeverItself"
    effect = "Deny"
    # Tags too: whoever takes the tag away may do everything after it. To look is asked of no resource, and goes on.
    actions   = ["ec2:*"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/tidegate:environment"
      values   = [var.environment]
    }
  }
  # A group would end in its own name what was put into it.
  statement {
    sid       = "NeverByAGroup"
    effect    = "Deny"
    actions   = ["autoscaling:AttachInstances"]
    resources = ["*"]
  }
}

# The most that a role of an environment can have, whatever is written in it: what nodes need, and nothing that `change` could not
# reach otherwise but what the nodes themselves wrote.
data "aws_iam_policy_document" "boundary" {
  statement {
    sid = "Look"
    actions = [
      "autoscaling:DescribeAutoScalingGroups",
      "ec2:DescribeAvailabilityZones",
      "ec2:DescribeInstances",
    ]
    resources = ["*"]
  }
  statement {
    sid       = "SayReady"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:${local.partition}:autoscaling:*:${local.account}:autoScalingGroup:*:autoScalingGroupName/*"]
  }
  statement {
    sid       = "Results"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = ["arn:${local.partition}:s3:::*-results-*/*"]
  }
  statement {
    sid       = "OwnSecrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = ["arn:${local.partition}:secretsmanager:*:${local.account}:secret:tidegate/*"]
  }
  # Those of AmazonSSMManagedInstanceCore but ssm:GetParameter and ssm:GetParameters, which would read everybody's. A node speaks for
  # itself by them, and sends nobody a command.
  statement {
    sid = "BeManaged"
    actions = [
      "ec2messages:AcknowledgeMessage",
      "ec2messages:DeleteMessage",
      "ec2messages:FailMessage",
      "ec2messages:GetEndpoint",
      "ec2messages:GetMessages",
      "ec2messages:SendReply",
      "ssm:DescribeAssociation",
      "ssm:DescribeDocument",
      "ssm:GetDeployablePatchSnapshotForInstance",
      "ssm:GetDocument",
      "ssm:GetManifest",
      "ssm:ListAssociations",
      "ssm:ListInstanceAssociations",
      "ssm:PutComplianceItems",
      "ssm:PutConfigurePackageResult",
      "ssm:PutInventory",
      "ssm:UpdateAssociationStatus",
      "ssm:UpdateInstanceAssociationStatus",
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
  dynamic "statement" {
    for_each = length(var.node_roles) == 0 ? [] : [var.node_roles]
    content {
      sid       = "LookInOtherAccounts"
      actions   = ["sts:AssumeRole"]
      resources = statement.value
    }
  }
  statement {
    sid       = "NeverTheStates"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.state_arn, "${local.state_arn}/*"]
  }
  statement {
    sid       = "NeverTidegatesRoles"
    effect    = "Deny"
    actions   = ["sts:AssumeRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${local.name}-*"]
  }
}

resource "aws_iam_policy" "boundary" {
  name        = "${local.name}-boundary"
  description = "The most that a role of an environment can have"
  policy      = data.aws_iam_policy_document.boundary.json
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
  policy   = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy" "change" {
  name   = "change"
  role   = aws_iam_role.this["change"].id
  policy = data.aws_iam_policy_document.change.json
}
