# What Tidegate may do in an account, as policies: written once, for its own account (`tidegate`) and for those of loads (`account`).

locals {
  # What is made of a service is named, and with it who makes a role of its own for it in an account where it was never used.
  linked = {
    autoscaling          = ["autoscaling.amazonaws.com"]
    ec2                  = ["spot.amazonaws.com"]
    elasticache          = ["elasticache.amazonaws.com"]
    elasticloadbalancing = ["elasticloadbalancing.amazonaws.com"]
    es                   = ["es.amazonaws.com", "opensearchservice.amazonaws.com"]
    rds                  = ["rds.amazonaws.com"]
  }

  # Nearly all of these have no narrower form; none of them shows contents.
  look = [
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

  states = var.state_bucket == null ? [] : ["arn:${var.partition}:s3:::${var.state_bucket}"]
}

data "aws_iam_policy_document" "read" {
  statement {
    sid       = "Look"
    actions   = [for action in local.look : action if !contains(keys(local.linked), split(":", action)[0]) || contains(var.services, split(":", action)[0])]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = var.buckets ? ["arn:${var.partition}:s3:::*"] : []
    content {
      sid = "LookAtBuckets"
      actions = [
        "s3:GetAccelerateConfiguration",
        "s3:GetBucket*",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
      ]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.states
    content {
      sid       = "ReadStates"
      actions   = ["s3:GetObject"]
      resources = ["${statement.value}/*"]
    }
  }

  # A plan takes the lock too.
  dynamic "statement" {
    for_each = local.states
    content {
      sid       = "Lock"
      actions   = ["s3:PutObject", "s3:DeleteObject"]
      resources = ["${statement.value}/*.tflock"]
    }
  }

  dynamic "statement" {
    for_each = length(var.assumed_read_roles) == 0 ? [] : [var.assumed_read_roles]
    content {
      sid       = "LookInOtherAccounts"
      actions   = ["sts:AssumeRole"]
      resources = statement.value
    }
  }
}

data "aws_iam_policy_document" "change" {
  dynamic "statement" {
    for_each = local.states
    content {
      sid       = "WriteStates"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/*"]
    }
  }

  # An environment made for one test ends with its workspace. The versions stay.
  dynamic "statement" {
    for_each = local.states
    content {
      sid       = "EndWorkspaces"
      actions   = ["s3:DeleteObject"]
      resources = ["${statement.value}/env:/*"]
    }
  }

  statement {
    sid       = "Environments"
    actions   = [for service in var.services : "${service}:*"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = var.regions
    }
  }

  dynamic "statement" {
    for_each = var.buckets ? ["arn:${var.partition}:s3:::*-results-*"] : []
    content {
      sid = "ResultBuckets"
      actions = [
        "s3:CreateBucket",
        "s3:DeleteBucketPolicy",
        "s3:PutBucket*",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
      ]
      resources = [statement.value]
    }
  }

  # Not their values: those are the nodes' own. UpdateSecret would write them too, so that another description needs another secret.
  statement {
    sid       = "PlacesForSecrets"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource"]
    resources = ["arn:${var.partition}:secretsmanager:*:${var.account}:secret:tidegate/*"]
  }

  # RDS makes and keeps its password itself, in the name of who asks.
  dynamic "statement" {
    for_each = contains(var.services, "rds") ? ["arn:${var.partition}:secretsmanager:*:${var.account}:secret:rds!*"] : []
    content {
      sid       = "PasswordsOfDatabases"
      actions   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource", "secretsmanager:RotateSecret"]
      resources = [statement.value]
    }
  }

  statement {
    sid       = "MakeBoundRoles"
    actions   = ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
    resources = ["arn:${var.partition}:iam::${var.account}:role/tidegate/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [var.boundary_arn]
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
    resources = ["arn:${var.partition}:iam::${var.account}:role/tidegate/*"]
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
    resources = ["arn:${var.partition}:iam::${var.account}:instance-profile/tidegate/*"]
  }

  statement {
    sid       = "GiveRolesToInstances"
    actions   = ["iam:PassRole"]
    resources = ["arn:${var.partition}:iam::${var.account}:role/tidegate/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }

  statement {
    sid       = "ServicesMakeTheirOwn"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = [for name in flatten([for service in var.services : local.linked[service]]) : "arn:${var.partition}:iam::${var.account}:role/aws-service-role/${name}/*"]
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
  dynamic "statement" {
    for_each = local.states
    content {
      sid       = "NeverTheStates"
      effect    = "Deny"
      actions   = ["s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration", "s3:DeleteObjectVersion"]
      resources = [statement.value, "${statement.value}/*"]
    }
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
    resources = ["arn:${var.partition}:autoscaling:*:${var.account}:autoScalingGroup:*:autoScalingGroupName/*"]
  }
  statement {
    sid       = "Results"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = ["arn:${var.partition}:s3:::*-results-*/*"]
  }
  statement {
    sid       = "OwnSecrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = ["arn:${var.partition}:secretsmanager:*:${var.account}:secret:tidegate/*"]
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
  dynamic "statement" {
    for_each = local.states
    content {
      sid       = "NeverTheStates"
      effect    = "Deny"
      actions   = ["s3:*"]
      resources = [statement.value, "${statement.value}/*"]
    }
  }
  statement {
    sid       = "NeverTidegatesRoles"
    effect    = "Deny"
    actions   = ["sts:AssumeRole"]
    resources = ["arn:${var.partition}:iam::${var.account}:role/${var.name}-*"]
  }
}
