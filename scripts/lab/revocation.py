"""Takes rights away through one node, and sees how long another goes on to grant them."""

import threading
import time

from .node import Unanswered

# How long a node may go on with what another changed (docs/decisions/0005).
LEASE = 1.0


class Victim:
    """A client, and a way to use its rights that both nodes have in memory."""

    def __init__(self, api, number):
        body = {
            "name": f"victim {number}",
            "app_type": "non_interactive",
            "grant_types": ["client_credentials"],
        }
        client = must(api.call("POST", "/api/v2/clients", body), 201)
        self.client_id, self.secret = client["client_id"], client["client_secret"]
        self.is_rotated = number % 2 == 0
        self.token = None
        self.revoked_at = None
        self.is_doubtful = False
        self.accepted = []
        if not self.is_rotated:
            grant = {"client_id": self.client_id, "audience": api.audience, "scope": ["read:clients"]}
            must(api.call("POST", "/api/v2/client-grants", grant), 201)
            body = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.secret,
                "audience": api.audience,
            }
            self.token = must(api.call("POST", "/oauth/token", body), 200)["access_token"]

    def revoke(self, api):
        """True once it is acknowledged."""
        path = f"/api/v2/clients/{self.client_id}"
        try:
            if self.is_rotated:
                status, answer = api.call("POST", f"{path}/rotate-secret")
            else:
                status, answer = api.call("DELETE", path)
        except Unanswered:
            self.is_doubtful = True
            return False
        if status >= 500:
            self.is_doubtful = True
            return False
        # What was not answered may have been done.
        if status != 404 or self.is_rotated or not self.is_doubtful:
            must((status, answer), 200 if self.is_rotated else 204)
        self.revoked_at = time.monotonic()
        return True

    def use(self, api):
        """Whether its rights are granted: the retired secret, or the token of the deleted client."""
        if self.is_rotated:
            status = api.token_status(self.client_id, self.secret)
        else:
            status = api.call("GET", f"/api/v2/clients/{self.client_id}?fields=client_id", token=self.token)[
                0
            ]
        return status < 500 and status != 401


def must(answer, expected):
    status, body = answer
    if status != expected:
        raise RuntimeError(f"{status} instead of {expected}: {body}")
    return body


class Probe(threading.Thread):
    """Uses the rights of victims at a node without pause."""

    def __init__(self, api, victims):
        super().__init__(daemon=True)
        self.api = api
        self.victims = victims
        self.stopping = threading.Event()
        self.answers = 0
        self.unanswered = 0

    def run(self):
        while not self.stopping.is_set():
            for victim in self.victims:
                sent = time.monotonic()
                try:
                    is_accepted = victim.use(self.api)
                    self.answers += 1
                except Unanswered:
                    self.unanswered += 1
                    time.sleep(0.01)
                    continue
                if is_accepted and victim.revoked_at and sent > victim.revoked_at:
                    victim.accepted.append(sent - victim.revoked_at)
                time.sleep(0.02)


def result(victims):
    """How many were revoked, how many of them were accepted later than allowed, and the longest that one was."""
    revoked = [victim for victim in victims if victim.revoked_at]
    longest = max((time for victim in revoked for time in victim.accepted), default=0.0)
    wrong = sum(1 for victim in revoked if any(time > LEASE for time in victim.accepted))
    return len(revoked), wrong, longest
