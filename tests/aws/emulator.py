#!/usr/bin/env python3
"""The AWS that tests talk to: moto's server, with fixes for what it has wrong, faults on demand, and a list of what it lacks.

    emulator.py PORT         listens on 127.0.0.1:PORT (0 for any free one) and prints `listening on http://127.0.0.1:PORT`
    emulator.py --limits     prints what it cannot do, one line each: never a reason to leave something untested in silence

Terraform and the SDKs find it by AWS_ENDPOINT_URL=http://127.0.0.1:PORT, an address and not `localhost` (S3 would ask for
BUCKET.localhost), with keys that are made up and a region. It is ready when GET /moto-api/data.json answers; POST
/moto-api/reset empties it.

    GET  /_fault    what is set, as JSON
    POST /_fault    sets it; the keys may come together:
        {"action": "RunInstances", "code": "InsufficientInstanceCapacity", "message": "...", "status": 400, "times": 2, "delay": 0.5,
         "service": "ec2"}                    the next `times` calls of `action` fail (with `delay` alone they are late)
        {"capacity": {"c6i.xlarge": 4}}       so many instances of a type are to be had, over all groups; the next type of a mixed
                                              group's list is taken after it. What is missing comes once this says more
        {"pending": {"shop-jmeter-slaves": 2}}   so many instances of a group stay Pending
        {"clear": true}                       nothing is wrong any more: what is pending or missing comes into service
    GET  /_calls    how often which action was asked for, as JSON; POST /_calls forgets
    GET  /_limits   what --limits prints
"""

import datetime
import io
import json
import os
import sys
import threading
import time
import uuid
from collections import Counter
from urllib.parse import parse_qs

# AmazonSSMManagedInstanceCore and its like exist. moto reads it when it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from moto.autoscaling import models as autoscaling, responses as autoscaling_api
from moto.autoscaling.exceptions import ValidationError
from moto.core.responses import ActionResult
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

sys.dont_write_bytecode = True  # the source tree stays as it is
import fixes  # noqa: E402, F401, mends moto
import trust  # noqa: E402, F401, and this too

LIMITS = """\
capacity: which zone has none; all instances of a group start in its first subnet
autoscaling: a Launching instance is in service at once, its lifecycle hook is never asked (set `pending` instead)
autoscaling: scheduled actions are stored and never carried out
autoscaling: StartInstanceRefresh is missing
cloudtrail: LookupEvents is missing: who changed something is tested by a scripted server (`doers`, `account`)
ec2: instances run nothing: no user data, no JMeter, no health of their own
ec2: security groups, routes and peerings are stored and never stand in the way
elbv2: targets are never checked
rds, elasticache: another class or type is taken at once, without restart
iam: policies are stored and never enforced, but for who may assume a role that is there (one that is not may be assumed by anybody)
sts: credentials never expire (set a fault with ExpiredToken)
ssm: SendCommand succeeds at once and runs nothing; DescribeInstanceInformation is missing
tagging: instances, gateways and peerings stay listed when they are gone; launch templates, roles and endpoints are never listed
servicequotas: no quotas of EC2: what a plan needs of them is tested by a scripted server (`quotas`, `account`); pricing: nothing
any call that is missing is HTTP 500, which the AWS provider tries 25 times: set `max_retries = 2` in an override
""".splitlines()


class Faults:
    """What is to go wrong, as it was set from outside. Every field is read and written under `lock`."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        self.calls = []
        self.capacity = {}
        self.pending = {}

    def set(self, wanted):
        with self.lock:
            if wanted.get("clear"):
                self.clear()
            if "capacity" in wanted:
                self.capacity = dict(wanted["capacity"])
            if "pending" in wanted:
                self.pending = dict(wanted["pending"])
            if "action" in wanted:
                self.calls.append({"times": 1, "delay": 0, **wanted})
        if {"clear", "capacity", "pending"} & set(wanted):
            bring_into_service()
        return self.shown()

    def shown(self):
        with self.lock:
            return {"calls": self.calls, "capacity": self.capacity, "pending": self.pending}

    def take(self, service, action):
        """The fault that this call meets, if any; it then has one less to give."""
        with self.lock:
            for fault in self.calls:
                if fault["action"] == action and fault["times"] > 0 and fault.get("service", service) == service:
                    fault["times"] -= 1
                    return fault
        return None


faults = Faults()
asked = Counter()


# ---- Capacity of Auto Scaling ----------------------------------------------------------------------------------------

activities = []  # the newest first, as AWS gives them


def note_activity(group, have, wanted, message=""):
    now = datetime.datetime.now(datetime.timezone.utc)
    failed = bool(message)
    activities.insert(0, {
        "ActivityId": str(uuid.uuid4()),
        "AutoScalingGroupName": group.name,
        "Description": "Launching a new EC2 instance" + (f".  Status Reason: {message}" if failed else ""),
        "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} a user request update of AutoScalingGroup constraints changing the desired capacity "
        f"from {have} to {wanted}.",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": "Failed" if failed else "Successful",
        "StatusMessage": message,
        "Progress": 100,
        "Details": "{}",
    })


def types_of(group):
    """The instance types that a group may take, the best first."""
    policy = getattr(group, "mixed_instances_policy", None) or {}
    overrides = policy.get("LaunchTemplate", {}).get("Overrides") or []
    return [override["InstanceType"] for override in overrides if override.get("InstanceType")] or [group.instance_type]


def left(group, kind):
    """How many instances of a type are still to be had; None for any number."""
    with faults.lock:
        limit = faults.capacity.get(kind)
    if limit is None:
        return None
    have = sum(
        1
        for other in group.autoscaling_backend.autoscaling_groups.values()
        for state in other.instance_states
        if state.instance.instance_type == kind
    )
    return max(0, limit - have)


_launch = autoscaling.FakeAutoScalingGroup.replace_autoscaling_group_instances
_instance_type = autoscaling.FakeAutoScalingGroup.instance_type


def launch(self, count_needed, propagated_tags):
    have, missing = len(self.instance_states), count_needed
    for kind in types_of(self):
        if kind not in INSTANCE_TYPES:
            raise ValidationError(f"You must use a valid fully-formed launch template. Invalid value '{kind}' for InstanceType.")
        room = left(self, kind)
        count = missing if room is None else min(missing, room)
        if count:
            self.launches_type = kind
            try:
                _launch(self, count, propagated_tags)
            finally:
                self.launches_type = None
            for _ in range(count):
                note_activity(self, have, have + count_needed)
            missing -= count
        if not missing:
            break
        note_activity(
            self, have, have + count_needed,
            f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({self.availability_zones[0]}). "
            "Our system will be working on provisioning additional capacity. Launching EC2 instance failed.",
        )
    with faults.lock:
        pending = faults.pending.get(self.name, 0)
    for state in self.instance_states[len(self.instance_states) - pending:] if pending else []:
        state.lifecycle_state = "Pending"


def bring_into_service():
    """What nothing keeps back any more, and what there is capacity for by now, comes by itself, as it does at AWS."""
    with faults.lock:
        kept_back = set(faults.pending)
    for regions in autoscaling.autoscaling_backends.values():
        for backend in regions.values():
            for group in list(backend.autoscaling_groups.values()):
                for state in group.instance_states:
                    if state.lifecycle_state == "Pending" and group.name not in kept_back:
                        state.lifecycle_state = "InService"
                if group.desired_capacity is not None and len(group.instance_states) < group.desired_capacity:
                    group.set_desired_capacity(group.desired_capacity)


def describe_scaling_activities(self):
    name = self._get_param("AutoScalingGroupName")
    return ActionResult({"Activities": [a for a in activities if name in (None, a["AutoScalingGroupName"])]})


# Those that are still coming count, or each change of the group would start them once more.
autoscaling.FakeAutoScalingGroup.active_instances = lambda self: [s for s in self.instance_states if s.lifecycle_state in ("InService", "Pending")]
autoscaling.FakeAutoScalingGroup.launches_type = None
autoscaling.FakeAutoScalingGroup.instance_type = property(lambda self: self.launches_type or _instance_type.fget(self))
autoscaling.FakeAutoScalingGroup.replace_autoscaling_group_instances = launch
autoscaling_api.AutoScalingResponse.describe_scaling_activities = describe_scaling_activities


# ---- The wire --------------------------------------------------------------------------------------------------------


def call_of(environ, body):
    """Service and action of a request: ("autoscaling", "DescribeAutoScalingGroups"), ("s3", "PUT")."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else ""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return service, target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return service, (parse_qs(body.decode("latin1")).get("Action") or [""])[0]
    return service, environ["REQUEST_METHOD"]


def error_of(environ, service, fault):
    """The fault in the words of the service's protocol."""
    code, message = fault["code"], fault.get("message", "")
    request = str(uuid.uuid4())
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request}</RequestID></Response>"
    elif service == "s3":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request}</RequestId></Error>"
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request}</RequestId></ErrorResponse>"
        )
    return "text/xml", text


class Wire:
    """Stands before moto: answers what is ours, and spoils what was asked to be spoilt."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path, posted = environ["PATH_INFO"], environ["REQUEST_METHOD"] == "POST"
        if path == "/_fault":
            try:
                return answer(start, 200, faults.set(json.loads(body)) if posted else faults.shown())
            except (ValueError, AttributeError, TypeError) as why:
                return answer(start, 400, {"error": f"not understood: {why}"})
        if path == "/_calls":
            if posted:
                asked.clear()
            return answer(start, 200, dict(asked))
        if path == "/_limits":
            return answer(start, 200, LIMITS)
        if path == "/moto-api/reset" and posted:
            activities.clear()

        environ["wsgi.input"] = io.BytesIO(body)
        service, action = call_of(environ, body)
        if service:
            asked[f"{service}:{action}"] += 1
        fault = faults.take(service, action)
        if fault:
            time.sleep(fault["delay"])
            if fault.get("code"):
                kind, text = error_of(environ, service, fault)
                start(f"{fault.get('status', 400)} Fault", [("Content-Type", kind), ("Content-Length", str(len(text.encode())))])
                return [text.encode()]
        return self.inner(environ, start)


def answer(start, status, value):
    text = json.dumps(value).encode()
    start(f"{status} Answer", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]


def main():
    if sys.argv[1:] == ["--limits"]:
        print("\n".join(LIMITS))
        return
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: emulator.py PORT | --limits")
    wire = Wire(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", int(sys.argv[1]), wire, threaded=True, request_handler=MotoRequestHandler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
