"""What moto has wrong or lacks, of what Terraform asks of it. Importing this mends it; each is worth a report to moto."""

import copy
import inspect
import re

from moto.autoscaling import models as autoscaling
from moto.autoscaling.exceptions import ValidationError
from moto.core.responses import EmptyResult
from moto.core.types import Base64EncodedString
from moto.ec2.models import launch_templates, security_groups
from moto.ec2.utils import parse_user_data
from moto.elasticache import models as elasticache, responses as elasticache_api
from moto.s3 import models as s3, responses as s3_api

# User data of a launch template's second version stays undecoded, and the next scale-up is HTTP 500. And a template's own
# tags come back as those of what it launches: a difference without end.
_create_version = launch_templates.LaunchTemplate.create_version


def create_version(self, data, description):
    user_data = data.get("UserData")
    if user_data is not None and not isinstance(user_data, Base64EncodedString):
        data["UserData"] = parse_user_data(user_data)
    if "TagSpecifications" in data:
        data["TagSpecifications"] = [tag for tag in data["TagSpecifications"] if tag["ResourceType"] != "launch-template"]
    return _create_version(self, data, description)


launch_templates.LaunchTemplate.create_version = create_version
# Its tags are those it was made with, whatever became of them.
launch_templates.LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, _: None)

# The description of a rule that names a group instead of addresses is kept but not shown.
security_groups.SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description") or (self.source_group or {}).get("Description")
)

# A deleted cluster stays "deleting" for ever, and its subnet group cannot be deleted.
_delete_cache_cluster = elasticache.ElastiCacheBackend.delete_cache_cluster


def delete_cache_cluster(self, cache_cluster_id):
    cluster = _delete_cache_cluster(self, cache_cluster_id)
    self.cache_clusters.pop(cache_cluster_id)
    return cluster


def delete_cache_subnet_group(self):
    self.elasticache_backend.cache_subnet_groups.pop(self._get_param("CacheSubnetGroupName"), None)
    return EmptyResult()


elasticache.ElastiCacheBackend.delete_cache_cluster = delete_cache_cluster
elasticache_api.ElastiCacheResponse.delete_cache_subnet_group = delete_cache_subnet_group

# A replication group has members by name only, and is "deleting" for ever.
_create_replication_group = elasticache.ElastiCacheBackend.create_replication_group
_modify_replication_group = elasticache.ElastiCacheBackend.modify_replication_group
_delete_replication_group = elasticache.ElastiCacheBackend.delete_replication_group


def create_replication_group(self, **wanted):
    group = _create_replication_group(self, **wanted)
    fields = [name for name in inspect.signature(elasticache.CacheCluster.__init__).parameters if name != "self"]
    for member in group.member_clusters:
        given = {name: wanted.get(name) for name in fields}
        given.update(account_id=self.account_id, region_name=self.region_name, cache_cluster_id=member, log_delivery_configurations=[])
        cluster = elasticache.CacheCluster(**given)
        cluster.at_rest_encryption_enabled = wanted.get("at_rest_encryption_enabled")
        cluster.auto_minor_version_upgrade = True
        cluster.cache_parameter_group = {"cache_parameter_group_name": wanted.get("cache_parameter_group_name") or "default.redis7"}
        cluster.security_groups = [{"security_group_id": name, "status": "active"} for name in wanted.get("security_group_ids") or []]
        cluster.preferred_maintenance_window = "sun:23:00-mon:01:30"
        self.cache_clusters[member] = cluster
    group.auto_minor_version_upgrade = True
    return group


def modify_replication_group(self, **wanted):
    group = _modify_replication_group(self, **wanted)
    for member in group.member_clusters:
        self.cache_clusters[member].cache_node_type = group.cache_node_type
    return group


def delete_replication_group(self, replication_group_id, retain_primary_cluster):
    members = list(self.replication_groups[replication_group_id].member_clusters) if replication_group_id in self.replication_groups else []
    group = _delete_replication_group(self, replication_group_id, retain_primary_cluster)
    for member in [replication_group_id, *members]:
        self.replication_groups.pop(member, None)
        self.cache_clusters.pop(member, None)
    return group


elasticache.ElastiCacheBackend.create_replication_group = create_replication_group
elasticache.ElastiCacheBackend.modify_replication_group = modify_replication_group
elasticache.ElastiCacheBackend.delete_replication_group = delete_replication_group

# An update that says nothing of the mixed instances policy takes it away: so the first one, after the lifecycle hooks.
_update = autoscaling.FakeAutoScalingGroup.update


def update(self, *given, **named):
    if not named.get("mixed_instances_policy") and not named.get("launch_template") and not named.get("launch_config_name"):
        policy = copy.deepcopy(self.mixed_instances_policy)
        # moto writes the template's id beside its name, and refuses both in what is asked for.
        if policy and "LaunchTemplateId" in policy["LaunchTemplate"]["LaunchTemplateSpecification"]:
            policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
        named["mixed_instances_policy"] = policy
    return _update(self, *given, **named)


autoscaling.FakeAutoScalingGroup.update = update

# A desired count beyond the group's own bounds is taken, and started.
_create_group = autoscaling.AutoScalingBackend.create_auto_scaling_group
_update_group = autoscaling.AutoScalingBackend.update_auto_scaling_group


def check_bounds(desired, least, most):
    if desired is not None and least is not None and most is not None and not least <= desired <= most:
        raise ValidationError(f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}")


def create_auto_scaling_group(self, **named):
    check_bounds(named.get("desired_capacity"), named.get("min_size"), named.get("max_size"))
    return _create_group(self, **named)


def update_auto_scaling_group(self, **named):
    group = self.autoscaling_groups[named["name"]]
    given = lambda name, now: now if named.get(name) is None else named[name]
    check_bounds(given("desired_capacity", group.desired_capacity), given("min_size", group.min_size), given("max_size", group.max_size))
    return _update_group(self, **named)


autoscaling.AutoScalingBackend.create_auto_scaling_group = create_auto_scaling_group
autoscaling.AutoScalingBackend.update_auto_scaling_group = update_auto_scaling_group

# How many older versions of an object are kept is forgotten, and the provider waits three minutes for it.
_set_lifecycle = s3.FakeBucket.set_lifecycle
_get_lifecycle = s3_api.S3Response.get_bucket_lifecycle


def set_lifecycle(self, rules):
    _set_lifecycle(self, rules)
    for kept, rule in zip(self.rules, rules, strict=True):
        kept.newer_versions = (rule.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions")


def get_bucket_lifecycle(self):
    status, headers, body = _get_lifecycle(self)
    kept = iter([rule.newer_versions for rule in self.backend.get_bucket_lifecycle(self.bucket_name) if rule.nve_noncurrent_days])
    tag = lambda count: f"<NewerNoncurrentVersions>{count}</NewerNoncurrentVersions>" if count else ""
    return status, headers, re.sub("<NoncurrentVersionExpiration>", lambda found: found[0] + tag(next(kept)), body)


s3.FakeBucket.set_lifecycle = set_lifecycle
s3_api.S3Response.get_bucket_lifecycle = get_bucket_lifecycle
