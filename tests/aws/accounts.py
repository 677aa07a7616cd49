"""A load in an account of its own, with the real Terraform and the real AWS provider against the emulator: both sides are made by the example of
`modules/account`, and the bot works there by the roles that came of it. What there is, AWS's own API says in that account; who may assume what, the
emulator's `trust.py`, from the policies that were made. `failures.py account` runs it, and the last step of `shop.py` has the shop's load there.
"""

import json
import shutil
import subprocess
import time

from botocore.exceptions import ClientError
from tide import BUCKET, REGION, TOP, lay_lean, wait_for

BOT, LOAD = "123456789012", "210987654321"
GROUP, STATE = "lean-lean", "lean.tfstate"
PLANNED_END = 'planned_end = { groups = ["aws_autoscaling_group.this"]'


def terraform(house, root, *arguments):
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
    ran = subprocess.run(["terraform", f"-chdir={root}", *arguments], env=house.env | keys, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


def both_sides(house):
    """The example of `modules/account`, applied by an administrator of both accounts: its outputs."""
    modules = house.folder / "sides/modules"
    shutil.copytree(TOP / "terraform/modules", modules, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    root = modules / "account/examples/basic"
    (root / "test_override.tf").write_text('provider "aws" {\n  max_retries = 2\n}\nprovider "aws" {\n  alias       = "load"\n  max_retries = 2\n}\n')
    terraform(house, root, "init", "-no-color")
    terraform(house, root, "apply", "-no-color", "-auto-approve")
    assert "No changes" in terraform(house, root, "plan", "-no-color"), "it is as it was applied"
    return {name: output["value"] for name, output in json.loads(terraform(house, root, "output", "-json")).items()}


def as_bot(aws, name):
    """AWS as the bot's role of this name sees it, which the machine has taken that the example trusts."""
    return aws.by_role(f"arn:aws:iam::{BOT}:role/ci-runner").by_role(f"arn:aws:iam::{BOT}:role/tidegate-bot-{name}")


def profile_of(keys):
    """The profile `change` with the keys of a session."""
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return "\n".join(["[profile change]", f"region = {REGION}", *(f"{name} = {keys[name]}" for name in names), ""])


def goes(aws, by, to, session):
    """Whether a role of the bot's may assume one of the load's."""
    try:
        as_bot(aws, by).by_role(to, session)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "AccessDenied", refused
        return False
    return True


def nobody_else_comes_in(aws, sides):
    change, read = sides["jmeter_role_arn"], sides["jmeter_role"]
    assert goes(aws, "change", change, "tidegate-lean-lean") and goes(aws, "change", read, "tidegate") and goes(aws, "read", read, "tidegate")
    assert not goes(aws, "read", change, "tidegate"), "who reads changes nothing in the other account either"
    assert not goes(aws, "change", change, "ito"), "a session says whose it is"
    for arn in (change, read, sides["jmeter_look_role_arn"]):
        for administrator in (aws, aws.by_role(f"arn:aws:iam::{BOT}:role/OrganizationAccountAccessRole")):
            try:
                administrator.by_role(arn, "tidegate")
            except ClientError as refused:
                assert refused.response["Error"]["Code"] == "AccessDenied", refused
                continue
            raise AssertionError(f"{arn} may be assumed by more than the bot")


def without_trust(load, role):
    """Takes the bot out of a role's trust, as an administrator of that account may; what gives it back."""
    iam = load.client("iam")
    before = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(nobody))
    return lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=before)


def nothing_else_is_there(aws):
    """Of what the bot made, the bot's own account has its state and no more."""
    assert (aws.groups(), aws.instances(), aws.networks()) == ({}, {}, []), (aws.groups(), aws.instances(), aws.networks())


def refused(aws, load, house, role, serve):
    """`up` by a role that may not be assumed: said, never called a success, nothing locked; so many serve in the other account then."""
    give_back = without_trust(load, role)
    told = house.shell("up lean full slaves=5")
    told.says(f"arn:aws:iam::{LOAD}:role/{role}", "AccessDenied").says_not("5/5 in service").exits(1)
    assert (load.groups()[GROUP]["desired"], len(load.groups()[GROUP]["serve"])) == (serve, serve), load.groups()
    assert aws.locks() == [], aws.locks()
    nothing_else_is_there(aws)
    give_back()
    return told


def a_load_in_an_account_of_its_own_by_roles_that_only_the_bot_may_assume(aws, folder):
    """From nothing to full and off again in another account, with the states where the bot is; and what is said where a role is refused."""
    house = lay_lean(aws, folder)
    sides = both_sides(house)
    change, read = sides["jmeter_role_arn"], sides["jmeter_role"]
    assert {arn.split(":")[4] for arn in (change, read, sides["jmeter_look_role_arn"], sides["jmeter_permissions_boundary"])} == {LOAD}
    assert sides["jmeter_account"] == LOAD
    load = aws.by_role(f"arn:aws:iam::{LOAD}:role/OrganizationAccountAccessRole")
    made = {role["RoleName"] for role in load.client("iam").list_roles()["Roles"]}
    assert made == {"tidegate-load-read", "tidegate-load-change", "tidegate-load-look"}, made
    nobody_else_comes_in(aws, sides)

    house.profiles.write_text(profile_of(as_bot(aws, "change").keys_of))
    with (house.folder / "lean/test_override.tf").open("a") as file:
        file.write(f'provider "aws" {{\n  assume_role {{\n    role_arn     = "{change}"\n    session_name = "tidegate-lean-lean"\n  }}\n}}\n')
    written = house.config.read_text()
    assert PLANNED_END in written
    house.config.write_text(written.replace(PLANNED_END, f'role = "{read}"\n{PLANNED_END}, role = "{change}"'))

    house.shell("up lean full").says("lean is at full", "4/4 in service").exits(0)
    tags = {"tidegate:environment": "lean", "tidegate:stack": "lean"}
    assert len(load.groups()[GROUP]["serve"]) == 4 and tags.items() <= load.groups()[GROUP]["tags"].items(), load.groups()
    assert len(load.networks()) == 1 and [tags.items() <= of.items() for of in load.instances().values()] == [True] * 4
    nothing_else_is_there(aws)
    assert "aws_autoscaling_group.this" in aws.resources(STATE) and aws.locks() == []
    assert load.client("s3").list_buckets()["Buckets"] == [], "states are where the bot is"
    assert {BUCKET} <= {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    # Both ask in the other account; in the bot's own there is nothing, and the group would be called lost.
    house.shell("drift lean").says_not("DRIFTED", "could not").exits(0)
    house.shell("sweep lean").says("nothing stands outside its states").exits(0)

    refused(aws, load, house, "tidegate-load-change", 4).says("NOT READY", f"IAM Role ({change}) cannot be assumed", "Nothing was changed")
    # Here it was applied, and nobody may look what came of it.
    told = refused(aws, load, house, "tidegate-load-read", 5)
    told.says("PARTIAL", "applied, not checked", f"the role {read} cannot be assumed", "`sts:AssumeRole`", "retry 5")
    house.shell("retry 5").says("5/5 in service").exits(0)

    # AWS ends slaves there two hours after the planned end, by the role that changes.
    ends = lambda: load.client("autoscaling").describe_scheduled_actions(AutoScalingGroupName=GROUP)["ScheduledUpdateGroupActions"]
    bot = house.start("serve")
    try:
        house.shell("up lean full slaves=5 for 3h").exits(0)
        end = wait_for("the action", ends)[0]
    finally:
        bot.terminate()
        bot.wait(60)
        bot.said.close()
    assert abs(end["StartTime"].timestamp() - time.time() - 5 * 3600) < 600, end

    house.shell("down lean off").says("lean is off").exits(0)
    assert (load.groups(), load.networks(), aws.resources(STATE), aws.locks()) == ({}, [], [], [])
    made = {role["RoleName"] for role in load.client("iam").list_roles()["Roles"]}
    assert "tidegate-load-change" in made, "the way in stays, and costs nothing"
