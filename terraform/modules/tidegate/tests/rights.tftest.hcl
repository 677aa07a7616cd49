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
  values = { account_id = "123456789012" }
}

variables {
  regions = ["ap-northeast-1"]
}

run "a_role_that_is_made_reads_nothing_of_others" {
  command = plan
  # What only looks, or speaks for the node itself, has no narrower form.
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
        for action in flatten([of.Action]) : endswith(action, "*") || contains([
          "sts:AssumeRole", "ssm:SendCommand", "ssm:StartSession", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath",
        ], action)
      ] if of.Effect == "Allow"
    ]))
    error_message = "no command to others, no parameter, no other role, no rights by a pattern"
  }
  assert {
    condition = toset(flatten([
      for of in jsondecode(module.rights.boundary).Statement : of.Resource
      if of.Effect == "Allow" && contains(flatten([of.Action]), "secretsmanager:GetSecretValue")
    ])) == toset(["arn:aws:secretsmanager:*:123456789012:secret:tidegate/*"])
    error_message = "the nodes' own secrets only"
  }
  assert {
    condition = toset(flatten([
      for of in jsondecode(module.rights.boundary).Statement : of.Resource
      if of.Effect == "Allow" && contains(flatten([of.Action]), "s3:GetObject")
    ])) == toset(["arn:aws:s3:::*-results-*/*"])
    error_message = "results only"
  }
}

run "nodes_take_the_roles_that_are_named" {
  command = plan
  variables {
    node_roles = ["arn:aws:iam::210987654321:role/look"]
  }
  assert {
    condition = flatten([
      for of in jsondecode(module.rights.boundary).Statement : of.Resource
      if of.Effect == "Allow" && contains(flatten([of.Action]), "sts:AssumeRole")
    ]) == ["arn:aws:iam::210987654321:role/look"]
    error_message = "this one and no other"
  }
}

run "what_tidegate_itself_is_made_of_stays" {
  command = plan
  assert {
    condition = anytrue([
      for of in jsondecode(module.rights.change).Statement :
      of.Effect == "Deny" && of.Resource == "*" && contains(flatten([of.Action]), "ec2:*")
      && jsonencode(try(of.Condition, null)) == jsonencode({ StringEquals = { "aws:ResourceTag/tidegate:environment" = "tidegate" } })
    ])
    error_message = "nothing of EC2 is done to what carries its tag: neither ended nor given other tags, by which it could be ended"
  }
  assert {
    condition = anytrue([
      for of in jsondecode(module.rights.change).Statement :
      of.Effect == "Deny" && of.Resource == "*" && contains(flatten([of.Action]), "autoscaling:AttachInstances") && !can(of.Condition)
    ])
    error_message = "nor given to a group that ends it"
  }
  assert {
    condition     = jsonencode(jsondecode(aws_iam_role_policy.change.policy)) == jsonencode(jsondecode(module.rights.change)) && jsonencode(jsondecode(aws_iam_policy.boundary.policy)) == jsonencode(jsondecode(module.rights.boundary))
    error_message = "these are the policies that are given"
  }
}

run "change_has_what_a_run_needs_and_no_secret_s_value" {
  command = plan
  assert {
    condition = toset(flatten([
      for of in jsondecode(module.rights.change).Statement : of.Resource
      if of.Effect == "Allow" && contains(flatten([of.Action]), "s3:DeleteObject")
    ])) == toset(["arn:aws:s3:::tidegate-state-123456789012/env:/*"])
    error_message = "`workspace delete` takes its state away, and nothing takes one of another key"
  }
  assert {
    condition = !anytrue(flatten([
      for of in jsondecode(module.rights.change).Statement : [
        for action in flatten([of.Action]) : contains(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret", "secretsmanager:*", "ssm:*", "iam:*", "s3:*", "*"], action)
      ] if of.Effect == "Allow"
    ]))
    error_message = "no value of a secret, read or written; no right of whole services that hold others' things"
  }
  assert {
    condition = alltrue([
      for of in jsondecode(module.rights.change).Statement :
      jsonencode(try(of.Condition, null)) == jsonencode({ StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::123456789012:policy/tidegate-bot-boundary" } })
      if of.Effect == "Allow" && length(setintersection(toset(flatten([of.Action])), toset(["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]))) > 0
    ])
    error_message = "no role without the boundary"
  }
  assert {
    condition = alltrue([
      for of in jsondecode(module.rights.change).Statement :
      alltrue([for resource in flatten([of.Resource]) : startswith(resource, "arn:aws:iam::123456789012:role/tidegate/")])
      if of.Effect == "Allow" && contains(flatten([of.Action]), "iam:PassRole")
    ])
    error_message = "no role but an environment's is given to an instance"
  }
}

run "tokens_of_chats_are_not_where_nodes_read" {
  command = plan
  variables {
    secret_names = ["tidegate/slack-bot-token"]
  }
  expect_failures = [var.secret_names]
}

run "read_looks_who_did_what_and_at_what_no_state_knows" {
  command = plan
  assert {
    condition = alltrue([for right in [
      "cloudtrail:LookupEvents", "servicequotas:GetServiceQuota", "tag:GetResources", "sts:GetCallerIdentity",
    ] : contains(jsondecode(module.rights.read).Statement[0].Action, right)])
    error_message = "`read` looks who did what, what the account has left and what no state knows"
  }
  assert {
    condition     = alltrue([for policy in aws_iam_role_policy.read : jsonencode(jsondecode(policy.policy)) == jsonencode(jsondecode(module.rights.read))])
    error_message = "this is the policy that both roles are given"
  }
}

run "roles_of_other_accounts_are_taken_by_whom_they_are_for" {
  command = plan
  variables {
    assumed_roles      = ["arn:aws:iam::210987654321:role/tidegate-load-change"]
    assumed_read_roles = ["arn:aws:iam::210987654321:role/tidegate-load-read"]
  }
  assert {
    condition = flatten([
      for of in jsondecode(module.rights.change).Statement : of.Resource
      if of.Effect == "Allow" && contains(flatten([of.Action]), "sts:AssumeRole")
    ]) == ["arn:aws:iam::210987654321:role/tidegate-load-change"]
    error_message = "`change` goes on into the role that changes"
  }
  assert {
    condition = flatten([
      for of in jsondecode(module.rights.read).Statement : of.Resource
      if of.Effect == "Allow" && contains(flatten([of.Action]), "sts:AssumeRole")
    ]) == ["arn:aws:iam::210987654321:role/tidegate-load-read"]
    error_message = "`read` goes on into the role that looks, and into no other"
  }
}

run "roles_of_other_accounts_are_named_in_full" {
  command = plan
  variables {
    assumed_roles      = ["arn:aws:iam::210987654321:role/*"]
    assumed_read_roles = ["arn:aws:iam::210987654321:root"]
  }
  expect_failures = [var.assumed_roles, var.assumed_read_roles]
}

run "services_make_their_own_roles_and_no_other_service_does" {
  command = plan
  assert {
    condition = alltrue(flatten([
      for of in jsondecode(module.rights.change).Statement : [
        for resource in flatten([of.Resource]) : can(regex("^arn:aws:iam::123456789012:role/aws-service-role/[a-z]+\\.amazonaws\\.com/\\*$", resource))
      ] if of.Effect == "Allow" && contains(flatten([of.Action]), "iam:CreateServiceLinkedRole")
    ]))
    error_message = "those of the services that environments are made of"
  }
}
