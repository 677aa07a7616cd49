#!/usr/bin/env python3
"""The shop, driven by Tidegate's commands from nothing to `full`, to `small`, to `off`, and once more with its load in an account of its own, with
the real Terraform and the real AWS provider against the emulator. After each command AWS's own API is asked what there is: instances, groups, tags,
states, locks.

    shop.py     the last line is `N passed, N failed`
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
from accounts import BOT, LOAD, as_bot, both_sides, profile_of  # noqa: E402
from tide import AMI, ME, TOP, Emulator, House, end_in_good_order  # noqa: E402

STATES = {name: f"env:/shop/{name}.tfstate" for name in ("monitoring", "app", "jmeter")}


def lay_shop(emulator, folder):
    """A copy of `terraform/` in a repository of its own, with an image that the emulator knows and checksums filled in."""
    folder = Path(folder)
    shutil.copytree(TOP / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    shop = folder / "terraform/environments/shop"
    for root in ("monitoring", "app", "jmeter"):
        (shop / root / "test_override.tf").write_text('provider "aws" {\n  max_retries = 2\n}\n')
    with (shop / "jmeter/test_override.tf").open("a") as file:
        file.write('provider "aws" {\n  alias       = "shop"\n  max_retries = 2\n}\n')
    config = shop / "tidegate.toml"
    text = config.read_text().replace("ami-00000000", AMI).replace('"local:root"', f'"{ME}"')
    text = text.replace("PUT-ACCOUNT-HERE", "123456789012").replace("PUT-APACHE'S-CHECKSUM-HERE", "a" * 128)
    text = re.sub("PUT-THE-PUBLISHER'S-CHECKSUM-HERE", "b" * 64, text)
    config.write_text(text)
    subprocess.run(["git", "-C", str(folder), "init", "-q"], check=True)
    commit(folder, "The shop")
    return House(emulator, config, folder)


def commit(folder, message):
    git = ["git", "-C", str(folder), "-c", "user.name=tests", "-c", "user.email=tests@example.com"]
    subprocess.run([*git, "add", "terraform"], check=True)
    subprocess.run([*git, "commit", "-qm", message], check=True)


def with_an_account(text):
    """The configuration with the lines that it has for an account of the load's own, as docs/aws.md says."""
    one, two = 'planned_end = { groups = ["module.jmeter.aws_autoscaling_group.slaves"] }\n', re.compile(rf'^# (?=\w+ = .*"(arn:aws:iam::)?{LOAD}[:"])', re.M)
    shops = f'permissions_boundary = "arn:aws:iam::{BOT}:policy/tidegate-bot-boundary"'
    bound = re.compile(rf'^# With `jmeter_role_arn`, that account\'s own: ("arn:.*")\n{re.escape(shops)}', re.M)
    text, bounded = bound.subn(r"permissions_boundary = \1", text)
    text, put_in = two.subn("", text)
    assert (bounded, put_in, text.count(one)) == (1, 5, 1), (bounded, put_in, text)
    return text.replace(one, "")


class Shop:
    """Steps, in this order, each on what the one before it left."""

    def __init__(self, emulator, folder):
        self.aws, self.house = emulator, lay_shop(emulator, folder)

    def group(self, stack, account=None):
        """The one group with the tags of this stack."""
        tags = {"tidegate:environment": "shop", "tidegate:stack": stack}
        found = [group for group in (account or self.aws).groups().values() if tags.items() <= group["tags"].items()]
        assert len(found) == 1, f"groups of {stack}: {found}"
        return found[0]

    def of_stack(self, stack, account=None):
        return [i for i, tags in (account or self.aws).instances().items() if tags.get("tidegate:stack") == stack and tags.get("tidegate:environment") == "shop"]

    def database(self):
        found = self.aws.client("rds").describe_db_instances()["DBInstances"]
        assert len(found) <= 1, found
        return found[0] if found else None

    def nothing_is_locked(self):
        assert self.aws.locks() == [], self.aws.locks()

    def nothing_stands_in_the_way(self):
        """The configuration as it is shipped, with a profile and no other word of a region."""
        before = self.aws.calls()
        told = self.house.shell("preflight shop")
        told.says_not("NOT READY", "was not asked").exits(0)
        after = self.aws.calls()
        asked = {call: after[call] - before.get(call, 0) for call in after}
        assert asked.get("sts:GetCallerIdentity", 0) >= 3, f"not asked of each stack: {asked}"
        assert self.aws.networks() == [] and self.aws.locks() == []

    def from_nothing_to_full(self):
        assert self.aws.networks() == [] and self.aws.keys() == []
        self.house.shell("up shop full slaves=6 servers=3").says("shop is at full", "slaves 6/6 in service").exits(0)

        slaves, servers = self.group("jmeter"), self.group("app")
        assert (slaves["desired"], len(slaves["serve"])) == (6, 6), slaves
        assert (servers["desired"], len(servers["serve"])) == (3, 3), servers
        # Six slaves and a master; the monitoring host; each with both tags.
        assert (len(self.of_stack("jmeter")), len(self.of_stack("app")), len(self.of_stack("monitoring"))) == (7, 3, 1)
        assert set(slaves["serve"]) <= set(self.of_stack("jmeter"))
        assert len(self.aws.instances()) == 11, "nothing runs that no stack has made"
        assert self.database()["DBInstanceClass"] == "db.r6g.4xlarge"
        # The role `change` may make no other.
        roles = [role for role in self.aws.client("iam").list_roles()["Roles"] if role["Path"] == "/tidegate/"]
        bound = {role["RoleName"]: self.aws.client("iam").get_role(RoleName=role["RoleName"])["Role"].get("PermissionsBoundary") for role in roles}
        assert len(bound) == 4 and all(bound.values()), bound
        for stack, key in STATES.items():
            assert self.aws.resources(key), f"no state of {stack} at {key}: {self.aws.keys()}"
        assert "module.jmeter.aws_autoscaling_group.slaves" in self.aws.resources(STATES["jmeter"])
        self.nothing_is_locked()

    def nothing_more_to_do(self):
        before = self.aws.calls()
        self.house.shell("up shop full slaves=6 servers=3").says("already").exits(0)
        after = self.aws.calls()
        made = {call: after[call] - before.get(call, 0) for call in after if re.search(":(Create|Run|Modify|Delete|Terminate)", call)}
        assert not any(made.values()), made
        self.nothing_is_locked()

    def a_replaced_database_is_refused_by_protect(self):
        before = self.database()
        config, written = self.house.config, self.house.config.read_text()
        config.write_text(written.replace('"module.app.aws_db_instance.kept",', '"module.app.aws_db_instance.*",'))
        # Somebody merges a change after which the database would be made anew.
        code = self.house.folder / "terraform/modules/app/data.tf"
        text = code.read_text()
        code.write_text(re.sub(r'(db_name += var\.db_snapshot == null \? )"app"', r'\1"shop"', text))
        commit(self.house.folder, "Another name for the database")
        told = self.house.shell("up shop full code slaves=6 servers=3")
        told.says("module.app.aws_db_instance.temporary", "protect").exits(3)
        config.write_text(written)
        code.write_text(text)
        commit(self.house.folder, "The name as it was")
        assert self.database()["DbiResourceId"] == before["DbiResourceId"]
        assert self.group("app")["desired"] == 3, "nothing else of it was done either"
        self.nothing_is_locked()

    def down_to_small(self):
        state = json.loads(self.aws.object(STATES["monitoring"]))["serial"]
        self.house.shell("down shop small").says("shop is at small").exits(0)
        assert (self.group("jmeter")["desired"], self.group("app")["desired"]) == (0, 1)
        assert (len(self.of_stack("jmeter")), len(self.of_stack("app")), len(self.of_stack("monitoring"))) == (0, 1, 1)
        assert self.database()["DBInstanceClass"] == "db.t4g.medium"
        assert json.loads(self.aws.object(STATES["monitoring"]))["serial"] == state, "what stays the same is not written"
        self.nothing_is_locked()

    def off(self):
        told = self.house.shell("down shop off")
        told.says("shop is off", "lowered, not destroyed: monitoring").exits(0)
        assert self.aws.groups() == {} and self.database() is None, self.aws.groups()
        assert (len(self.aws.instances()), len(self.of_stack("monitoring"))) == (1, 1), "the monitoring host stays"
        assert (self.aws.resources(STATES["app"]), self.aws.resources(STATES["jmeter"])) == ([], [])
        assert "module.results.aws_s3_bucket.this" in self.aws.resources(STATES["monitoring"])
        assert len(self.aws.networks()) == 1, "the load's network is gone, the shop's stays"
        self.nothing_is_locked()
        self.house.shell("status shop").says("at off as far as it goes: monitoring at small").exits(0)
        # The disks of the host have its tags.
        self.house.shell("sweep shop").says_not("delete-volume", "terminate-instances", "NOT READY").exits(0)

    def a_load_in_an_account_of_its_own(self):
        both_sides(self.house)
        self.house.profiles.write_text(profile_of(as_bot(self.aws, "change").keys_of))
        self.house.config.write_text(with_an_account(self.house.config.read_text()))
        load = self.aws.by_role(f"arn:aws:iam::{LOAD}:role/OrganizationAccountAccessRole")
        # Prometheus is told of the role by its host's first start: that one is made anew, and people are asked.
        host = self.of_stack("monitoring")
        status, told = self.house.approved("shop", "up shop small slaves=2", ("replace `module.monitoring.aws_instance.host`",))
        assert status == 0 and "slaves 2/2 in service" in told, told[-3000:]
        assert self.of_stack("monitoring") != host

        slaves = self.group("jmeter", load)
        assert (slaves["desired"], len(slaves["serve"]), set(load.groups())) == (2, 2, {"shop-jmeter-slaves"}), load.groups()
        assert len(self.of_stack("jmeter", load)) == len(load.instances()) == 3, "two slaves and a master, and nothing else there"
        assert (self.of_stack("jmeter"), len(self.of_stack("app")), len(self.of_stack("monitoring"))) == ([], 1, 1)
        assert (len(load.networks()), len(self.aws.networks())) == (1, 1)
        peerings = [of for of in load.client("ec2").describe_vpc_peering_connections()["VpcPeeringConnections"] if of["Status"]["Code"] == "active"]
        assert [(of["RequesterVpcInfo"]["OwnerId"], of["AccepterVpcInfo"]["OwnerId"]) for of in peerings] == [(LOAD, BOT)], peerings
        bound = {role["RoleName"]: load.client("iam").get_role(RoleName=role["RoleName"])["Role"].get("PermissionsBoundary")
                 for role in load.client("iam").list_roles()["Roles"] if role["Path"] == "/tidegate/"}
        assert set(bound) == {"shop-jmeter-master", "shop-jmeter-slave"} and all(of["PermissionsBoundaryArn"].startswith(f"arn:aws:iam::{LOAD}:") for of in bound.values()), bound
        assert "module.jmeter.aws_autoscaling_group.slaves" in self.aws.resources(STATES["jmeter"]), "states are where the bot is"
        self.nothing_is_locked()

        self.house.shell("down shop off").says("shop is off", "lowered, not destroyed: monitoring").exits(0)
        assert (load.groups(), load.instances(), load.networks()) == ({}, {}, []), (load.groups(), load.instances(), load.networks())
        assert (self.aws.resources(STATES["jmeter"]), len(self.of_stack("monitoring")), len(self.aws.networks())) == ([], 1, 1)
        self.nothing_is_locked()


STEPS = [
    Shop.nothing_stands_in_the_way, Shop.from_nothing_to_full, Shop.nothing_more_to_do, Shop.a_replaced_database_is_refused_by_protect,
    Shop.down_to_small, Shop.off, Shop.a_load_in_an_account_of_its_own,
]


def main():
    end_in_good_order()
    emulator = Emulator()
    passed = failed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="tidegate-shop.") as folder:
            shop = Shop(emulator, folder)
            for step in STEPS:
                name, start = step.__name__.replace("_", " "), time.monotonic()
                try:
                    step(shop)
                except Exception:  # what comes after it would fail by it
                    traceback.print_exc()
                    failed += 1
                    print(f"FAILED {name}, {time.monotonic() - start:.0f} s; {len(STEPS) - passed - 1} steps after it were not tried")
                    break
                passed += 1
                print(f"ok {name}, {time.monotonic() - start:.0f} s", flush=True)
    finally:
        emulator.end()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
