"""A single-user server that is light enough to start by the dozen: it only says who it is.

A server whose name starts with "slow" is not ready before the file "go" is in its home folder.
One whose name starts with "broken" prints a reason and ends.
"""

import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

url = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
name = os.environ["JUPYTERHUB_SERVER_NAME"]
token = os.environ["JUPYTERHUB_API_TOKEN"]

if name.startswith("broken"):
    sys.exit("light server: told to break")
while name.startswith("slow") and not os.path.exists("go"):
    time.sleep(0.05)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        inside = urlparse(self.path).path.startswith(prefix)
        body = json.dumps(
            {
                "pid": os.getpid(),
                "user": os.environ["JUPYTERHUB_USER"],
                "server": name,
                "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
                "path": self.path,
                "forwarded": {
                    key.lower(): value
                    for key, value in self.headers.items()
                    if key.lower().startswith("x-forwarded")
                },
            }
        ).encode()
        self.send_response(200 if inside else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        """Answers the checksum of what was sent."""
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left:
            part = self.rfile.read(min(left, 1 << 16))
            digest.update(part)
            left -= len(part)
        body = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer((url.hostname or "127.0.0.1", url.port), Handler).serve_forever()
