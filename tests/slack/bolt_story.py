"""A small approval bot made with Slack's own framework, which the Slack for tests must carry through a whole story.

    bolt_story.py socket    Socket Mode
    bolt_story.py http      signed HTTP; prints `listening PORT`

Addresses and tokens come from SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET. The end of the standard
input ends it. What it does not expect it says on standard error and leaves with status 1.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier

SECRET = os.environ["SLACK_SIGNING_SECRET"]
client = WebClient(
    token=os.environ["SLACK_BOT_TOKEN"],
    base_url=os.environ["SLACK_API_URL"] + "/",
    retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)],
)
app = App(client=client, signing_secret=SECRET)


def card(text, buttons):
    elements = [
        {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": name.capitalize()}, "value": "812"}
        for name in buttons
    ]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    return blocks + ([{"type": "actions", "elements": elements}] if elements else [])


@app.command("/tide")
def command(ack, body, client, respond):
    ack(f"On it: {body['text']}")
    metadata = {"event_type": "run", "event_payload": {"run": 812}}
    posted = client.chat_postMessage(
        channel=body["channel_id"], text="run 812", blocks=card("*812* planning", []), metadata=metadata
    )
    client.chat_update(
        channel=posted["channel"], ts=posted["ts"], text="run 812 waits", blocks=card("*812* waits for a yes", ["approve"])
    )
    respond("run 812 waits for a yes", response_type="ephemeral")


@app.action("approve")
def approve(ack, body, client):
    ack()
    view = {
        "type": "modal",
        "callback_id": "why",
        "private_metadata": f"{body['channel']['id']} {body['message']['ts']}",
        "title": {"type": "plain_text", "text": "Approve run 812"},
        "submit": {"type": "plain_text", "text": "Approve"},
        "blocks": [
            {
                "type": "input",
                "block_id": "because",
                "label": {"type": "plain_text", "text": "Because"},
                "element": {"type": "plain_text_input", "action_id": "reason"},
            }
        ],
    }
    opened = client.views_open(trigger_id=body["trigger_id"], view=view)
    assert opened["view"]["callback_id"] == "why", opened
    try:
        client.views_open(trigger_id=body["trigger_id"], view=view)
        raise AssertionError("a trigger opened two forms")
    except SlackApiError as error:
        assert error.response["error"] == "exchanged_trigger_id", error


@app.view("why")
def why(ack, body, client, view):
    reason = view["state"]["values"]["because"]["reason"]["value"]
    if len(reason) < 5:
        ack(response_action="errors", errors={"because": "Say more."})
        return
    ack()
    channel, ts = view["private_metadata"].split()
    user = body["user"]["id"]
    client.chat_update(channel=channel, ts=ts, text="approved", blocks=card(f"*812* approved by <@{user}>: {reason}", []))
    client.files_upload_v2(channel=channel, thread_ts=ts, filename="plan.txt", title="plan.txt", content="+ 3 things\n")
    client.reactions_add(channel=channel, timestamp=ts, name="white_check_mark")
    client.chat_postEphemeral(channel=channel, user=user, text="Your yes is written down.")


@app.event("app_mention")
def mention(event, say, client):
    assert event["text"].startswith("<@"), event
    say(text=f"I heard <@{event['user']}>", thread_ts=event["ts"])


@app.event("message")
def message(event, say, client, context):
    if event.get("channel_type") != "im" or event.get("bot_id") or event.get("subtype"):
        return
    say("; ".join(look_around(client, context, event["user"])))


@app.event("app_home_opened")
def home(event, client):
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "What is up"}}]
    client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


def look_around(client, context, user):
    """Every method that reads, through the client's own paging."""
    assert context.bot_user_id and context.bot_id and context.team_id, context
    channels = [c for page in client.conversations_list(limit=1) for c in page["channels"]]
    place = next(c for c in channels if c["name"] == "load-test")
    yield f"{len(channels)} channels"
    yield f"{client.conversations_info(channel=place['id'])['channel']['num_members']} in it"
    yield f"{len(client.conversations_members(channel=place['id'])['members'])} members"
    person = client.users_info(user=user)["user"]
    yield f"{person['name']} in {person['tz']}"
    yield f"{len(client.users_list()['members'])} people"
    groups = client.usergroups_list()["usergroups"]
    yield f"{groups[0]['handle']} has {len(client.usergroups_users_list(usergroup=groups[0]['id'])['users'])}"
    yield client.bots_info(bot=context.bot_id)["bot"]["name"]
    found = client.conversations_history(channel=place["id"], include_all_metadata=True)["messages"]
    runs = [m for m in found if m.get("metadata")]
    yield f"run {runs[0]['metadata']['event_payload']['run']} found again"
    thread = client.conversations_replies(channel=place["id"], ts=runs[0]["ts"])["messages"]
    yield f"{len(thread) - 1} answers"
    assert "/archives/" in client.chat_getPermalink(channel=place["id"], message_ts=runs[0]["ts"])["permalink"]
    direct = client.conversations_open(users=[user])["channel"]["id"]
    gone = client.chat_postMessage(channel=direct, text="wrong")
    client.chat_delete(channel=direct, ts=gone["ts"])
    for wrong, word in [
        (lambda: client.chat_postMessage(channel="C0NOWHERE", text="x"), "channel_not_found"),
        (lambda: client.chat_update(channel=place["id"], ts="1.000000", text="x"), "message_not_found"),
        (lambda: client.chat_postMessage(channel=direct, text="x", blocks=card("x" * 3001, [])), "invalid_blocks"),
        (lambda: client.api_call("chat.nothing"), "unknown_method"),
        (lambda: WebClient(token="xoxb-other", base_url=client.base_url).auth_test(), "invalid_auth"),
    ]:
        try:
            wrong()
            raise AssertionError(f"not refused: {word}")
        except SlackApiError as error:
            assert error.response["error"] == word, (word, error.response.data)
            yield word


@app.error
def failed(error, body):
    print("FAILED", repr(error), body, file=sys.stderr, flush=True)
    os._exit(1)


class Door(BaseHTTPRequestHandler):
    """Takes what is signed by SLACK_SIGNING_SECRET as slack_sdk checks it, and gives it to Bolt, which checks it again."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if not SignatureVerifier(SECRET).is_valid_request(body, dict(self.headers)):
            print("FAILED: the signature does not hold", file=sys.stderr, flush=True)
            os._exit(1)
        answer = app.dispatch(BoltRequest(body=body, headers=dict(self.headers)))
        content = (answer.body or "").encode()
        self.send_response(answer.status)
        for name, values in answer.headers.items():
            self.send_header(name, values[0])
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


if sys.argv[1] == "socket":
    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).connect()
else:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", server.server_port, flush=True)
sys.stdin.read()
os._exit(0)
