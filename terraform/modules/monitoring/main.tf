# Prometheus and Grafana on one host, whose metrics are on a volume of their own; OpenSearch with Dashboards if wanted.

locals {
  name = "${var.environment}-${var.stack}"
  tags = merge(var.tags, {
    "tidegate:environment" = var.environment
    "tidegate:stack"       = var.stack
    Name                   = "${var.environment}-${var.stack}"
    Role                   = "monitoring"
  })
  domain = trimsuffix(substr(local.name, 0, 28), "-") # OpenSearch takes no longer name
  roles  = distinct([for target in var.targets : target.role_arn if target.role_arn != null])
  ui     = merge({ grafana = 3000 }, var.opensearch == null ? {} : { dashboards = 443 })

  prometheus_config = yamlencode({
    global = { scrape_interval = "5s", external_labels = { environment = var.environment } }
    scrape_configs = concat(
      [{ job_name = "prometheus", static_configs = [{ targets = ["127.0.0.1:9090"] }] }],
      [for target in var.targets : {
        job_name = target.role
        ec2_sd_configs = [merge(
          {
            region           = data.aws_region.current.name
            port             = target.port
            refresh_interval = "15s"
            filters = [
              { name = "tag:tidegate:environment", values = [var.environment] },
              { name = "tag:Role", values = [target.role] },
              { name = "instance-state-name", values = ["running"] },
            ]
          },
          target.role_arn == null ? {} : { role_arn = target.role_arn },
        )]
        relabel_configs = [
          { source_labels = ["__meta_ec2_instance_id"], target_label = "instance" },
          { source_labels = ["__meta_ec2_availability_zone"], target_label = "zone" },
          { source_labels = ["__meta_ec2_instance_type"], target_label = "type" },
        ]
      }],
    )
  })

  user_data = templatefile("${path.module}/templates/host.sh.tftpl", {
    region         = data.aws_region.current.name
    prometheus_url = coalesce(var.prometheus.url, "https://github.com/prometheus/prometheus/releases/download/v${var.prometheus.version}/prometheus-${var.prometheus.version}.linux-amd64.tar.gz")
    prometheus_sum = var.prometheus.sha256
    prometheus     = local.prometheus_config
    grafana_url    = coalesce(var.grafana.url, "https://dl.grafana.com/oss/release/grafana-${var.grafana.version}.linux-amd64.tar.gz")
    grafana_sum    = var.grafana.sha256
    dashboard      = file("${path.module}/files/load-test.json")
    keep_days      = var.keep_days
    secret         = aws_secretsmanager_secret.grafana.name
    volume         = aws_ebs_volume.data.id
  })
}

data "aws_region" "current" {}
data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

# ---- Who may reach it ------------------------------------------------------------------------------------------------

resource "aws_security_group" "host" {
  name        = "${local.name}-host"
  description = "Prometheus, Grafana, and OpenSearch if there is one"
  vpc_id      = var.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "ui" {
  for_each = {
    for pair in setproduct(keys(local.ui), var.ui_cidrs) :
    "${pair[0]} ${pair[1]}" => { name = pair[0], cidr = pair[1] }
  }
  security_group_id = aws_security_group.host.id
  cidr_ipv4         = each.value.cidr
  description       = "To people: ${each.value.name}"
  ip_protocol       = "tcp"
  from_port         = local.ui[each.value.name]
  to_port           = local.ui[each.value.name]
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "opensearch" {
  count                        = var.opensearch == null ? 0 : 1
  security_group_id            = aws_security_group.host.id
  referenced_security_group_id = aws_security_group.host.id
  description                  = "OpenSearch, from the host"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.host.id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To what is measured, to downloads and AWS"
  ip_protocol       = "-1"
  tags              = local.tags
}

# ---- The host --------------------------------------------------------------------------------------------------------

# Only the empty place: the host makes the administrator's password at its first start and puts it here, so that it stands in
# no Terraform state.
resource "aws_secretsmanager_secret" "grafana" {
  name                    = "tidegate/${var.environment}/${var.stack}/grafana"
  description             = "Password of Grafana's admin"
  recovery_window_in_days = 0
  tags                    = local.tags
}

resource "aws_ebs_volume" "data" {
  availability_zone = var.zone
  type              = "gp3"
  size              = var.data_gb
  encrypted         = true
  final_snapshot    = true
  tags              = local.tags
}

resource "aws_instance" "host" {
  ami                    = var.ami_id
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = [aws_security_group.host.id]
  iam_instance_profile   = aws_iam_instance_profile.host.name
  ebs_optimized          = true

  user_data_base64            = base64gzip(local.user_data)
  user_data_replace_on_change = true

  metadata_options {
    http_tokens = "required"
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 20
    tags        = local.tags
  }

  tags = local.tags

  depends_on = [
    aws_vpc_security_group_egress_rule.out,
    aws_iam_role_policy.host,
    aws_iam_role_policy_attachment.ssm,
  ]
}

# The host waits for it at its start. A host that goes is stopped first, so that the file system is whole.
resource "aws_volume_attachment" "data" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data.id
  instance_id                    = aws_instance.host.id
  stop_instance_before_detaching = true
}

# ---- What the host may do itself -------------------------------------------------------------------------------------

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
    sid = "FindInstances"
    # EC2 knows no narrower right to look.
    actions   = ["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"]
    resources = ["*"]
  }
  statement {
    sid       = "Password"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [aws_secretsmanager_secret.grafana.arn]
  }
  dynamic "statement" {
    for_each = length(local.roles) == 0 ? [] : [local.roles]
    content {
      sid       = "LookInOtherAccounts"
      actions   = ["sts:AssumeRole"]
      resources = statement.value
    }
  }
}

resource "aws_iam_role" "host" {
  name                 = "${local.name}-host"
  path                 = "/tidegate/"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "host" {
  name   = "host"
  role   = aws_iam_role.host.id
  policy = data.aws_iam_policy_document.host.json
}

# Sessions and port forwarding by SSM: no SSH, no key, no open port.
resource "aws_iam_role_policy_attachment" "ssm" {
  role       = aws_iam_role.host.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "host" {
  name = "${local.name}-host"
  path = "/tidegate/"
  role = aws_iam_role.host.name
  tags = local.tags
}

# ---- Logs, if wanted -------------------------------------------------------------------------------------------------

resource "aws_opensearch_domain" "logs" {
  count          = var.opensearch == null ? 0 : 1
  domain_name    = local.domain
  engine_version = "OpenSearch_2.19"
  tags           = local.tags

  cluster_config {
    instance_type  = var.opensearch.instance_type
    instance_count = var.opensearch.instances
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.opensearch.data_gb
  }

  vpc_options {
    subnet_ids         = [var.subnet_id]
    security_group_ids = [aws_security_group.host.id]
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  # Inside the network the security group decides: nobody but the host and `ui_cidrs` gets as far as this.
  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "es:ESHttp*"
      Principal = { AWS = "*" }
      Resource  = "arn:${data.aws_partition.current.partition}:es:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:domain/${local.domain}/*"
    }]
  })
}
