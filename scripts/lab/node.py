"""A Tenantry server of a trial run, and a caller of its API."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess

from . import processes


class Unanswered(Exception):
    """The request may have been carried out or not."""


class Api:
    """A kept-alive connection to one address. Not for several threads at once."""

    def __init__(self, port, ca, token=None, timeout=30.0):
        self.port = port
        self.token = token
        self.timeout = timeout
        self.context = ssl.create_default_context(cafile=str(ca))
        self.connection = None

    def call(self, method, path, body=None, token=None):
        """Status and decoded body."""
        headers = {}
        bearer = token or self.token
        if bearer and path.startswith("/api/"):
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    "localhost", self.port, timeout=self.timeout, context=self.context
                )
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        if answer.will_close:
            self.close()
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def token_status(self, client_id, secret):
        """The status of a token request: 401 if the secret is not accepted, 403 if it is but nothing was granted."""
        body = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "audience": self.audience,
        }
        return self.call("POST", "/oauth/token", body)[0]


class Node:
    """`tenantry serve` on ports that stay the same when it is started again."""

    def __init__(self, lab, binary, name, options=(), env=None, domain=None):
        self.lab = lab
        self.binary = binary
        self.name = name
        self.data = lab.dir / name
        self.port, self.ops = processes.free_port(), processes.free_port()
        self.env = dict(env or {})
        self.process = None
        self.command = [binary, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}"]
        self.command += ["--ops-listen", f"127.0.0.1:{self.ops}", *options]
        if domain:
            self.command += ["--domain", domain]

    @property
    def ca(self):
        return self.data / "ca.pem"

    def start(self, wait=True):
        self.process = self.lab.start(self.name, self.command, self.env)
        if wait:
            self.wait()

    def wait(self, seconds=60.0):
        """Until it is ready, or fails."""

        def ready():
            if self.process.poll() is not None:
                self.lab.running.remove(self.process)
                raise RuntimeError(f"{self.name} ended: {self.log()[-600:]}")
            return self.is_ready()

        processes.wait_for(f"{self.name} to be ready", ready, seconds, 0.02)

    def is_ready(self, path="/readyz"):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.ops, timeout=5)
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def log(self):
        return (self.lab.dir / f"{self.name}.log").read_text(errors="replace")

    def kill(self):
        """As a crash."""
        self.lab.end(self.process)

    def stop(self):
        """As an operator; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.lab.running.remove(self.process)
        return code

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def run(self, *arguments):
        """Another command on the same data; its output."""
        command = [self.binary, *arguments, "--data-dir", self.data]
        return subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def settings(self):
        """What `tenantry env` says."""
        said = self.run("env")
        if said.returncode != 0:
            raise RuntimeError(f"tenantry env: {said.stderr}")
        return dict(re.findall(r"export (\w+)='([^']*)'", said.stdout))

    def api(self, port=None, ca=None, timeout=30.0):
        """A caller who may do everything, by default on this node."""
        settings = self.settings()
        api = Api(port or self.port, ca or self.ca, timeout=timeout)
        api.audience = settings["AUTH0_AUDIENCE"]
        body = {
            "grant_type": "client_credentials",
            "client_id": settings["AUTH0_CLIENT_ID"],
            "client_secret": settings["AUTH0_CLIENT_SECRET"],
            "audience": api.audience,
        }
        status, answer = api.call("POST", "/oauth/token", body)
        if status != 200:
            raise RuntimeError(f"no token: {status} {answer}")
        api.token = answer["access_token"]
        return api

    def at(self, api, port=None, timeout=None):
        """The same caller on a connection of its own, here or at another port."""
        other = Api(port or self.port, self.ca, api.token, timeout or api.timeout)
        other.context = api.context if port else other.context
        other.audience = api.audience
        return other
