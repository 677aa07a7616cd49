# Database and cache. Nobody but the servers reaches them.

locals {
  data_tags  = merge(local.tags, { Name = "${local.name}-data" })
  db_port    = 5432
  databases  = var.db_class == null ? 0 : 1
  stores     = merge(var.db_class == null ? {} : { database = local.db_port }, var.cache_type == null ? {} : { cache = 6379 })
  db_secrets = concat(aws_db_instance.kept[*].master_user_secret, aws_db_instance.temporary[*].master_user_secret)
}

resource "aws_security_group" "data" {
  name        = "${local.name}-data"
  description = "Database and cache"
  vpc_id      = var.vpc_id
  tags        = local.data_tags
}

resource "aws_vpc_security_group_ingress_rule" "from_servers" {
  for_each                     = local.stores
  security_group_id            = aws_security_group.data.id
  referenced_security_group_id = aws_security_group.server.id
  description                  = "The ${each.key}, from the servers"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  tags                         = local.data_tags
}

resource "aws_db_subnet_group" "this" {
  count      = local.databases
  name       = local.name
  subnet_ids = var.subnet_ids
  tags       = local.data_tags
}

# Two of them, of which there is one at most: `prevent_destroy` cannot be a variable. The passwords are made and kept by RDS
# in Secrets Manager, so that none stands in a Terraform state. Size, name and user are the snapshot's where there is one: to write others
# would make the database anew with each plan.
resource "aws_db_instance" "kept" {
  count                           = var.db_kept ? local.databases : 0
  identifier                      = local.name
  engine                          = "postgres"
  engine_version                  = var.db_version
  instance_class                  = var.db_class
  allocated_storage               = var.db_snapshot == null ? var.db_gb : null
  storage_type                    = "gp3"
  storage_encrypted               = true
  db_name                         = var.db_snapshot == null ? "app" : null
  username                        = var.db_snapshot == null ? "app" : null
  manage_master_user_password     = true
  port                            = local.db_port
  db_subnet_group_name            = aws_db_subnet_group.this[0].name
  vpc_security_group_ids          = [aws_security_group.data.id]
  snapshot_identifier             = var.db_snapshot
  publicly_accessible             = false
  apply_immediately               = true
  backup_retention_period         = 7
  copy_tags_to_snapshot           = true
  enabled_cloudwatch_logs_exports = ["postgresql"]
  deletion_protection             = true
  final_snapshot_identifier       = "${local.name}-last"
  tags                            = local.data_tags

  lifecycle {
    prevent_destroy = true
    # A newer snapshot is for the next database, not a reason to lose this one.
    ignore_changes = [snapshot_identifier]
  }
}

resource "aws_db_instance" "temporary" {
  count                       = var.db_kept ? 0 : local.databases
  identifier                  = local.name
  engine                      = "postgres"
  engine_version              = var.db_version
  instance_class              = var.db_class
  allocated_storage           = var.db_snapshot == null ? var.db_gb : null
  storage_type                = "gp3"
  storage_encrypted           = true
  db_name                     = var.db_snapshot == null ? "app" : null
  username                    = var.db_snapshot == null ? "app" : null
  manage_master_user_password = true
  port                        = local.db_port
  db_subnet_group_name        = aws_db_subnet_group.this[0].name
  vpc_security_group_ids      = [aws_security_group.data.id]
  snapshot_identifier         = var.db_snapshot
  publicly_accessible         = false
  apply_immediately           = true
  backup_retention_period     = 0
  skip_final_snapshot         = true
  tags                        = local.data_tags

  lifecycle {
    ignore_changes = [snapshot_identifier]
  }
}

resource "aws_elasticache_subnet_group" "this" {
  count      = var.cache_type == null ? 0 : 1
  name       = local.name
  subnet_ids = var.subnet_ids
  tags       = local.data_tags
}

resource "aws_elasticache_replication_group" "this" {
  count                      = var.cache_type == null ? 0 : 1
  replication_group_id       = local.name
  description                = "Cache of ${local.name}"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.cache_type
  num_cache_clusters         = 1
  port                       = 6379
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  security_group_ids         = [aws_security_group.data.id]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  apply_immediately          = true
  tags                       = local.data_tags
}
