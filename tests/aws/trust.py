"""Who may assume a role, which moto lets anybody. A role that is there is assumed by whom its trust names, and by whom their own policies let ask;
one that is not there by anybody, as moto has it: so a test comes into an account. Importing this makes it so.
"""

import json
from fnmatch import fnmatchcase

from moto.iam.models import iam_backends
from moto.sts import responses as sts_api
from moto.sts.exceptions import STSClientError

_assume_role = sts_api.TokenResponse.assume_role

# A condition by another word than these is an error (HTTP 500), never a yes that nobody thought about.
COMPARES = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
}


def listed(value):
    return value if isinstance(value, list) else [value]


def said_by(statements, known):
    """Whether the statements whose conditions hold allow it, and none of them denies it."""
    said = {
        of["Effect"]
        for of in statements
        if any(fnmatchcase("sts:AssumeRole", action) for action in listed(of["Action"]))
        and all(
            any(COMPARES[operator](known[key], one) for one in listed(wanted))
            for operator, keys in of.get("Condition", {}).items() for key, wanted in keys.items()
        )
    }
    return said == {"Allow"}


def trusts(role, caller, session):
    """Whether a role lets a caller in: it, its account or everybody has to be named."""
    account = caller.split(":")[4]
    names = {caller, account, f"arn:{role.partition}:iam::{account}:root", "*"}

    def named(statement):
        principal = statement["Principal"]
        return names & set(listed("*" if principal == "*" else principal.get("AWS", [])))

    statements = [of for of in listed(json.loads(role.assume_role_policy_document)["Statement"]) if named(of)]
    return said_by(statements, {"sts:RoleSessionName": session, "aws:PrincipalArn": caller})


def may_ask(caller, arn):
    """Whether a caller's own policies let it ask for a role. Whoever is no role that is there is an administrator."""
    role = role_of(caller)
    if role is None:
        return True
    written = [of for policy in role.policies.values() for of in listed(json.loads(policy)["Statement"])]
    about = [of for of in written if any(fnmatchcase(arn, resource) for resource in listed(of["Resource"]))]
    return said_by(about, {})


def role_of(arn):
    """The role of this ARN, or None."""
    _, partition, _, _, account, _ = arn.split(":", 5)
    return next((role for role in iam_backends[account][partition].roles.values() if role.arn == arn), None)


def assume_role(self):
    arn, session = self._get_param("RoleArn"), self._get_param("RoleSessionName")
    used = self.backend.get_assumed_role_from_access_key(self.get_access_key())
    identity = self.backend.get_caller_identity(self.get_access_key(), self.region)[1]
    caller, role = used.role_arn if used else identity, role_of(arn)
    if role is not None and not (trusts(role, caller, session) and may_ask(caller, arn)):
        raise STSClientError("AccessDenied", f"User: {identity} is not authorized to perform: sts:AssumeRole on resource: {arn}")
    return _assume_role(self)


sts_api.TokenResponse.assume_role = assume_role
