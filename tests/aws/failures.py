#!/usr/bin/env python3
"""What goes wrong on AWS, on a root of five resources, with the real Terraform and the real AWS provider against the emulator: each time a
clear word with the next step, nothing told that is not so, and nothing left locked. What there is, AWS's own API says.

    failures.py [WORD]     the tests with WORD in their names, two at a time; the last line is `N passed, N failed`
"""

import contextlib
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
from accounts import a_load_in_an_account_of_its_own_by_roles_that_only_the_bot_may_assume  # noqa: E402
from made import an_environment_made_for_one_test_is_gone_to_the_last_thing  # noqa: E402
from tide import AMI, BUCKET, ME, REGION, Emulator, lay_lean, wait_for  # noqa: E402

STATE = "lean.tfstate"
GROUP = "lean-lean"
LOCK = STATE + ".tflock"


def nothing_was_made(aws):
    assert aws.networks() == [] and aws.groups() == {}, (aws.networks(), aws.groups())


def before_anything_is_there(aws, folder):
    """Whatever is wrong before the first apply: no word of success, nothing made, nothing left locked."""
    house = lay_lean(aws, folder)
    up = lambda **env: house.shell("up lean small", **env)

    written = house.profiles.read_text()
    house.profiles.write_text(written.replace("profile change", "profile other"))
    up().says("failed to get shared config profile", "change", "Credentials of each stack").exits(1)
    house.profiles.write_text(written)

    aws.fault(action="GET", service="s3", code="ExpiredToken", message="The provided token has expired.", status=400, times=20)
    up().says("expired", "Credentials of each stack").says_not("RequestID").exits(1)
    aws.fault(clear=True)

    written = house.config.read_text()
    house.config.write_text(written.replace(BUCKET, "there-is-no-such-bucket"))
    up().says("NOT READY", '"there-is-no-such-bucket" does not exist', "Before the first `up`").exits(1)
    house.config.write_text(written)

    up(AWS_ENDPOINT_URL="http://127.0.0.1:9").says("connection refused").exits(1)
    nothing_was_made(aws)

    # A state that a newer Terraform wrote, one that is cut off, and somebody's lock, each as it was before.
    newer = {"version": 5, "terraform_version": "9.9.9", "serial": 1, "lineage": "x", "outputs": {}, "resources": []}
    for text, said in ((json.dumps(newer), "Terraform"), ('{"version": 4, "serial": 3, "lin', "state")):
        aws.put(STATE, text.encode())
        up().says("NOT READY", said, "A state that nobody can read").exits(1)
        house.shell("preflight lean").says("FAILED", said).says_not("nothing stands in the way").exits(1)
        assert aws.object(STATE) == text.encode()
        assert aws.locks() == []
    aws.delete(STATE)

    holder = {
        "ID": "11111111-2222-3333-4444-555555555555", "Operation": "OperationTypeApply", "Info": "", "Who": "ito@desk",
        "Version": "1.11.4", "Created": "2026-11-20T05:54:55.123456789Z", "Path": f"{BUCKET}/{STATE}",
    }
    aws.put(LOCK, json.dumps(holder).encode())
    up().says("ito@desk", "lock", "preflight lean").says_not("RequestID").exits(1)
    assert json.loads(aws.object(LOCK)) == holder, "somebody's lock is theirs"
    aws.delete(LOCK)
    # The same while a workspace is made for the first time.
    of_workspace = f"env:/lean/{LOCK}"
    house.config.write_text(written.replace('name = "lean"\n', 'name = "lean"\nworkspace = "lean"\n'))
    aws.put(of_workspace, json.dumps(holder).encode())
    up().says("held by ito@desk", "preflight lean").exits(1)
    aws.delete(of_workspace)
    house.config.write_text(written)
    nothing_was_made(aws)
    assert aws.keys() == [], aws.keys()

    # More than people may ask for; more than the root takes, which is found before anybody asks; more than the group may have; a type that
    # the region does not have.
    house.shell("up lean full slaves=250").says("slaves", "200").exits(3)
    written = house.config.read_text()
    house.config.write_text(written.replace("max = 200", "max = 300"))
    up().says("not managed").exits(3)
    house.config.write_text(written.replace('environment = "lean"', 'environment = "lean"\nslave_max = 3'))
    # AWS would refuse it, and of a group that is there its provider would ask again for ten minutes.
    house.shell("up lean full").says("NOT READY", "would be of 4, and its `max_size` is 3", "at most 3").exits(1)
    nothing_was_made(aws)
    house.config.write_text(written.replace('environment = "lean"', 'environment = "lean"\nslave_type = "c9z.huge"'))
    house.shell("up lean full").says("PARTIAL", "Invalid value 'c9z.huge'").exits(1)
    assert aws.instances() == {} and aws.locks() == []


def a_group_that_comes_up_short_and_what_others_do_to_it(aws, folder):
    """Capacity, throttling, a role, drift and a lost group: one life of one environment."""
    house = lay_lean(aws, folder)
    # Provider and SDK go on after what passes.
    aws.fault(action="CreateVpc", code="RequestLimitExceeded", message="Request limit exceeded.", status=503, times=1)
    aws.fault(action="DescribeAutoScalingGroups", code="Throttling", message="Rate exceeded", status=429, times=1)
    house.shell("up lean small").says("lean is at small", "1/1 in service").exits(0)
    tags = {"tidegate:environment": "lean", "tidegate:stack": "lean"}
    assert tags.items() <= aws.groups()[GROUP]["tags"].items()
    assert [tags.items() <= of.items() for of in aws.instances().values()] == [True]

    # A state that only a newer Terraform reads stands in the way, also where everything is ready for a run.
    state = aws.object(STATE)
    aws.put(STATE, json.dumps(json.loads(state) | {"version": 5, "terraform_version": "9.9.9"}).encode())
    house.shell("preflight lean").says("what is in the state of lean cannot be read").says_not("nothing stands in the way")
    aws.put(STATE, state)

    aws.fault(capacity={"c6i.xlarge": 2})
    told = house.shell("up lean full")
    told.says("PARTIAL", "2 of 4 in service", "InsufficientInstanceCapacity", "retry 3", "accept 3").exits(1)
    came = aws.groups()[GROUP]
    assert (came["desired"], len(came["serve"])) == (4, 2), came
    assert aws.locks() == []
    # An empty plan is not believed.
    house.shell("retry 3").says("PARTIAL", "2 of 4 in service").exits(1)
    aws.fault(clear=True)
    house.shell("retry 4").says("4/4 in service").exits(0)
    now = aws.groups()[GROUP]
    assert (len(now["serve"]), set(came["serve"]) <= set(now["serve"])) == (4, True), "what had come is still there"

    # Another number by hand: told as such, and brought back.
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    house.shell("plan lean full").says("changed outside Terraform", "aws_autoscaling_group.this").exits(0)
    assert aws.groups()[GROUP]["desired"] == 2, "a plan repairs nothing"
    drifted(aws, house)
    house.shell("up lean full").says("4/4 in service").exits(0)
    assert aws.groups()[GROUP]["desired"] == 4
    # Whoever wants what others did has it: there is nothing to apply, and the state still has another number.
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    house.shell("scale lean slaves=2").says("2/2 in service").exits(0)
    assert in_state(aws)[0] == 4 and aws.groups()[GROUP]["desired"] == 2
    house.shell("up lean full").says("4/4 in service").exits(0)

    swept(aws, house)
    cleared_for_a_change(aws, house)

    # A group that is gone is made again; and never called in service while it is not.
    aws.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
    house.shell("up lean full").says("lean is at full", "4/4 in service").exits(0)
    assert len(aws.groups()[GROUP]["serve"]) == 4

    # Whoever asks by a role that may not be assumed gets no word of success, and what is there stays.
    config = house.config.read_text()
    house.config.write_text(config.replace('lock_timeout = "0s"', 'lock_timeout = "0s"\nrole = "arn:aws:iam::123456789012:role/nobody"'))
    aws.fault(action="AssumeRole", code="AccessDenied", message="is not authorized to perform: sts:AssumeRole", status=403, times=20)
    house.shell("up lean full").says("NOT READY", "role/nobody cannot be assumed").exits(1)
    house.config.write_text(config)
    aws.fault(clear=True)
    assert len(aws.groups()[GROUP]["serve"]) == 4 and aws.locks() == []

    # With an end, AWS is told to end the slaves two hours after it; without one, never.
    ends = lambda: aws.client("autoscaling").describe_scheduled_actions(AutoScalingGroupName=GROUP)["ScheduledUpdateGroupActions"]
    assert ends() == []
    bot = house.start("serve")
    try:
        house.shell("up lean full for 3h").exits(0)
        end = wait_for("the action", ends)[0]
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()
    # `small` has one.
    assert (end["ScheduledActionName"], end["MinSize"], end["DesiredCapacity"]) == ("tidegate-planned-end", 0, 1), end
    assert abs(end["StartTime"].timestamp() - time.time() - 5 * 3600) < 600, end

    house.shell("down lean off").says("lean is off").exits(0)
    nothing_was_made(aws)
    assert aws.resources(STATE) == [] and aws.locks() == []


def in_state(aws):
    """The desired count of the group as the state has it, and the state's serial."""
    state = json.loads(aws.object(STATE))
    group = next(resource for resource in state["resources"] if resource["type"] == "aws_autoscaling_group")
    return group["instances"][0]["attributes"]["desired_capacity"], state["serial"]


def drifted(aws, house):
    """What others changed is told with its sizes, and nothing is changed by looking; adopted, the state has it, and AWS is as it was."""
    before = in_state(aws)
    for _ in range(2):
        told = house.shell("drift lean")
        told.says("lean has DRIFTED", "`aws_autoscaling_group.this` changed: desired_capacity 4 -> 2", "Nothing was changed").exits(0)
        told.says("scale lean slaves=2", "adopt lean", "up lean full")
    assert in_state(aws) == before == (4, before[1]) and aws.locks() == []
    bot = house.start("serve")
    try:
        asks = house.start("shell", "-c", "adopt lean")
        asked = wait_for("the question", lambda: re.search(r"approve (\d+)", house.shell("status lean").unfolded))
        house.shell(f"show {asked[1]}").says("1 to import", "desired_capacity 4 -> 2")
        assert in_state(aws) == before
        house.shell(f"approve {asked[1]}").exits(0)
        assert asks.wait(120) == 0
        asks.said.seek(0)
        assert "what others changed is adopted" in asks.said.read()
        asks.said.close()
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()
    assert in_state(aws)[0] == 2 and aws.groups()[GROUP]["desired"] == 2, "only the state has changed"
    house.shell("drift lean").says("lean is as it was applied").exits(0)
    config = house.config.read_text()
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=3)
    house.config.write_text(config.replace('down = "small"', 'down = "small"\ndrift_ignore = ["*.desired_capacity"]'))
    house.shell("drift lean").says("lean is as it was applied").exits(0)
    house.config.write_text(config)


def swept(aws, house):
    """What carries the tags and stands in no state is told, with what to do; what the group launched, and what is of others, is not."""
    house.shell("sweep lean").says("nothing stands outside its states").exits(0)
    tags = lambda environment: [
        {"ResourceType": "vpc", "Tags": [
            {"Key": "tidegate:environment", "Value": environment}, {"Key": "tidegate:stack", "Value": "lean"}, {"Key": "Name", "Value": "left"},
        ]},
    ]
    ec2 = aws.client("ec2")
    left, others = (ec2.create_vpc(CidrBlock="10.61.0.0/16", TagSpecifications=tags(of))["Vpc"]["VpcId"] for of in ("lean", "other"))
    told = house.shell("sweep lean")
    told.says("lean: 1 resource in no state", left, "(left)", f'import {{ to = aws_vpc.NAME, id = "{left}" }}').exits(0)
    told.says(f"aws ec2 delete-vpc --vpc-id {left}").says_not(others)
    aws.fault(action="GetResources", code="AccessDeniedException", message="is not authorized to perform: tag:GetResources", status=400, times=5)
    house.shell("sweep lean").says("could not be looked for", "tag:GetResources").says_not("nothing stands outside").exits(0)
    aws.fault(clear=True)
    # A state that is not the one that was left knows nothing of what lives: nothing is offered to be taken away.
    whole = aws.object(STATE)
    for change in ({"serial": 1}, {"lineage": "another"}, {}):
        aws.put(STATE, json.dumps({**json.loads(whole), "resources": [], **change}).encode())
        told = house.shell("sweep lean")
        told.says("in no state", left, "this may not be its state").says_not("delete-vpc", "terminate-instances").exits(0)
    aws.put(STATE, whole if isinstance(whole, bytes) else whole.encode())
    house.shell("sweep lean").says(f"aws ec2 delete-vpc --vpc-id {left}").says_not("this may not be its state").exits(0)
    assert {left, others} <= set(aws.networks()), "a sweep removes nothing"
    for vpc in (left, others):
        ec2.delete_vpc(VpcId=vpc)


def cleared_for_a_change(aws, house):
    """What would stand in the way of a change is told before anybody waits for it, and no lock is taken or broken by looking."""
    house.shell("preflight lean").says("nothing stands in the way").exits(0)
    holder = {"ID": "1111-22", "Operation": "OperationTypeApply", "Who": "ito@desk", "Created": "2026-11-20T05:54:55Z"}
    aws.put(LOCK, json.dumps(holder).encode())
    house.shell("preflight lean").says("NOT READY", "held by ito@desk for apply since 2026-11-20T05:54:55Z, lock 1111-22").exits(0)
    assert aws.locks() == [LOCK]
    aws.delete(LOCK)
    aws.fault(action="GetCallerIdentity", code="ExpiredToken", message="The security token is expired", status=403, times=5)
    house.shell("preflight lean").says("NOT READY", "the AWS credentials have expired").exits(0)
    aws.fault(clear=True)

    # A role's session is an hour and is renewed, also in a long apply: no trouble, as on the module's own host.
    written = house.profiles.read_text()
    role = "[profile change]\nrole_arn = arn:aws:iam::123456789012:role/tidegate-bot-change\nsource_profile = base\n"
    house.profiles.write_text(role + f"region = {REGION}\n" + written.replace("profile change", "profile base"))
    before = aws.calls().get("sts:AssumeRole", 0)
    house.shell("preflight lean").says("nothing stands in the way").exits(0)
    assert aws.calls()["sts:AssumeRole"] > before, "the role was taken"
    house.profiles.write_text(written)

    # Keys that say when they end are renewed by nobody: told by a look, and by a run that would apply.
    config = house.config.read_text()
    house.config.write_text(config.replace('env = { AWS_PROFILE = "change" }', f'env = {{ AWS_REGION = "{REGION}" }}'))
    end = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 20 * 60))
    keys = {"AWS_ACCESS_KEY_ID": "ASIACHANGE", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_SESSION_TOKEN": "made-up"}
    house.shell("preflight lean", **keys).says("nothing stands in the way").exits(0)
    house.shell("preflight lean", **keys, AWS_CREDENTIAL_EXPIRATION=end).says("NOT READY", "the credentials end at").exits(0)
    house.shell("plan lean small", **keys, AWS_CREDENTIAL_EXPIRATION=end).says("the credentials end at", "renew them")
    house.config.write_text(config)


def a_run_whose_terraform_and_bot_are_killed_in_mid_apply(aws, folder):
    """Nobody saw how it ended: unknown, never success or failure; the lock is freed once its holder is known to be dead."""
    house = lay_lean(aws, folder)
    aws.fault(action="CreateLaunchTemplate", delay=300, times=1)
    bot = house.start("shell", "-c", "up lean small")
    wait_for("the call", lambda: aws.calls().get("ec2:CreateLaunchTemplate"))
    terraform = wait_for("Terraform", lambda: house.of_terraform("apply"))
    supervisors = {parent(pid) for pid in terraform}
    bot.kill()
    bot.wait()
    for pid in supervisors | set(terraform):
        os.kill(pid, signal.SIGKILL)
    bot.said.close()
    assert aws.locks() == [LOCK], "what a killed Terraform leaves"
    made = aws.networks()
    assert len(made) == 1 and aws.groups() == {}

    # Whoever carries out runs next finds out that nobody saw its end.
    bot = house.start("serve")
    try:
        wait_for("the word that it is unknown", lambda: "UNKNOWN" in house.shell("status lean").says_not("lean is at small").text.upper())
        recovered(aws, house)
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()


def a_state_that_cannot_be_saved_is_saved_before_anything_else_is_done(aws, folder):
    """AWS takes what is made, and then nobody the state of it: unknown, until it is saved; nothing is made a second time."""
    house = lay_lean(aws, folder)
    aws.fault(action="CreateLaunchTemplate", delay=6, times=1)
    up = house.start("shell", "-c", "up lean full")
    wait_for("the call", lambda: aws.calls().get("ec2:CreateLaunchTemplate"))
    # Neither the state nor, after it, the end of the lock.
    for action in ("PUT", "DELETE"):
        aws.fault(action=action, service="s3", code="AccessDenied", message="Access Denied", status=403, times=1000)
    assert up.wait(240) == 5
    up.said.close()
    made = (aws.networks(), sorted(aws.instances()))
    assert len(made[1]) == 4 and aws.resources(STATE) == [] and aws.locks() == [LOCK]
    house.shell("status lean").says("UNKNOWN", "recover 1")
    house.shell("show 1").says("its state could not be saved", "errored.tfstate", "5 changes were reported done")
    house.shell("up lean full").says("recover 1").exits(3)
    # As long as nothing can be saved nothing is known.
    house.shell("recover 1 unlock").says("UNKNOWN").exits(5)
    aws.fault(clear=True)
    house.shell("recover 1 unlock").says_not("UNKNOWN")
    assert aws.locks() == [] and "aws_autoscaling_group.this" in aws.resources(STATE), aws.resources(STATE)
    assert list(house.folder.rglob("errored.tfstate")) == []
    house.shell("up lean full").says("4/4 in service").exits(0)
    assert (aws.networks(), sorted(aws.instances())) == made, "nothing was made a second time"


def recovered(aws, house):
    house.shell("status lean").says("recover 1")
    # Whoever was killed holds nothing any more: the same machine can tell.
    told = house.shell("recover 1")
    assert aws.groups() == {}, "a look makes nothing"
    if aws.locks():
        told.says("unlock")
        house.shell("recover 1 unlock")
    assert aws.locks() == [], "never left locked"
    house.shell("status lean").says_not("lean is at small")
    # What it had made is in no state: the answer leads there.
    house.shell("show 1").says("sweep lean")
    house.shell("sweep lean").says("in no state", aws.networks()[0], "aws ec2 delete-vpc").exits(0)


OTHER = """
[environments.other]
owners = ["{me}"]
levels = ["small"]
up = "small"
down = "off"

[[environments.other.stacks]]
name = "lean"
root = "lean"
backend = {{ bucket = "{bucket}", region = "{region}", key = "other.tfstate" }}
env = {{ AWS_PROFILE = "change", AWS_REGION = "{region}" }}

[environments.other.stacks.variables]
environment = "other"

[environments.other.profiles.small]
lean = {{ slave_count = 0 }}
"""


UNREAD = b'{"version": 4, "ser'


def tagged(kind, **more):
    """What carries the tags of the lean stack, and more."""
    own = {"tidegate:environment": "lean", "tidegate:stack": "lean", **more}
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in own.items()]}]


def lay_removing(aws, folder):
    """The lean house, up, that may remove in its account, with an environment beside it whose state is its own."""
    house = lay_lean(aws, folder, more='remove_in = ["123456789012"]')
    house.config.write_text(house.config.read_text() + OTHER.format(me=ME, bucket=BUCKET, region=REGION))
    house.shell("up lean small").says("lean is at small").exits(0)
    return house


def other_state(of):
    """The state of `other`, with a network in it."""
    return json.dumps({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "other", "outputs": {}, "resources": [
        {"mode": "managed", "type": "aws_vpc", "name": "this", "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
         "instances": [{"schema_version": 1, "attributes": {"id": of}}]},
    ]}).encode()


def known_for_long(house, least):
    """As if what was found had been found two hours ago."""
    with contextlib.closing(sqlite3.connect(house.folder / ".tidegate" / "tidegate.db")) as ledger, ledger:
        assert ledger.execute("UPDATE strays SET seen_at = seen_at - 7200000").rowcount >= least


def noted(house):
    """What the audit has of removals: an ARN and what it is, for each."""
    with contextlib.closing(sqlite3.connect(house.folder / ".tidegate" / "tidegate.db")) as ledger:
        rows = [json.loads(detail) for (detail,) in ledger.execute("SELECT detail FROM audit WHERE action = 'remove' ORDER BY seq")]
    return [(row["arn"].rpartition("/")[2], row["is"]) for row in rows if "is" in row]


def what_no_state_knows_is_removed_and_what_any_state_has_is_not(aws, folder):
    """Found, shown with age and price, removed after a yes; whatever speaks against it, nothing goes."""
    house = lay_removing(aws, folder)
    # As long as a stack has groups, disks may be theirs, and are not listed.
    house.shell("down lean off").says("lean is off").exits(0)
    before = aws.calls()["ec2:DeleteVpc"]
    ec2 = aws.client("ec2")
    others = ec2.run_instances(ImageId=AMI, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    made = lambda **more: ec2.create_vpc(CidrBlock="10.61.0.0/16", TagSpecifications=tagged("vpc", **more))["Vpc"]["VpcId"]
    left, theirs, child = made(), made(), made(**{"elasticbeanstalk:environment-name": "blue/日本&"})
    [default] = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]]
    ec2.create_tags(Resources=[default], Tags=tagged("vpc")[0]["Tags"])
    wall = ec2.create_security_group(GroupName="left", Description="x", VpcId=theirs, TagSpecifications=tagged("security-group"))["GroupId"]
    # What goes along with an instance is told as gone; a disk of another one stays. (The emulator lists no Elastic IPs by their tags.)
    run = ec2.run_instances(ImageId=AMI, MinCount=1, MaxCount=1, TagSpecifications=tagged("instance"), BlockDeviceMappings=[
        {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}}])
    server = run["Instances"][0]["InstanceId"]
    disks = lambda: {disk["VolumeId"] for disk in ec2.describe_volumes()["Volumes"]}
    disk_of = lambda of: next(
        disk["VolumeId"] for disk in ec2.describe_volumes()["Volumes"] if [a["InstanceId"] for a in disk["Attachments"]] == [of])
    disk, used = disk_of(server), disk_of(others)
    ec2.create_tags(Resources=[disk, used], Tags=tagged("volume")[0]["Tags"])
    aws.put("other.tfstate", other_state(theirs))
    all_there = lambda: {left, theirs, child} == set(aws.networks()) and {others, server} == set(aws.instances()) and {disk, used} <= disks()

    # Without the word that nobody else gives anything these tags in the account, nothing does.
    written = house.config.read_text()
    house.config.write_text(written.replace("remove_in", "# remove_in"))
    house.shell("sweep lean remove").says("nothing of lean is removed", "remove_in", "sweep lean").exits(3)
    house.config.write_text(written.replace("123456789012", "123456789013"))
    house.shell("sweep lean remove").says("`remove_in` of lean does not name its account 123456789012").exits(0)
    house.config.write_text(written)
    # Nobody knows yet how old they are.
    house.shell("sweep lean").says("resources in no state", left, server).exits(0)
    house.shell("sweep lean remove").says("nothing that Tidegate removes stands outside", "known for less than an hour").exits(0)
    assert all_there()
    known_for_long(house, 7)

    # A state that cannot be read may have any of them.
    aws.put("other.tfstate", UNREAD)
    house.shell("sweep lean remove").says("nothing of lean is removed", "the state of other/lean cannot be read").exits(3)
    aws.put("other.tfstate", other_state(theirs))
    bot = house.start("serve")
    try:
        # Somebody may be writing one just now.
        aws.put("other.tfstate.tflock", json.dumps({"ID": "1", "Who": "ito@desk", "Operation": "OperationTypeApply"}).encode())
        status, told = house.approved("lean", "sweep lean remove")
        assert status == 1 and "somebody has the lock of the state of other/lean (ito@desk)" in told, (status, told)
        assert all_there() and noted(house) == []
        aws.delete("other.tfstate.tflock")

        status, told = house.approved("lean", "sweep lean remove", (
            "3 resources to delete, 1 of them billed by the hour", left, server, disk,
            f"vpc/{theirs}", "stays: the state of other/lean speaks of it",
            f"vpc/{child}", "stays: it belongs to the Elastic Beanstalk environment blue/日本&",
            f"vpc/{default}", "stays: it is the default network of its region",
            used, f"stays: it is in use by {others}, which stays",
            wall, "stays: Tidegate does not delete its kind", f"aws ec2 delete-security-group --group-id {wall}",
        ))
        assert status == 0 and "lean: 3 resources in no state removed" in told, (status, told)
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()
    assert {theirs, child} == set(aws.networks()) and {others} == set(aws.instances()), (aws.networks(), aws.instances())
    assert disk not in disks() and used in disks()
    calls = aws.calls()
    assert calls["ec2:DeleteVpc"] == before + 1 and "ec2:DeleteVolume" not in calls, calls
    said = noted(house)
    assert {one for one, is_what in said if is_what == "gone"} == {left, server, disk}, said
    assert said.index((left, "asked of AWS")) < said.index((left, "gone")), said
    house.shell("sweep lean").says("in no state").says_not(left, server, disk).exits(0)


def a_removal_that_is_killed_in_the_middle_loses_nothing_of_what_went(aws, folder):
    """What was asked of AWS is in the ledger before it is; whoever goes on tells what is gone, and removes nothing that a state may have."""
    house = lay_removing(aws, folder)
    own = set(aws.networks())
    ec2 = aws.client("ec2")
    both = {ec2.create_vpc(CidrBlock="10.61.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"] for _ in range(2)}
    aws.put("other.tfstate", other_state("vpc-0"))
    house.shell("sweep lean").says("2 resources in no state").exits(0)
    known_for_long(house, 2)
    aws.fault(action="DeleteVpc", delay=8, times=1)
    bot = house.start("serve")
    asks = house.start("shell", "-c", "sweep lean remove")
    asked = wait_for("the question", lambda: re.search(r"approve (\d+)", house.shell("status lean").unfolded))
    yes = house.start("shell", "-c", f"approve {asked[1]}")
    wait_for("the call", lambda: aws.calls().get("ec2:DeleteVpc"))
    for process in (bot, asks, yes):
        process.kill()
        process.wait()
        process.said.close()
    [(first, is_what)] = noted(house)
    assert is_what == "asked of AWS" and own | both == set(aws.networks()), noted(house)
    # AWS had heard it all the same.
    wait_for("its end", lambda: first not in aws.networks())
    aws.put("other.tfstate", UNREAD)
    bot = house.start("serve")
    try:
        wait_for("the run's end", lambda: "PARTIAL" in house.shell(f"show {asked[1]}").text)
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()
    [second] = both - {first}
    house.shell(f"show {asked[1]}").says("PARTIAL", "1 of 2 removed", second, "the state of other/lean cannot be read")
    assert own | {second} == set(aws.networks()), "what a state may have stays"
    assert noted(house) == [(first, "asked of AWS"), (first, "gone")], noted(house)
    assert aws.calls().get("ec2:DeleteVpc") == 1, aws.calls()


def parent(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


TESTS = [
    a_group_that_comes_up_short_and_what_others_do_to_it,
    before_anything_is_there,
    a_run_whose_terraform_and_bot_are_killed_in_mid_apply,
    a_state_that_cannot_be_saved_is_saved_before_anything_else_is_done,
    an_environment_made_for_one_test_is_gone_to_the_last_thing,
    a_load_in_an_account_of_its_own_by_roles_that_only_the_bot_may_assume,
    what_no_state_knows_is_removed_and_what_any_state_has_is_not,
    a_removal_that_is_killed_in_the_middle_loses_nothing_of_what_went,
]
printing = threading.Lock()


def run(test):
    name, start = test.__name__.replace("_", " "), time.monotonic()
    aws, why = Emulator(), ""
    try:
        with tempfile.TemporaryDirectory(prefix="tidegate-lean.") as folder:
            test(aws, folder)
    except Exception:  # told, and the others go on
        why = traceback.format_exc()
    finally:
        aws.end()
    with printing:
        print(f"{why}{'FAILED' if why else 'ok'} {name}, {time.monotonic() - start:.0f} s", flush=True)
    return not why


def main():
    tests = [test for test in TESTS if all(word in test.__name__ for word in sys.argv[1:])]
    # Each Terraform with its provider takes a processor and 0.8 GB.
    with ThreadPoolExecutor(2) as pool:
        passed = sum(pool.map(run, tests))
    print(f"{passed} passed, {len(tests) - passed} failed")
    return 0 if tests and passed == len(tests) else 1


if __name__ == "__main__":
    sys.exit(main())
