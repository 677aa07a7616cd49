# A JMeter master and its slaves. Nobody gets in but they to each other and the metrics' reader; people come by SSM.

locals {
  name = "${var.environment}-${var.stack}"
  tags = merge(var.tags, {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = var.stack
  })
  master_tags = merge(local.tags, { Name = "${local.name}-master", Role = "jmeter-master" })
  slave_tags  = merge(local.tags, { Name = "${local.name}-slave", Role = "jmeter-slave" })
  group       = "${local.name}-slaves"
  hook        = "jmeter-listens"

  # Fixed, so that security groups can name them: a slave's registry and its engine, and the master's for what comes back.
  # These are a range, since JMeter with TLS cannot keep to `client.rmi.localport`: each listener wants it for a socket of its
  # own ("Listen failed on port", JMeter 5.5). So the master's kernel gives ports out of this range only.
  ports = { registry = 1099, engine = 50000, results = 60000, results_last = 60999, metrics = 9100 }

  url = coalesce(var.jmeter.url, "https://archive.apache.org/dist/jmeter/binaries/apache-jmeter-${var.jmeter.version}.tgz")
  node = {
    url          = local.url
    sha512       = var.jmeter.sha512
    tls          = var.rmi_tls
    secret       = var.rmi_tls ? aws_secretsmanager_secret.rmi[0].name : ""
    region       = data.aws_region.current.name
    group        = local.group
    hook         = local.hook
    ports        = local.ports
    environment  = var.environment
    bucket       = var.results_bucket
    ready_within = var.ready_within
    metrics      = file("${path.module}/files/metrics.py")
    load_test    = file("${path.module}/files/load-test")
  }
}

data "aws_region" "current" {}
data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

# ---- Who may reach whom ----------------------------------------------------------------------------------------------

resource "aws_security_group" "master" {
  name        = "${local.name}-master"
  description = "JMeter master"
  vpc_id      = var.vpc_id
  tags        = local.master_tags
}

resource "aws_security_group" "slave" {
  name        = "${local.name}-slave"
  description = "JMeter slaves"
  vpc_id      = var.vpc_id
  tags        = local.slave_tags
}

resource "aws_vpc_security_group_ingress_rule" "slave_from_master" {
  for_each                     = { registry = local.ports.registry, engine = local.ports.engine }
  security_group_id            = aws_security_group.slave.id
  referenced_security_group_id = aws_security_group.master.id
  description                  = "RMI ${each.key}, from the master"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  tags                         = local.slave_tags
}

resource "aws_vpc_security_group_ingress_rule" "master_from_slave" {
  security_group_id            = aws_security_group.master.id
  referenced_security_group_id = aws_security_group.slave.id
  description                  = "Results by RMI, from the slaves"
  ip_protocol                  = "tcp"
  from_port                    = local.ports.results
  to_port                      = local.ports.results_last
  tags                         = local.master_tags
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  for_each = {
    for pair in setproduct(["master", "slave"], var.metrics_cidrs) :
    "${pair[0]} ${pair[1]}" => { node = pair[0], cidr = pair[1] }
  }
  security_group_id = each.value.node == "master" ? aws_security_group.master.id : aws_security_group.slave.id
  cidr_ipv4         = each.value.cidr
  description       = "Metrics, to Prometheus"
  ip_protocol       = "tcp"
  from_port         = local.ports.metrics
  to_port           = local.ports.metrics
  tags              = each.value.node == "master" ? local.master_tags : local.slave_tags
}

# Load goes wherever a test plan says.
resource "aws_vpc_security_group_egress_rule" "out" {
  for_each          = { master = aws_security_group.master.id, slave = aws_security_group.slave.id }
  security_group_id = each.value
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To what is tested, and to AWS"
  ip_protocol       = "-1"
  tags              = each.key == "master" ? local.master_tags : local.slave_tags
}

# ---- The key of RMI over TLS -----------------------------------------------------------------------------------------

# Only the empty place. The master makes key and password at its first start and puts them here, so that neither stands in
# a Terraform state or plan. Without days of grace, or the next `up` could not have the same name.
resource "aws_secretsmanager_secret" "rmi" {
  count                   = var.rmi_tls ? 1 : 0
  name                    = "tidegate/${var.environment}/${var.stack}/rmi"
  description             = "Keystore with which JMeter's nodes know each other"
  recovery_window_in_days = 0
  tags                    = local.tags
}

# ---- Master ----------------------------------------------------------------------------------------------------------

resource "aws_instance" "master" {
  count                  = var.master ? 1 : 0
  ami                    = var.ami_id
  instance_type          = var.master_type
  subnet_id              = var.subnet_ids[0]
  vpc_security_group_ids = [aws_security_group.master.id]
  iam_instance_profile   = aws_iam_instance_profile.node["master"].name
  ebs_optimized          = true

  user_data_base64            = base64gzip(templatefile("${path.module}/templates/node.sh.tftpl", merge(local.node, { role = "master" })))
  user_data_replace_on_change = true

  metadata_options {
    http_tokens = "required"
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = var.volume_gb
    tags        = local.master_tags
  }

  tags = local.master_tags

  # What cannot be reached or may not read its secret would only be replaced.
  depends_on = [
    var.after,
    aws_vpc_security_group_egress_rule.out,
    aws_iam_role_policy.node,
    aws_iam_role_policy_attachment.ssm,
  ]
}

# ---- Slaves ----------------------------------------------------------------------------------------------------------

# One JMeter on all nodes: slaves of another one than the master's hang it. So another one replaces the group.
resource "terraform_data" "jmeter" {
  input = { url = local.url, sha512 = var.jmeter.sha512, tls = var.rmi_tls }
}

resource "aws_launch_template" "slave" {
  name                   = local.group
  image_id               = var.ami_id
  instance_type          = var.slave_types[0]
  vpc_security_group_ids = [aws_security_group.slave.id]
  update_default_version = true
  ebs_optimized          = true
  user_data              = base64gzip(templatefile("${path.module}/templates/node.sh.tftpl", merge(local.node, { role = "slave" })))

  iam_instance_profile {
    arn = aws_iam_instance_profile.node["slave"].arn
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted             = true
      volume_type           = "gp3"
      volume_size           = var.volume_gb
      delete_on_termination = true
    }
  }

  # The group tags instances itself.
  tag_specifications {
    resource_type = "volume"
    tags          = local.slave_tags
  }

  tags = local.slave_tags
}

resource "aws_autoscaling_group" "slaves" {
  name                = local.group
  min_size            = 0
  max_size            = var.slave_max
  desired_capacity    = var.slave_count
  vpc_zone_identifier = var.subnet_ids

  # Terraform must not judge capacity: a creation that comes up short taints the group, and the next apply destroys what is
  # healthy. Whoever asked counts what is in service.
  wait_for_capacity_timeout = "0"

  # Nothing of a slave is worth keeping; without it a group that is to go waits for each to end.
  force_delete = true

  mixed_instances_policy {
    instances_distribution {
      on_demand_allocation_strategy            = "prioritized"
      on_demand_percentage_above_base_capacity = 100 - var.spot_percent
      spot_allocation_strategy                 = "price-capacity-optimized"
    }
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.slave.id
        version            = aws_launch_template.slave.latest_version
      }
      dynamic "override" {
        for_each = var.slave_types
        content {
          instance_type = override.value
        }
      }
    }
  }

  # A slave is in service once JMeter listens on it, and not before.
  initial_lifecycle_hook {
    name                 = local.hook
    lifecycle_transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
    heartbeat_timeout    = var.ready_within
    default_result       = "ABANDON"
  }

  dynamic "tag" {
    for_each = local.slave_tags
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    replace_triggered_by = [terraform_data.jmeter]
    precondition {
      condition     = var.slave_count <= var.slave_max
      error_message = "slave_count is ${var.slave_count}, but the group may have slave_max = ${var.slave_max} at most."
    }
    precondition {
      condition     = var.master || var.slave_count == 0
      error_message = "slave_count is ${var.slave_count}, but there is no master: nobody would tell slaves what to do, or make the key that they wait for."
    }
  }

  depends_on = [
    var.after,
    aws_vpc_security_group_egress_rule.out,
    aws_iam_role_policy.node,
    aws_iam_role_policy_attachment.ssm,
  ]
}
