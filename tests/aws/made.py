"""An environment that is made for one test, with the real Terraform and the real AWS provider against the emulator: there as it was asked for,
and gone to the last thing. What there is, AWS's own API says. `failures.py made` runs it.
"""

import json
import sqlite3
from contextlib import closing

from tide import REGION, lay_lean, wait_for

TEMPLATE = """
[templates.loadtest]
names = "lt-*"
longest = "1d"

[templates.loadtest.environment]
like = "lean"
up = "small"
down = "off"
stacks = [{ name = "lean", workspace = "{env}", variables = { environment = "{env}" }, env = { AWS_REGION = "us-east-1" } }]
"""


def state_of(name):
    """Where the bucket has the state of a workspace."""
    return f"env:/{name}/lean.tfstate"


def tagged(aws, name):
    """ARNs of what carries the tag of an environment and is: AWS lists an instance for a while after its end."""
    found = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "tidegate:environment", "Values": [name]}])
    running, every = aws.instances(), [one["ResourceARN"] for one in found["ResourceTagMappingList"]]
    return sorted(arn for arn in every if ":instance/" not in arn or arn.rpartition("/")[2] in running)


def try_now(house):
    """As if the time until the next try of an end had passed."""
    with closing(sqlite3.connect(house.folder / ".tidegate/tidegate.db", timeout=30)) as ledger, ledger:
        ledger.execute("UPDATE made SET try_at = 1 WHERE gone_at IS NULL AND try_at IS NOT NULL")


def is_there(aws, name):
    """One group with one instance in service, in a network, each with its tags and in a state of its own."""
    tags = {"tidegate:environment": name, "tidegate:stack": "lean"}
    group = aws.groups()[f"{name}-lean"]
    assert tags.items() <= group["tags"].items() and len(group["serve"]) == 1, group
    assert [of for of in aws.instances().values() if tags.items() <= of.items()], aws.instances()
    assert [arn for arn in tagged(aws, name) if ":vpc/" in arn], tagged(aws, name)
    resources = ["aws_autoscaling_group.this", "aws_launch_template.this", "aws_security_group.this", "aws_subnet.this", "aws_vpc.this"]
    assert aws.resources(state_of(name)) == resources


def is_gone(aws, name):
    """Nothing carries its tags, and neither state nor lock of it is in the bucket."""
    assert tagged(aws, name) == [] and f"{name}-lean" not in aws.groups(), (tagged(aws, name), aws.groups())
    assert [of for of in aws.instances().values() if of.get("tidegate:environment") == name] == []
    assert [key for key in aws.keys() if name in key] == [], aws.keys()


def an_environment_made_for_one_test_is_gone_to_the_last_thing(aws, folder):
    """Its end goes on as long as anything carries its tags, also what stands in no state; another one comes and goes beside it."""
    house = lay_lean(aws, folder)
    house.config.write_text(house.config.read_text() + TEMPLATE)
    # Where its provider makes things its own code says alone: a state that is empty does not.
    (house.folder / "lean" / "region_override.tf").write_text(f'provider "aws" {{\n  region = "{REGION}"\n}}\n')
    ec2 = aws.client("ec2")
    bot = house.start("serve")
    try:
        house.shell("new lt-login from loadtest for 2h because login spike").says("lt-login is at small", "1/1 in service").exits(0)
        is_there(aws, "lt-login")
        house.shell("extend lt-login 1h").says("lt-login lives until").exits(0)
        tags = [{"Key": "tidegate:environment", "Value": "lt-login"}, {"Key": "tidegate:stack", "Value": "lean"}]
        by_hand = [{"ResourceType": "vpc", "Tags": tags}]
        left = ec2.create_vpc(CidrBlock="10.61.0.0/16", TagSpecifications=by_hand)["Vpc"]["VpcId"]

        house.shell("end lt-login because the test is over").says("lean not seen to be gone", "1 left that no state of lean knows", left, "list new").exits(1)
        assert aws.networks() == [left] and aws.groups() == {}, (aws.networks(), aws.groups())
        # As long as anything is left the place of its state stays, and it is listed.
        assert json.loads(aws.object(state_of("lt-login")))["resources"] == []
        house.shell("list new").says("lt-login", "DELETING", "tried again").exits(0)
        house.shell("new lt-login from loadtest").says("there is an environment of that name already").exits(3)

        house.shell("new lt-other from loadtest").says("lt-other is at small").exits(0)
        is_there(aws, "lt-other")
        house.shell("end lt-other").says("lt-other is deleted, 0 left").exits(0)
        is_gone(aws, "lt-other")
        house.shell("list new").says("lt-login", "DELETING").says_not("lt-other").exits(0)
        assert aws.networks() == [left], "nothing is taken away that no state knows"

        # Somebody takes it away; then nothing is left, which the next try finds. It comes now, and not after the rest of its minute.
        ec2.delete_vpc(VpcId=left)
        try_now(house)
        wait_for("its end", lambda: "Nothing is there that was made" in house.shell("list new").unfolded, 240)
        is_gone(aws, "lt-login")
        assert aws.networks() == [] and aws.keys() == [], (aws.networks(), aws.keys())
        house.shell("audit lt-login action gone").says("gone").exits(0)
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()
