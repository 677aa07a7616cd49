#!/usr/bin/env python3
"""A node's load, memory and network for Prometheus, on port 9100. Python's standard library only: nothing to download."""
import http.server
import os
import socket


def lines():
    with open("/proc/loadavg") as f:
        yield "node_load1 " + f.read().split()[0]
    yield f"node_cpus {os.cpu_count()}"
    with open("/proc/meminfo") as f:
        for line in f:
            name, _, rest = line.partition(":")
            if name in ("MemTotal", "MemAvailable"):
                yield f"node_memory_{name}_bytes {int(rest.split()[0]) * 1024}"
    with open("/proc/net/dev") as f:
        for line in f.readlines()[2:]:
            device, _, rest = line.partition(":")
            if device.strip() != "lo":
                counts = rest.split()
                yield f'node_network_receive_bytes_total{{device="{device.strip()}"}} {counts[0]}'
                yield f'node_network_transmit_bytes_total{{device="{device.strip()}"}} {counts[8]}'
    with socket.socket() as probe:
        probe.settimeout(0.5)
        yield f"jmeter_listens {int(probe.connect_ex(('127.0.0.1', 1099)) == 0)}"


class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("\n".join(lines()) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 9100), Metrics).serve_forever()
