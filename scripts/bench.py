"""Measures minihub and JupyterHub side by side on this machine and prints a table.

Both run with the same configuration: SQLite, one user, a token, their own default proxy. The numbers are of the
public port, as a client sees them. Run it on an idle machine: `make bench`.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".cache", "venv", "bin")
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
CONFIG = """
c = get_config()  # noqa
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.log_level = "WARN"
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "scopes": ["admin:users", "tokens"], "services": ["bench"]}}]
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def request(url, token, method="GET", body=None):
    call = urllib.request.Request(url, body, method=method, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(call, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def memory(folder):
    """Resident memory in MiB of all processes that belong to the hub."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if f"BENCH_FOLDER={folder}".encode() not in f.read().split(b"\0"):
                    continue
            with open(f"/proc/{pid}/status") as f:
                total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        except (OSError, AttributeError):
            continue
    return total / 1024


def wrk(url, token):
    out = subprocess.run(
        ["wrk", "-t2", "-c16", f"-d{SECONDS}s", "--latency", "-H", f"Authorization: token {token}", url],
        capture_output=True, text=True, check=True,
    ).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered with errors:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), re.search(r"99%\s+(\S+)", out).group(1)


def measure(command):
    folder = tempfile.mkdtemp(prefix="minihub-bench-")
    port, admin = free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    with open(os.path.join(folder, "jupyterhub_config.py"), "w") as f:
        f.write(CONFIG.format(token=admin))
    environment = dict(
        os.environ,
        PATH=os.pathsep.join([VENV, os.path.join(ROOT, ".cache", "npm", "node_modules", ".bin"), os.environ["PATH"]]),
        CONFIGPROXY_AUTH_TOKEN=secrets.token_hex(16), BENCH_FOLDER=folder,
    )
    log = open(os.path.join(folder, "log"), "wb")
    began = time.monotonic()
    hub = subprocess.Popen(
        [*command, "-f", "jupyterhub_config.py", "--ip=127.0.0.1", f"--port={port}",
         f"--JupyterHub.hub_port={free_port()}", f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{free_port()}"],
        cwd=folder, env=environment, stdout=log, stderr=log,
    )
    try:
        while True:
            try:
                request(url + "/hub/api/", admin)
                break
            except OSError:
                if hub.poll() is not None or time.monotonic() - began > 60:
                    with open(os.path.join(folder, "log")) as f:
                        raise SystemExit(f"{command} did not start:\n{f.read()[-2000:]}")
                time.sleep(0.001)
        first = time.monotonic() - began
        request(url + "/hub/api/users/ann", admin, "POST", b"")
        token = request(url + "/hub/api/users/ann/tokens", admin, "POST", b"{}")["token"]
        request(url + "/hub/api/user", token)
        idle = memory(folder)
        rate, slow = wrk(url + "/hub/api/user", token)
        return {"first answer": first, "idle memory": idle, "requests": rate, "p99": slow, "loaded memory": memory(folder)}
    finally:
        hub.send_signal(signal.SIGTERM)
        try:
            hub.wait(20)
        except subprocess.TimeoutExpired:
            hub.kill()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    mine = measure([os.path.join(ROOT, "bin", "minihub")])
    theirs = measure([os.path.join(VENV, "jupyterhub")])
    rows = [
        ("time to the first answer", "{:.0f} ms", 1000 * mine["first answer"], 1000 * theirs["first answer"]),
        ("idle memory (hub and proxy)", "{:.0f} MiB", mine["idle memory"], theirs["idle memory"]),
        ("memory after the load", "{:.0f} MiB", mine["loaded memory"], theirs["loaded memory"]),
        ("GET /hub/api/user with a token", "{:.0f}/s", mine["requests"], theirs["requests"]),
    ]
    print(f"\n| {'':32} | {'minihub':>10} | {'JupyterHub':>10} | {'factor':>7} |")
    print(f"|{'-' * 34}|{'-' * 11}:|{'-' * 11}:|{'-' * 8}:|")
    for name, form, a, b in rows:
        factor = max(a, b) / min(a, b) if min(a, b) else float("inf")
        print(f"| {name:32} | {form.format(a):>10} | {form.format(b):>10} | {factor:6.1f}x |")
    print(f"| {'its slowest of a hundred':32} | {mine['p99']:>10} | {theirs['p99']:>10} | {'':7} |\n")


if __name__ == "__main__":
    main()
