#!/usr/bin/env python3
"""What can be said of Terraform without running it: checkov's rules (checkov.yaml says which not), and the project's own.

    static.py FOLDER...    exit status 1 if anything is found, or if something in tests/aws/bad is not

Needs no network. The project's own rules: everything that can carry tags carries `tidegate:environment` and `tidegate:stack`,
by which it is found again when no state knows it, and never the run; no group makes Terraform judge capacity; no checksum has
a default; no port is open to everybody, whichever it is: to whom one is open, a variable says, and its default says to nobody.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hcl2

HERE = Path(__file__).parent
OURS = ("tidegate:environment", "tidegate:stack")

# Kinds that have no tags at AWS or carry those of what they belong to. Any other must have them: a new kind is thought about.
WITHOUT_TAGS = {
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_route",
    "aws_route_table_association",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_security_group_rule",
    "aws_volume_attachment",
    "terraform_data",
}

# What checkov must find in tests/aws/bad, by subject.
MUST_FIND = {
    "open ingress": {"CKV_AWS_24"},
    "unencrypted volume": {"CKV_AWS_3"},
    "unencrypted database": {"CKV_AWS_16"},
    "public database": {"CKV_AWS_17"},
    "metadata without a token": {"CKV_AWS_79"},
    "public bucket": {"CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56"},
}

# And the project's own rules.
OWN_MUST_FIND = [
    "aws_ebs_volume.plain has not the tags",
    "aws_security_group.open has not the tags",
    "aws_autoscaling_group.untagged has not the tags",
    "aws_autoscaling_group.untagged lets Terraform wait for capacity",
    "aws_security_group.open lets everybody in (0.0.0.0/0)",
    "aws_vpc_security_group_ingress_rule.grafana lets everybody in (0.0.0.0/0)",
    "aws_vpc_security_group_ingress_rule.rmi lets everybody in (::/0)",
    "aws_security_group_rule.https lets everybody in (0.0.0.0/0)",
    "aws_security_group_rule.halves lets everybody in (0.0.0.0/1)",
    "aws_vpc_security_group_ingress_rule.by_local lets everybody in (0.0.0.0/0)",
    "variable open_to has an address range of everybody (::/0)",
]

# Ranges that are everybody's, or half of everybody's, of which two are all.
EVERYBODY = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+){3}/[01](?![0-9])|[0-9a-fA-F]*:[0-9a-fA-F:]*/[01](?![0-9])")


def blocks(parsed, kind):
    """All blocks of a kind, as (labels..., body)."""
    for entry in parsed.get(kind, []):
        for name, body in entry.items():
            yield name.strip('"'), body


def only(body, name):
    """An attribute's value: this reader wraps each in a list."""
    value = body.get(name)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def tagged(kind, body, values):
    """Whether a resource carries our tags, by what is written or by the local values that it names."""
    text = json.dumps(body.get("tags", ""))
    if kind == "aws_autoscaling_group":
        text = json.dumps([entry for dynamic in body.get("dynamic", []) for name, entry in dynamic.items() if name.strip('"') == "tag"])
    # `each.value` is a map of tags where a resource stands once for each role.
    text += json.dumps(body.get("for_each", "")) if "each.value" in text else ""
    for _ in range(3):
        text += "".join(json.dumps(value) for name, value in values.items() if f"local.{name}" in text)
    return all(tag in text for tag in OURS)


def everybody(body, values):
    """The range of everybody in what is written, or in the local values that it names; None without one."""
    text = json.dumps(body)
    for _ in range(3):
        text += "".join(json.dumps(value) for name, value in values.items() if re.search(rf"\blocal\.{re.escape(name)}\b", text))
    found = EVERYBODY.search(text)
    return found[0] if found else None


def lets_in(kind, body, values):
    """A range of everybody that a resource lets in; None where it lets in none."""
    if kind == "aws_vpc_security_group_ingress_rule":
        return everybody(body, values)
    if kind == "aws_security_group_rule" and "egress" not in str(only(body, "type")):
        return everybody(body, values)
    if kind in ("aws_security_group", "aws_default_security_group", "aws_network_acl", "aws_default_network_acl"):
        dynamic = [inside for entry in body.get("dynamic", []) for name, inside in entry.items() if name.strip('"') == "ingress"]
        return everybody([body.get("ingress", []), dynamic], values)
    return None


def own_rules(folder):
    """What the project's own rules find in one module, as lines."""
    found = []
    files = [(path, hcl2.loads(path.read_text())) for path in sorted(folder.glob("*.tf"))]
    values = {name.strip('"'): value for _, parsed in files for entry in parsed.get("locals", []) for name, value in entry.items()}
    for path, parsed in files:
        for kind, named in blocks(parsed, "resource"):
            for name, body in named.items():
                where = f"{path}: {kind}.{name.strip(chr(34))}"
                if kind not in WITHOUT_TAGS and not tagged(kind, body, values):
                    found.append(f"{where} has not the tags {' and '.join(OURS)}")
                if (whom := lets_in(kind, body, values)) is not None:
                    found.append(f"{where} lets everybody in ({whom}): name in a variable who may come")
                if kind == "aws_autoscaling_group" and only(body, "wait_for_capacity_timeout") not in ("0", "${var.capacity_timeout}"):
                    found.append(f"{where} lets Terraform wait for capacity: set wait_for_capacity_timeout = \"0\"")
        for name, body in blocks(parsed, "variable"):
            if not body.get("description") or "type" not in body:
                found.append(f"{path}: variable {name} has no type or no description")
            if re.search(r"sha(256|512)", json.dumps(body.get("type", ""))) and only(body, "default") is not None:
                found.append(f"{path}: variable {name} holds a checksum and has a default")
            if (whom := everybody([body.get("default", "")], {})) is not None:
                found.append(f"{path}: variable {name} has an address range of everybody ({whom}) as its default")
        for name, body in blocks(parsed, "output"):
            if not body.get("description"):
                found.append(f"{path}: output {name} has no description")
    return found


def checkov(folders):
    """What checkov finds, as (rule, file, line)."""
    program = Path(sys.executable).parent / "checkov"
    with tempfile.TemporaryDirectory(prefix="tidegate-static.") as copies:
        # One folder: given several, checkov 3.3 looks at the first again and again.
        for index, folder in enumerate(folders):
            shutil.copytree(folder, f"{copies}/{index}", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        # Nothing of the caller's environment that could make it speak to somebody.
        ran = subprocess.run(
            [str(program), "--config-file", str(HERE.resolve() / "checkov.yaml"), "-o", "json", "-d", copies],
            capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": copies}, cwd=copies, check=False,
        )
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        sys.exit(f"checkov gave no report (exit status {ran.returncode}):\n{ran.stderr[-2000:]}")
    if report["summary"]["parsing_errors"]:
        sys.exit(f"checkov could not read: {report['results'].get('parsing_errors')}")
    found = []
    for check in report["results"]["failed_checks"]:
        index, _, inside = check["file_path"].lstrip("/").partition("/")
        path = folders[int(index)] / inside
        found.append((check["check_id"], path, f"{path}:{check['file_line_range'][0]}: {check['resource']}: {check['check_name']} ({check['check_id']})"))
    return found


def modules_in(folders):
    return sorted({path.parent for folder in folders for path in Path(folder).rglob("*.tf") if ".terraform" not in path.parts})


def main():
    folders = [Path(folder).resolve() for folder in sys.argv[1:]]
    if not folders or not all(folder.is_dir() for folder in folders):
        sys.exit("usage: static.py FOLDER...")
    bad = HERE.resolve() / "bad"
    judged = checkov([*folders, bad])

    # Rules that find nothing where there is everything to be found say nothing about the rest.
    rules = {rule for rule, path, _ in judged if bad in path.parents}
    lines = "\n".join(own_rules(bad))
    missed = [subject for subject, wanted in MUST_FIND.items() if not wanted & rules]
    missed += [what for what in OWN_MUST_FIND if what not in lines]
    if missed:
        sys.exit(f"NOT FOUND in tests/aws/bad: {', '.join(missed)}")

    modules = modules_in(folders)
    found = [line for folder in modules for line in own_rules(folder)]
    found += [line for _, path, line in judged if bad not in path.parents]
    if found:
        sys.exit("\n".join(found))
    print(f"{len(modules)} folders: nothing open, nothing unencrypted, nothing without tags; all {len(MUST_FIND) + len(OWN_MUST_FIND)} faults of tests/aws/bad found")


if __name__ == "__main__":
    main()
