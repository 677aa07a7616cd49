"""Checks recorded calls (`Workspace::calls_json`, one JSON object a line, on standard input) with the models of slack_sdk.

Blocks and views that the models refuse are told with the number of the call; the status is then 1. Calls that Slack refused
are left out: what was wrong with them has been said already.
"""

import json
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View



def objects(value):
    """How many objects with a type are in it."""
    if isinstance(value, list):
        return sum(map(objects, value))
    if isinstance(value, dict):
        return ("type" in value) + sum(map(objects, value.values()))
    return 0


blocks_seen, views_seen, faults = 0, 0, 0
for number, line in enumerate(sys.stdin, 1):
    call = json.loads(line)
    arguments = call["arguments"]
    if not (call["answer"] or {}).get("ok"):
        continue
    try:
        blocks = arguments.get("blocks") or []
        for block in blocks:
            parsed = Block.parse(block)
            if parsed is None:
                raise SlackObjectFormationError(f"a block of an unknown type: {block['type']}")
            # The models drop elements that they do not know.
            if objects(parsed.to_dict()) != objects(block):
                raise SlackObjectFormationError(f"an element of an unknown type in {block}")
        if len(blocks) > 50:
            raise SlackObjectFormationError(f"{len(blocks)} blocks in a message, at most 50")
        blocks_seen += len(blocks)
        if "view" in arguments:
            View(**arguments["view"]).to_dict()
            views_seen += 1
    except SlackObjectFormationError as error:
        faults += 1
        print(f"call {number}, {call['method']}: {error}")
print(f"{blocks_seen} blocks and {views_seen} views read, {faults} faults")
sys.exit(1 if faults else 0)
