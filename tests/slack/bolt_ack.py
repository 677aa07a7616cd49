"""What one would write with Slack's own framework: a command that is acknowledged at once. For `tests/bench slack`.

Addresses and tokens come from SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN. The end of the standard input ends it.
"""

import os
import sys

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

app = App(client=WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"] + "/"))


@app.command("/tide")
def command(ack):
    ack()


SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).connect()
sys.stdin.read()
os._exit(0)
