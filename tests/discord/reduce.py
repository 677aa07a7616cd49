#!/usr/bin/env python3
"""Makes tests/discord/openapi.json of Discord's published OpenAPI description: the bodies of the calls that the Discord for tests
knows, and every schema that these name. Usage: reduce.py OPENAPI.json >openapi.json

The description is Discord's (https://github.com/discord/discord-api-spec, MIT licence)."""

import json
import sys

CALLS = [
    ("post", "/channels/{channel_id}/messages"),
    ("patch", "/channels/{channel_id}/messages/{message_id}"),
    ("post", "/channels/{channel_id}/messages/{message_id}/threads"),
    ("post", "/users/@me/channels"),
    ("post", "/interactions/{interaction_id}/{interaction_token}/callback"),
    ("post", "/webhooks/{webhook_id}/{webhook_token}"),
    ("patch", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"),
    ("put", "/applications/{application_id}/guilds/{guild_id}/commands"),
]


def named(value):
    """The names of all schemas that stand in a value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner.rsplit("/", 1)[1]
            else:
                yield from named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        whole = json.load(file)
    bodies = {
        f"{method} {path}": whole["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        for method, path in CALLS
    }
    schemas, todo = {}, list(named(bodies))
    while todo:
        name = todo.pop()
        if name not in schemas:
            schemas[name] = whole["components"]["schemas"][name]
            todo.extend(named(schemas[name]))
    made = {
        "comment": "From Discord's OpenAPI description (discord/discord-api-spec, MIT licence), by tests/discord/reduce.py",
        "bodies": bodies,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    json.dump(made, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
