# An example of a system under test: a load balancer inside the network, servers in an Auto Scaling group, a database and a
# cache. Its sizes are variables, its data is not.

locals {
  name = "${var.environment}-${var.stack}"
  tags = merge(var.tags, {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = var.stack
    Name                   = "${var.environment}-${var.stack}"
  })
  server_tags = merge(local.tags, { Name = "${local.name}-server", Role = "app-server" })
  port        = var.certificate_arn == null ? 80 : 443
  user_data = coalesce(var.user_data, templatefile("${path.module}/templates/server.sh.tftpl", {
    port   = var.server_port
    server = file("${path.module}/files/server.py")
  }))
}

data "aws_partition" "current" {}

# ---- Load balancer ---------------------------------------------------------------------------------------------------

resource "aws_security_group" "load_balancer" {
  name        = "${local.name}-lb"
  description = "Load balancer"
  vpc_id      = var.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "load" {
  for_each = {
    for pair in setproduct(distinct([80, local.port]), var.ingress_cidrs) :
    "${pair[0]} ${pair[1]}" => { port = pair[0], cidr = pair[1] }
  }
  security_group_id = aws_security_group.load_balancer.id
  cidr_ipv4         = each.value.cidr
  description       = "The load"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = local.tags
}

resource "aws_vpc_security_group_egress_rule" "to_servers" {
  security_group_id            = aws_security_group.load_balancer.id
  referenced_security_group_id = aws_security_group.server.id
  description                  = "To the servers"
  ip_protocol                  = "tcp"
  from_port                    = var.server_port
  to_port                      = var.server_port
  tags                         = local.tags
}

resource "aws_lb" "this" {
  name                       = local.name
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = var.subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  tags                       = local.tags
}

resource "aws_lb_target_group" "this" {
  name                 = local.name
  vpc_id               = var.vpc_id
  port                 = var.server_port
  protocol             = "HTTP"
  deregistration_delay = 30
  tags                 = local.tags

  health_check {
    path                = "/health"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = local.port
  protocol          = var.certificate_arn == null ? "HTTP" : "HTTPS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = var.certificate_arn == null ? null : "ELBSecurityPolicy-TLS13-1-2-2021-06"
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "to_https" {
  count             = var.certificate_arn == null ? 0 : 1
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  tags              = local.tags

  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

# ---- Servers ---------------------------------------------------------------------------------------------------------

resource "aws_security_group" "server" {
  name        = "${local.name}-server"
  description = "Servers"
  vpc_id      = var.vpc_id
  tags        = local.server_tags
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = aws_security_group.server.id
  referenced_security_group_id = aws_security_group.load_balancer.id
  description                  = "From the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = var.server_port
  to_port                      = var.server_port
  tags                         = local.server_tags
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  for_each          = toset(var.metrics_cidrs)
  security_group_id = aws_security_group.server.id
  cidr_ipv4         = each.value
  description       = "Metrics, to Prometheus"
  ip_protocol       = "tcp"
  from_port         = var.server_port
  to_port           = var.server_port
  tags              = local.server_tags
}

resource "aws_vpc_security_group_egress_rule" "servers_out" {
  security_group_id = aws_security_group.server.id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To database, cache and AWS"
  ip_protocol       = "-1"
  tags              = local.server_tags
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "server" {
  name                 = "${local.name}-server"
  path                 = "/tidegate/"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary
  tags                 = local.server_tags
}

# Sessions by SSM: no SSH, no key, no open port.
resource "aws_iam_role_policy_attachment" "ssm" {
  role       = aws_iam_role.server.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "server" {
  name = "${local.name}-server"
  path = "/tidegate/"
  role = aws_iam_role.server.name
  tags = local.server_tags
}

resource "aws_launch_template" "server" {
  name                   = "${local.name}-servers"
  image_id               = var.ami_id
  instance_type          = var.server_types[0]
  vpc_security_group_ids = [aws_security_group.server.id]
  update_default_version = true
  ebs_optimized          = true
  user_data              = base64gzip(local.user_data)

  iam_instance_profile {
    arn = aws_iam_instance_profile.server.arn
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
      volume_size           = 20
      delete_on_termination = true
    }
  }

  # The group tags instances itself.
  tag_specifications {
    resource_type = "volume"
    tags          = local.server_tags
  }

  tags = local.server_tags
}

resource "aws_autoscaling_group" "servers" {
  name                      = "${local.name}-servers"
  min_size                  = 0
  max_size                  = var.server_max
  desired_capacity          = var.server_count
  vpc_zone_identifier       = var.subnet_ids
  target_group_arns         = [aws_lb_target_group.this.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 180

  # Terraform must not judge capacity: whoever asked counts what is in service.
  wait_for_capacity_timeout = "0"
  force_delete              = true

  mixed_instances_policy {
    instances_distribution {
      on_demand_allocation_strategy            = "prioritized"
      on_demand_percentage_above_base_capacity = 100
    }
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.server.id
        version            = aws_launch_template.server.latest_version
      }
      dynamic "override" {
        for_each = var.server_types
        content {
          instance_type = override.value
        }
      }
    }
  }

  dynamic "tag" {
    for_each = local.server_tags
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    precondition {
      condition     = var.server_count <= var.server_max
      error_message = "server_count is ${var.server_count}, but the group may have server_max = ${var.server_max} at most."
    }
  }

  # Servers look for both when they start. The listener comes first, or the load balancer would not know their group.
  depends_on = [
    var.after,
    aws_lb_listener.this,
    aws_vpc_security_group_egress_rule.servers_out,
    aws_iam_role_policy_attachment.ssm,
    aws_db_instance.kept,
    aws_db_instance.temporary,
    aws_elasticache_replication_group.this,
  ]
}
