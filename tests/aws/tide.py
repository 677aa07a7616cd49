"""Tidegate and the emulated AWS, for tests: commands go to the shipped binary, and what came of them is asked of AWS's own API."""

import copy
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
REGION = "ap-northeast-1"
BUCKET = "tidegate-state"
AMI = "ami-760aaa0f"  # one that the emulator knows
ME = f"local:{pwd.getpwuid(os.getuid()).pw_name}"

# What hangs fails: longer than anything here takes on a busy machine, in seconds.
DEADLINE = 900


def programs():
    """The folder with the binaries, as cargo leaves them: the debug ones, where nothing else is said."""
    if "TIDEGATE_PROGRAMS" in os.environ:
        return Path(os.environ["TIDEGATE_PROGRAMS"])
    return Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")).resolve() / "debug"


class Emulator:
    """An AWS of its own, with the states' bucket in it."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(HERE / "emulator.py"), "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()
        self.clients, self.keys_of = {}, {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name=REGION, config=Config(retries={"max_attempts": 0}), **self.keys_of
            )
        return self.clients[service]

    def by_role(self, arn, session="tests"):
        """The same AWS, as whoever has taken a role sees it: in the role's account."""
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        other = copy.copy(self)
        other.clients = {}
        other.keys_of = {
            "aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"], "aws_session_token": keys["SessionToken"],
        }
        return other

    def fault(self, **wanted):
        body = json.dumps(wanted).encode()
        with urllib.request.urlopen(self.url + "/_fault", data=body, timeout=30) as answer:
            return json.loads(answer.read())

    def calls(self):
        with urllib.request.urlopen(self.url + "/_calls", timeout=30) as answer:
            return json.loads(answer.read())

    def groups(self):
        """Groups by name, each with its counts, the instances in service and its tags."""
        found = self.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        return {
            group["AutoScalingGroupName"]: {
                "desired": group["DesiredCapacity"],
                "serve": sorted(i["InstanceId"] for i in group["Instances"] if i["LifecycleState"] == "InService"),
                "tags": {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])},
            }
            for group in found
        }

    def instances(self):
        """Ids of the instances that run, with their tags."""
        pages = self.client("ec2").describe_instances()["Reservations"]
        every = [instance for page in pages for instance in page["Instances"]]
        running = [i for i in every if i["State"]["Name"] in ("pending", "running")]
        return {i["InstanceId"]: {tag["Key"]: tag["Value"] for tag in i.get("Tags", [])} for i in running}

    def networks(self):
        """Networks that were made here: not the one that every account has."""
        return [vpc["VpcId"] for vpc in self.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]

    def object(self, key):
        """An object of the states' bucket, or None."""
        try:
            return self.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def keys(self):
        return sorted(item["Key"] for item in self.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", []))

    def locks(self):
        return [key for key in self.keys() if key.endswith(".tflock")]

    def put(self, key, body):
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    def delete(self, key):
        self.client("s3").delete_object(Bucket=BUCKET, Key=key)

    def resources(self, key):
        """Addresses in a state, without keys."""
        text = self.object(key)
        if text is None:
            return []
        of = lambda r: ".".join(part for part in (r.get("module"), r["type"], r["name"]) if part)
        return sorted(of(r) for r in json.loads(text)["resources"] if r["mode"] == "managed" and r["instances"])


class Told:
    """What a command said, and with which status it ended."""

    def __init__(self, line, status, text, seconds):
        self.line, self.status, self.text, self.seconds = line, status, text, seconds
        # Long lines are broken where a terminal ends.
        self.unfolded = " ".join(text.split())
        # How it ended stands last, and a report that is cut loses its end.
        lines = text.rstrip().splitlines()
        self.end = "\n".join((["..."] if len(lines) > 25 else []) + lines[-25:])

    def says(self, *words):
        for word in words:
            assert word in self.unfolded, f"`{self.line}` does not say {word!r}, it ends with:\n{self.end}"
        return self

    def says_not(self, *words):
        for word in words:
            assert word not in self.unfolded, f"`{self.line}` says {word!r}:\n{self.text}"
        return self

    def exits(self, status):
        assert self.status == status, f"`{self.line}` ended with {self.status}, not {status}:\n{self.end}"
        return self


class House:
    """A folder with a configuration, from which commands are given."""

    def __init__(self, emulator, config, folder):
        self.folder, self.config = Path(folder), Path(config)
        profile = "[profile change]\naws_access_key_id = AKIACHANGE\naws_secret_access_key = made-up\n"
        self.profiles = self.folder / "aws.config"
        self.profiles.write_text(profile + f"region = {REGION}\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "TIDEGATE_"))}
        self.env = kept | {
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ENDPOINT_URL_STS": emulator.url,  # Terraform's backend takes a profile's role by this one alone
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self.profiles),
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "CHECKPOINT_DISABLE": "1",
            "TF_INPUT": "0",
            "TF_CLI_CONFIG_FILE": os.environ.get("TF_CLI_CONFIG_FILE", "/dev/null"),
        }
        for name in ("TF_PLUGIN_CACHE_DIR", "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def start(self, *arguments, **env):
        """Tidegate with these arguments, as a process; what it says goes to a file."""
        said = tempfile.TemporaryFile("w+", dir=self.folder)
        process = subprocess.Popen(
            [str(programs() / "tidegate"), "--config", str(self.config), *arguments],
            cwd=self.folder, env=self.env | env, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )
        process.said = said
        return process

    def shell(self, line, **env):
        """Gives one command and waits for its end."""
        start = time.monotonic()
        process = self.start("shell", "-c", line, **env)
        try:
            status = process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        process.said.seek(0)
        told = Told(line, status, process.said.read(), time.monotonic() - start)
        process.said.close()
        print(f"    {line}: {told.seconds:.0f} s", flush=True)
        return told

    def approved(self, environment, line, shows=()):
        """Gives a command that asks, and the yes to it from elsewhere: how it ended, and what it said."""
        asks = self.start("shell", "-c", line)
        asked = wait_for("the question", lambda: re.search(r"approve (\d+)", self.shell(f"status {environment}").unfolded))
        self.shell(f"show {asked[1]}").says(*shows)
        # It waits for the end as well, whichever that is.
        self.shell(f"approve {asked[1]}").says("has its yes")
        status = asks.wait(DEADLINE)
        asks.said.seek(0)
        told = " ".join(asks.said.read().split())
        asks.said.close()
        return status, told

    def of_terraform(self, command):
        """Process ids of this house's Terraform with this subcommand."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
                mine = words and Path(os.fsdecode(words[0])).name == "terraform" and command.encode() in words
                if mine and Path(os.readlink(entry / "cwd")).is_relative_to(self.folder):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


def end_in_good_order():
    """Whoever is asked to end ends what was started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def wait_for(what, look, seconds=120):
    """What `look` gives, once it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {seconds} s")


def lay_lean(emulator, folder, variables="", stack="", more=""):
    """A house with the lean root: five resources, a group among them."""
    folder = Path(folder)
    shutil.copytree(HERE / "lean", folder / "lean", ignore=shutil.ignore_patterns(".terraform*"))
    # A call that the emulator lacks is an error in seconds, not after 25 tries.
    (folder / "lean" / "test_override.tf").write_text('provider "aws" {\n  max_retries = 2\n}\n')
    config = folder / "tidegate.toml"
    config.write_text(f"""
[database]
url = "sqlite:.tidegate/tidegate.db"

[access]
admin = ["{ME}"]

[environments.lean]
owners = ["{ME}"]
levels = ["small", "full"]
up = "full"
down = "small"
{more}

[[environments.lean.stacks]]
name = "lean"
root = "lean"
off = "destroy"
lock_timeout = "0s"
ready_within = "20s"
planned_end = {{ groups = ["aws_autoscaling_group.this"] }}
backend = {{ bucket = "{BUCKET}", region = "{REGION}" }}
env = {{ AWS_PROFILE = "change" }}
{stack}

[environments.lean.stacks.variables]
environment = "lean"
{variables}

[environments.lean.settings.slaves]
stack = "lean"
variable = "slave_count"
min = 0
max = 200

[environments.lean.profiles.small]
lean = {{ slave_count = 1 }}

[environments.lean.profiles.full]
lean = {{ slave_count = 4 }}
""")
    return House(emulator, config, folder)
