# What the policies come to as AWS reads them. The documents are the real provider's, which makes them without asking anybody.

provider "aws" {
  region                      = "ap-northeast-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "210987654321" }
}

variables {
  regions              = ["ap-northeast-1"]
  bot_read_role_arns   = ["arn:aws:iam::123456789012:role/tidegate-bot-read"]
  bot_change_role_arns = ["arn:aws:iam::123456789012:role/tidegate-bot-change"]
}

run "the_bot_s_roles_take_them_and_nobody_else" {
  command = plan
  assert {
    condition = jsonencode(jsondecode(aws_iam_role.this["change"].assume_role_policy).Statement) == jsonencode([{
      Action    = "sts:AssumeRole"
      Condition = { StringLike = { "sts:RoleSessionName" = ["tidegate", "tidegate-*"] } }
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::123456789012:role/tidegate-bot-change" }
      Sid       = "TheBot"
    }])
    error_message = "`change` by the bot's `change` alone, in a session with its name"
  }
  assert {
    condition = jsonencode(jsondecode(aws_iam_role.this["read"].assume_role_policy).Statement[0].Condition) == jsonencode({
      StringLike = { "sts:RoleSessionName" = ["tidegate", "tidegate-*"] }
    }) && length(jsondecode(aws_iam_role.this["read"].assume_role_policy).Statement) == 1
    error_message = "`read` in a session with its name"
  }
  assert {
    condition = toset(jsondecode(aws_iam_role.this["read"].assume_role_policy).Statement[0].Principal.AWS) == toset([
      "arn:aws:iam::123456789012:role/tidegate-bot-change", "arn:aws:iam::123456789012:role/tidegate-bot-read",
    ]) && keys(jsondecode(aws_iam_role.this["read"].assume_role_policy).Statement[0].Principal) == ["AWS"]
    error_message = "`read` by both of the bot's roles"
  }
}

run "prometheus_finds_nodes_and_no_more" {
  command = plan
  variables {
    look_role_arns = ["arn:aws:iam::123456789012:role/tidegate/shop-monitoring-host"]
  }
  assert {
    condition = jsonencode(jsondecode(aws_iam_role.look[0].assume_role_policy).Statement) == jsonencode([{
      Action    = "sts:AssumeRole"
      Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::123456789012:role/tidegate/shop-monitoring-host" } }
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::123456789012:root" }
      Sid       = "Monitoring"
    }])
    error_message = "this host and no other of its account"
  }
  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.look[0].policy).Statement) == jsonencode([{
      Action    = ["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"]
      Condition = { StringEquals = { "aws:RequestedRegion" = "ap-northeast-1" } }
      Effect    = "Allow"
      Resource  = "*"
      Sid       = "FindNodes"
    }])
    error_message = "where they are, in the regions of the load"
  }
}

run "these_are_the_policies_that_are_given" {
  command = plan
  assert {
    condition     = alltrue([for policy in aws_iam_role_policy.read : jsonencode(jsondecode(policy.policy)) == jsonencode(jsondecode(module.rights.read))])
    error_message = "both may look"
  }
  assert {
    condition     = jsonencode(jsondecode(aws_iam_role_policy.change.policy)) == jsonencode(jsondecode(module.rights.change)) && jsonencode(jsondecode(aws_iam_policy.boundary.policy)) == jsonencode(jsondecode(module.rights.boundary))
    error_message = "one changes, within a bound"
  }
}

run "read_changes_nothing" {
  command = plan
  assert {
    condition = alltrue(flatten([
      for of in jsondecode(module.rights.read).Statement : [
        for action in flatten([of.Action]) : can(regex("^[a-z0-9]+:(Describe|Get|List|Lookup)[A-Za-z]*\\*?$", action)) && !contains(["ssm:GetParameter", "secretsmanager:GetSecretValue", "s3:GetObject"], action)
      ] if of.Effect == "Allow"
    ]))
    error_message = "every right is one to look, and none shows contents"
  }
}

run "states_and_buckets_are_somewhere_else" {
  command = plan
  assert {
    condition = !anytrue(flatten([
      for of in concat(jsondecode(module.rights.read).Statement, jsondecode(module.rights.change).Statement) : [
        for action in flatten([of.Action]) : startswith(action, "s3:") || startswith(action, "dynamodb:")
      ] if of.Effect == "Allow"
    ]))
    error_message = "neither role reads, writes or locks anything of S3 or DynamoDB"
  }
}

run "change_is_for_what_a_load_is_made_of" {
  command = plan
  assert {
    condition = toset([
      for action in flatten([for of in jsondecode(module.rights.change).Statement : of.Action if of.Effect == "Allow"]) : action if endswith(action, "*")
    ]) == toset(["autoscaling:*", "ec2:*"])
    error_message = "no whole service but two"
  }
  # A new right on everything is thought about.
  assert {
    condition = toset([
      for of in jsondecode(module.rights.change).Statement : of.Sid if of.Effect == "Allow" && contains(flatten([of.Resource]), "*")
    ]) == toset(["Environments"])
    error_message = "nothing else is allowed on everything"
  }
  assert {
    condition = alltrue([
      for of in jsondecode(module.rights.change).Statement :
      jsonencode(try(of.Condition, null)) == jsonencode({ StringEquals = { "aws:RequestedRegion" = "ap-northeast-1" } })
      if of.Effect == "Allow" && contains(flatten([of.Resource]), "*")
    ])
    error_message = "and that only in the regions named"
  }
  assert {
    condition = !anytrue(flatten([
      for of in jsondecode(module.rights.change).Statement : [
        for action in flatten([of.Action]) : contains(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"], action)
      ] if of.Effect == "Allow"
    ]))
    error_message = "no value of a secret, read or written"
  }
}

run "change_gets_no_more_by_iam" {
  command = plan
  # Whatever of IAM it may do is about an environment's roles and profiles, or a service's own. Its own role is not among them.
  assert {
    condition = alltrue(flatten([
      for of in jsondecode(module.rights.change).Statement : [
        for resource in flatten([of.Resource]) : can(regex("^arn:aws:iam::210987654321:(role/tidegate/\\*|instance-profile/tidegate/\\*|role/aws-service-role/(autoscaling|spot)\\.amazonaws\\.com/\\*)$", resource))
      ] if of.Effect == "Allow" && anytrue([for action in flatten([of.Action]) : startswith(action, "iam:")])
    ]))
    error_message = "roles and profiles below /tidegate/, and the roles of Auto Scaling and of spot instances"
  }
  assert {
    condition = alltrue([
      for role in aws_iam_role.this : alltrue([for below in ["/tidegate/", "/aws-service-role/"] : !startswith(coalesce(role.path, "/"), below)])
    ])
    error_message = "itself it cannot change"
  }
  assert {
    condition = alltrue([
      for of in jsondecode(module.rights.change).Statement :
      jsonencode(try(of.Condition, null)) == jsonencode({ StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::210987654321:policy/tidegate-load-boundary" } })
      if of.Effect == "Allow" && length(setintersection(toset(flatten([of.Action])), toset(["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]))) > 0
    ])
    error_message = "no role without the bound"
  }
  # Whoever could take the bound away, write another version of it, or make a user or a key would be free of it.
  assert {
    condition = length(setintersection(
      toset(flatten([for of in jsondecode(module.rights.change).Statement : of.Action if of.Effect == "Allow"])),
      toset([
        "iam:*", "iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreatePolicy", "iam:CreatePolicyVersion",
        "iam:CreateUser", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion",
        "iam:UpdateRole", "sts:*", "sts:AssumeRole",
      ]),
    )) == 0
    error_message = "the bound stays as it is, and no other role is taken"
  }
  assert {
    condition = alltrue([
      for of in jsondecode(module.rights.change).Statement :
      of.Resource == "arn:aws:iam::210987654321:role/tidegate/*" && jsonencode(try(of.Condition, null)) == jsonencode({ StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } })
      if of.Effect == "Allow" && contains(flatten([of.Action]), "iam:PassRole")
    ])
    error_message = "no role but an environment's is given away, and to instances only"
  }
}

run "a_role_that_is_made_stays_within_its_bound" {
  command = plan
  assert {
    condition = toset([
      for of in jsondecode(module.rights.boundary).Statement : of.Sid
      if of.Effect == "Allow" && contains(flatten([of.Resource]), "*")
    ]) == toset(["Look", "BeManaged"])
    error_message = "a right on everything that is neither a look nor a node's own word"
  }
  assert {
    condition = !anytrue(flatten([
      for of in jsondecode(module.rights.boundary).Statement : [
        for action in flatten([of.Action]) : endswith(action, "*") || startswith(action, "iam:") || startswith(action, "sts:")
      ] if of.Effect == "Allow"
    ]))
    error_message = "no right of IAM, no other role, no rights by a pattern"
  }
  assert {
    condition = anytrue([
      for of in jsondecode(module.rights.boundary).Statement :
      of.Effect == "Deny" && of.Action == "sts:AssumeRole" && of.Resource == "arn:aws:iam::210987654321:role/tidegate-load-*"
    ])
    error_message = "whoever trusts it: Tidegate's own roles it never takes"
  }
}

run "more_is_made_where_it_is_said" {
  command = plan
  variables {
    services = ["autoscaling", "ec2", "rds"]
    buckets  = true
  }
  assert {
    condition = toset([
      for action in flatten([for of in jsondecode(module.rights.change).Statement : of.Action if of.Effect == "Allow"]) : action if endswith(action, ":*")
    ]) == toset(["autoscaling:*", "ec2:*", "rds:*"])
    error_message = "databases too, and nothing that was not said"
  }
  assert {
    condition = flatten([
      for of in jsondecode(module.rights.change).Statement : of.Resource if of.Effect == "Allow" && contains(flatten([of.Action]), "s3:CreateBucket")
    ]) == ["arn:aws:s3:::*-results-*"]
    error_message = "buckets for results, and no others"
  }
}
