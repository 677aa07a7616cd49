"""Makes `described.json` of Slack's own descriptions: what the tests compare with, and no more. Run it by hand:

    tests/slack/reduce.py FOLDER

FOLDER holds `slack-web-api-2021.json` (slackapi/slack-api-specs, archived in 2021, MIT), and as `slack-payloads` and `slack-api` the
samples of slackapi/java-slack-sdk (`json-logs/samples`, MIT). Of a method its arguments and the errors that it may answer are kept;
of a sample the names of its fields, without what lies in blocks and in forms, which is the app's own.
"""

import json
import pathlib
import sys

PAYLOADS = ["SlashCommandPayload", "AppMentionPayload", "MessagePayload", "MessageChangedPayload", "MessageDeletedPayload",
            "BlockActionPayload", "AppHomeOpenedPayload", "ViewSubmissionPayload", "ViewClosedPayload"]
ANSWERS = ["auth.test", "users.info", "users.list", "conversations.info", "conversations.list", "conversations.members",
           "usergroups.list", "usergroups.users.list", "bots.info", "files.getUploadURLExternal", "views.publish",
           "chat.postEphemeral", "apps.connections.open"]
METHODS = ["apps.connections.open", "auth.test", "bots.info", "chat.getPermalink", "chat.postEphemeral", "chat.postMessage",
           "chat.update", "conversations.history", "conversations.info", "conversations.list", "conversations.open",
           "conversations.replies", "usergroups.list", "users.info", "views.open", "views.publish", "views.update"]
OWN = ("blocks", "attachments", "values")


def names(value):
    """The names of fields; everything else is null, and a list is what all in it have together."""
    if isinstance(value, dict):
        return {name: None if name in OWN else names(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        together = None
        for inner in value:
            together = merged(together, names(inner))
        return [together]
    return None


def merged(one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: merged(one.get(name), other.get(name)) for name in sorted({*one, *other})}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(one[0], other[0])]
    return other if one is None else one


def method(description):
    (operation,) = description.values()
    arguments = {one["name"]: bool(one.get("required")) for one in operation["parameters"] if one["name"] != "token"}
    errors = operation["responses"]["default"]["schema"].get("properties", {}).get("error", {}).get("enum", [])
    return {"arguments": dict(sorted(arguments.items())), "errors": sorted(errors)}


folder = pathlib.Path(sys.argv[1])
read = lambda name: json.loads((folder / name).read_text())
paths = read("slack-web-api-2021.json")["paths"]
described = {
    "methods": {name: method(paths[f"/{name}"]) for name in METHODS if f"/{name}" in paths},
    "payloads": {name: names(read(f"slack-payloads/{name}.json")) for name in PAYLOADS},
    "answers": {name: names(read(f"slack-api/{name}.json")) for name in ANSWERS},
}
lines = [f'  {json.dumps(part)}: {{\n' + ",\n".join(f"    {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}"
         for name, value in whole.items()) + "\n  }" for part, whole in described.items()]
(pathlib.Path(__file__).parent / "described.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
