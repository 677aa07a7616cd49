"""The emulator itself: what it was made to get wrong, it gets wrong as AWS would; and nothing else."""

import json
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class EmulatorTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([sys.executable, str(Path(__file__).parent / "emulator.py"), "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        cls.clients = {}  # Making one takes longer than all its calls.
        cls.url = cls.process.stdout.readline().removeprefix("listening on ").strip()

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait(10)
        cls.process.stdout.close()

    def setUp(self):
        # Names of its own instead of /moto-api/reset, which takes a second once there is an EC2.
        self.name = self._testMethodName
        self.post("/_fault", {"clear": True})
        self.post("/_calls")

    def post(self, path, value=None):
        with urllib.request.urlopen(self.url + path, data=json.dumps(value or {}).encode(), timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = self.make_client(service)
        return self.clients[service]

    def make_client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name="ap-northeast-1", aws_access_key_id="test", aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}),
        )

    def test_a_desired_count_beyond_the_group_s_bounds_is_refused(self):
        self.group(1)
        with self.assertRaises(ClientError) as refused:
            self.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=self.name, MaxSize=3, DesiredCapacity=4)
        self.assertEqual(refused.exception.response["Error"]["Code"], "ValidationError")

    def group(self, count):
        """A group of `count` with a mixed instances policy, as the jmeter module makes it; the only one with instances."""
        types = ("c6i.xlarge", "c5.xlarge")
        ec2, scaling = self.client("ec2"), self.client("autoscaling")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
        ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData={"ImageId": "ami-760aaa0f", "InstanceType": types[0]})
        for other in scaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
            scaling.delete_auto_scaling_group(AutoScalingGroupName=other["AutoScalingGroupName"], ForceDelete=True)
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name, MinSize=0, MaxSize=200, DesiredCapacity=count, VPCZoneIdentifier=subnet,
            MixedInstancesPolicy={"LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": self.name, "Version": "1"},
                "Overrides": [{"InstanceType": kind} for kind in types],
            }},
        )
        return scaling

    def instances(self, scaling):
        return scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]["Instances"]

    def test_without_faults_all_is_in_service(self):
        scaling = self.group(5)
        self.assertEqual(["InService"] * 5, [instance["LifecycleState"] for instance in self.instances(scaling)])
        self.assertEqual(5, len(scaling.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"]))

    def test_the_next_type_is_taken_where_one_has_no_capacity(self):
        self.post("/_fault", {"capacity": {"c6i.xlarge": 3}})
        scaling = self.group(5)
        self.assertEqual(["c5.xlarge"] * 2 + ["c6i.xlarge"] * 3, sorted(instance["InstanceType"] for instance in self.instances(scaling)))

    def test_what_there_is_no_capacity_for_is_missing_and_told(self):
        self.post("/_fault", {"capacity": {"c6i.xlarge": 3, "c5.xlarge": 1}})
        scaling = self.group(6)
        self.assertEqual(4, len(self.instances(scaling)))
        newest = scaling.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"][0]
        self.assertEqual("Failed", newest["StatusCode"])
        self.assertIn("sufficient c5.xlarge capacity", newest["StatusMessage"])
        self.post("/_fault", {"capacity": {"c6i.xlarge": 4, "c5.xlarge": 1}})
        self.assertEqual(5, len(self.instances(scaling)))
        self.post("/_fault", {"clear": True})
        self.assertEqual(6, len(self.instances(scaling)))

    def test_pending_instances_come_when_they_may_and_are_not_started_twice(self):
        self.post("/_fault", {"pending": {self.name: 2}})
        scaling = self.group(5)
        states = sorted(instance["LifecycleState"] for instance in self.instances(scaling))
        self.assertEqual(["InService"] * 3 + ["Pending"] * 2, states)
        scaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=5)
        self.assertEqual(5, len(self.instances(scaling)))
        self.post("/_fault", {"clear": True})
        self.assertEqual({"InService"}, {instance["LifecycleState"] for instance in self.instances(scaling)})

    def test_an_update_that_says_nothing_of_the_policy_leaves_it(self):
        scaling = self.group(1)
        scaling.update_auto_scaling_group(AutoScalingGroupName=self.name, DesiredCapacity=2)
        group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]
        self.assertEqual("c5.xlarge", group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"][1]["InstanceType"])

    def test_a_call_fails_as_often_as_asked(self):
        self.post("/_fault", {"action": "DescribeVpcs", "code": "RequestLimitExceeded", "message": "slow down", "status": 503, "times": 2})
        ec2 = self.client("ec2")
        for _ in range(2):
            with self.assertRaises(ClientError) as refused:
                ec2.describe_vpcs()
            self.assertEqual(("RequestLimitExceeded", 503), (refused.exception.response["Error"]["Code"], refused.exception.response["ResponseMetadata"]["HTTPStatusCode"]))
        ec2.describe_vpcs()
        with urllib.request.urlopen(self.url + "/_calls", timeout=10) as answer:
            self.assertEqual(3, json.loads(answer.read())["ec2:DescribeVpcs"])

    def test_a_fault_speaks_each_services_language(self):
        for service, action, call in (
            ("autoscaling", "DescribeAutoScalingGroups", lambda c: c.describe_auto_scaling_groups()),
            ("sts", "GetCallerIdentity", lambda c: c.get_caller_identity()),
            ("secretsmanager", "ListSecrets", lambda c: c.list_secrets()),
            ("s3", "GET", lambda c: c.list_buckets()),
        ):
            self.post("/_fault", {"action": action, "service": service, "code": "ExpiredToken", "message": "expired", "status": 403})
            with self.assertRaises(ClientError, msg=service) as refused:
                call(self.client(service))
            self.assertEqual("ExpiredToken", refused.exception.response["Error"]["Code"], service)

    def test_a_replication_group_can_be_changed_and_goes(self):
        cache = self.client("elasticache")
        wanted = {"ReplicationGroupId": "shop", "ReplicationGroupDescription": "shop", "Engine": "redis", "CacheNodeType": "cache.t4g.small"}
        cache.create_replication_group(**wanted)
        cache.modify_replication_group(ReplicationGroupId="shop", CacheNodeType="cache.r7g.large")
        self.assertEqual("cache.r7g.large", cache.describe_cache_clusters(CacheClusterId="shop-001")["CacheClusters"][0]["CacheNodeType"])
        cache.delete_replication_group(ReplicationGroupId="shop")
        self.assertEqual([], cache.describe_cache_clusters()["CacheClusters"])

    def test_a_launch_template_takes_tags_later(self):
        ec2 = self.client("ec2")
        made = ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData={"ImageId": "ami-760aaa0f"})["LaunchTemplate"]
        ec2.create_tags(Resources=[made["LaunchTemplateId"]], Tags=[{"Key": "tidegate:stack", "Value": "lean"}])
        shown = ec2.describe_launch_templates(LaunchTemplateNames=[self.name])["LaunchTemplates"][0]
        self.assertEqual([{"Key": "tidegate:stack", "Value": "lean"}], shown["Tags"])

    def test_how_many_older_versions_are_kept_is_remembered(self):
        s3, bucket = self.client("s3"), self.name.replace("_", "-")[:60]
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
        rules = [
            {"ID": "one", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 5}},
            {"ID": "two", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 7}},
            {"ID": "three", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 20}},
        ]
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        self.assertEqual(rules, s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])

    def test_a_role_is_assumed_by_whom_it_trusts_and_who_may_ask(self):
        iam, mine = self.client("iam"), "arn:aws:iam::123456789012:role/"
        names = {"trusted": f"{self.name}-trusted", "other": f"{self.name}-other", "target": f"{self.name}-target"}
        anybody = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]}
        trust = {"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": mine + names["trusted"]},
            "Condition": {"StringLike": {"sts:RoleSessionName": ["tidegate-*"]}},
        }]}
        for name, written in ((names["trusted"], anybody), (names["other"], anybody), (names["target"], trust)):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(written))
        ask = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": mine + names["target"]}]}

        def goes(by, session):
            keys = self.client("sts").assume_role(RoleArn=mine + names[by], RoleSessionName="tests")["Credentials"]
            sts = boto3.client(
                "sts", endpoint_url=self.url, region_name="ap-northeast-1", aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"],
            )
            try:
                sts.assume_role(RoleArn=mine + names["target"], RoleSessionName=session)
            except ClientError as refused:
                self.assertEqual("AccessDenied", refused.response["Error"]["Code"])
                return False
            return True

        self.assertFalse(goes("trusted", "tidegate-x"), "trusted, but its own policies do not let it ask")
        for name in ("trusted", "other"):
            iam.put_role_policy(RoleName=names[name], PolicyName="ask", PolicyDocument=json.dumps(ask))
        self.assertTrue(goes("trusted", "tidegate-x"))
        self.assertFalse(goes("trusted", "me"))
        self.assertFalse(goes("other", "tidegate-x"))
        with self.assertRaises(ClientError):
            self.client("sts").assume_role(RoleArn=mine + names["target"], RoleSessionName="tidegate-x")
        self.client("sts").assume_role(RoleArn=mine + "that-is-not-there", RoleSessionName="me")

    def test_what_is_no_fault_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.post("/_fault", ["no", "table"])
        self.assertEqual(400, refused.exception.code)
        refused.exception.close()


if __name__ == "__main__":
    unittest.main()
