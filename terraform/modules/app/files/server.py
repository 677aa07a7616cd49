#!/usr/bin/env python3
"""An example of a server under test: /health, /metrics, and for everything else a little work. Nothing to download."""
import hashlib
import http.server
import itertools
import os
import sys

requests = itertools.count()
answered = 0


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global answered
        if self.path == "/health":
            body = b"ok\n"
        elif self.path == "/metrics":
            with open("/proc/loadavg") as f:
                load = f.read().split()[0]
            body = f"app_requests_total {answered}\nnode_load1 {load}\nnode_cpus {os.cpu_count()}\n".encode()
        else:
            answered = next(requests) + 1
            body = hashlib.pbkdf2_hmac("sha256", self.path.encode(), b"tide", 1000).hex().encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Server).serve_forever()
