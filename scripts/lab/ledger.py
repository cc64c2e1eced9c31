"""Writers that keep a ledger of what was acknowledged, and hold the server against it."""

import itertools
import random
import threading
import time

from .node import Unanswered

_numbers = itertools.count()


class Findings:
    """What a run found, from all its threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = 0
        self.unanswered = 0
        self.refused = 0
        self.lost = []
        self.halves = []
        self.wrong = []
        self.sent = self.last = 0.0

    def ack(self, sent):
        """An acknowledgement of what was sent then."""
        with self.lock:
            self.acknowledged += 1
            self.sent, self.last = max(self.sent, sent), time.monotonic()

    def count(self, name):
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)

    def note(self, kind, text):
        with self.lock:
            getattr(self, kind).append(text)


class Entry:
    """A client as its answers say it must be."""

    def __init__(self, client_id, name, number, secret):
        self.client_id = client_id
        self.name = name
        # What may be found; more than one while an answer is missing.
        self.numbers = {number}
        self.secrets = {secret}
        self.retired = None
        self.may_exist, self.may_be_gone = True, False

    @property
    def is_certain(self):
        return len(self.numbers) == 1 and None not in self.secrets and self.may_exist != self.may_be_gone


def members(number):
    """Two members that say the same, so that a half-written change shows."""
    return {"description": f"number {number}", "client_metadata": {"number": str(number)}}


class Writer(threading.Thread):
    """Creates, changes, rotates and deletes clients of its own until told to stop."""

    def __init__(self, api, findings, seed, verify_when_back=True):
        super().__init__(daemon=True)
        self.api = api
        self.findings = findings
        self.random = random.Random(seed)
        self.verify_when_back = verify_when_back
        self.entries = {}
        self.gone = {}
        self.attempts = set()
        self.touched = {}
        self.stopping = threading.Event()
        # Counts the times that it found the server back and everything in order.
        self.rounds = 0
        self.acks = 0
        self.last = 0.0

    def run(self):
        while not self.stopping.is_set():
            try:
                self.step()
            except Unanswered:
                self.findings.count("unanswered")
                if not self.verify_when_back:
                    time.sleep(0.05)
                    continue
                self.wait_until_back()
                self.verify(list(self.touched.values()))
                self.touched.clear()
                self.rounds += 1

    def stop(self):
        self.stopping.set()

    def wait_until_back(self):
        while not self.stopping.is_set():
            sent = time.monotonic()
            try:
                if self.api.call("GET", "/api/v2/clients?per_page=1&fields=client_id")[0] == 200:
                    self.findings.ack(sent)
                    return
            except Unanswered:
                pass
            time.sleep(0.01)

    def ask(self, expected, method, path, body, what):
        """The answer if it is an acknowledgement; `None` if it was refused for now, and then nobody knows."""
        sent = time.monotonic()
        status, answer = self.api.call(method, path, body)
        if status == expected:
            self.findings.ack(sent)
            self.acks += 1
            self.last = time.monotonic()
            return answer or {}
        if status >= 500 or status == 429:
            self.findings.count("refused")
            time.sleep(0.05)
            return None
        kind = "lost" if status == 404 else "wrong"
        self.findings.note(kind, f"{what}: {status} {answer}")
        return None

    def step(self):
        known = [entry for entry in self.entries.values() if entry.is_certain]
        choice = self.random.random()
        if not known or choice < 0.4 and len(known) < 200:
            self.create()
        elif choice < 0.7:
            self.update(self.random.choice(known))
        elif choice < 0.85:
            self.rotate(self.random.choice(known))
        else:
            self.delete(self.random.choice(known))

    def create(self):
        number = next(_numbers)
        name = f"ledger {number}"
        self.attempts.add(name)
        body = {"name": name, "app_type": "non_interactive", **members(number)}
        answer = self.ask(201, "POST", "/api/v2/clients", body, f"create {name}")
        if answer:
            entry = Entry(answer["client_id"], name, number, answer["client_secret"])
            self.entries[entry.client_id] = self.touched[entry.client_id] = entry

    def update(self, entry):
        number, old = next(_numbers), set(entry.numbers)
        entry.numbers.add(number)
        self.touched[entry.client_id] = entry
        path = f"/api/v2/clients/{entry.client_id}"
        if self.ask(200, "PATCH", path, members(number), f"update {entry.name}") is not None:
            entry.numbers -= old

    def rotate(self, entry):
        [old] = entry.secrets
        entry.secrets.add(None)
        self.touched[entry.client_id] = entry
        path = f"/api/v2/clients/{entry.client_id}/rotate-secret"
        answer = self.ask(200, "POST", path, None, f"rotate {entry.name}")
        if answer:
            entry.secrets, entry.retired = {answer["client_secret"]}, old

    def delete(self, entry):
        entry.may_be_gone = True
        self.touched[entry.client_id] = entry
        path = f"/api/v2/clients/{entry.client_id}"
        if self.ask(204, "DELETE", path, None, f"delete {entry.name}") is not None:
            entry.may_exist = False
            self.gone[entry.client_id] = self.entries.pop(entry.client_id)

    def verify(self, entries):
        """Holds the server against entries, and learns what became of the uncertain ones."""
        for entry in entries:
            while not self.stopping.is_set():
                try:
                    if self.verify_one(entry):
                        break
                except Unanswered:
                    self.wait_until_back()

    def verify_one(self, entry):
        status, client = self.api.call("GET", f"/api/v2/clients/{entry.client_id}")
        if status >= 500:
            time.sleep(0.05)
            return False
        if status == 404:
            if not entry.may_be_gone:
                self.findings.note("lost", f"{entry.name} is gone")
            entry.may_exist, entry.may_be_gone = False, True
            self.gone[entry.client_id] = self.entries.pop(entry.client_id, entry)
            return True
        if not entry.may_exist:
            self.findings.note("lost", f"the deletion of {entry.name}")
            return True
        entry.may_be_gone = False
        self.hold(entry, client)
        if not isinstance(client, dict):
            return True
        secret = client.get("client_secret")
        if self.api.token_status(entry.client_id, secret) == 401:
            self.findings.note("wrong", f"the secret of {entry.name} is refused")
        if entry.retired and entry.retired != secret:
            if self.api.token_status(entry.client_id, entry.retired) not in (401, 503):
                self.findings.note("wrong", f"a retired secret of {entry.name} is accepted")
        return True

    def hold(self, entry, client):
        if not isinstance(client, dict):
            self.findings.note("halves", f"{entry.name}: {client[:200]}")
            return
        number = client.get("client_metadata", {}).get("number")
        secret = client.get("client_secret") or ""
        if (
            client.get("description") != f"number {number}"
            or len(secret) != 64
            or client["name"] != entry.name
        ):
            self.findings.note("halves", f"{entry.name}: {client}")
            return
        if int(number) not in entry.numbers:
            self.findings.note("lost", f"{entry.name} has {number}, not one of {entry.numbers}")
        if None not in entry.secrets and secret not in entry.secrets:
            self.findings.note("lost", f"{entry.name} has another secret")
        if None in entry.secrets and secret not in entry.secrets:
            entry.retired = next(iter(entry.secrets - {None}), None)
        entry.numbers, entry.secrets = {int(number)}, {secret}


def audit(api, writers, findings):
    """Everything against everything: each client that is there is in a ledger, whole, and each in a ledger is there."""
    expected = {key: entry for writer in writers for key, entry in writer.entries.items()}
    gone = {key: entry for writer in writers for key, entry in writer.gone.items()}
    attempts = {name for writer in writers for name in writer.attempts}
    found, start = {}, None
    while True:
        path = "/api/v2/clients?take=100" + (f"&from={start}" if start else "")
        status, page = api.call("GET", path)
        if status != 200:
            raise RuntimeError(f"list: {status} {page}")
        found.update((client["client_id"], client) for client in page["clients"])
        start = page.get("next")
        if not start:
            break
    for key, entry in expected.items():
        if key in found:
            writers[0].hold(entry, found[key])
        elif not entry.may_be_gone:
            findings.note("lost", f"{entry.name} is gone")
    for key, client in found.items():
        if key in gone and not gone[key].may_exist:
            findings.note("lost", f"the deletion of {gone[key].name}")
        elif key not in expected and client["name"].startswith("ledger "):
            if client["name"] not in attempts or len(client.get("client_secret") or "") != 64:
                findings.note("halves", f"nobody made {client}")
    status, page = api.call("GET", "/api/v2/clients?per_page=1&include_totals=true")
    if status == 200 and page["total"] != len(found):
        findings.note("halves", f"{page['total']} clients by count, {len(found)} by list")
    return len(found)
