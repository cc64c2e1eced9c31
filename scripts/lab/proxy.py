"""A TCP proxy whose line can be cut."""

import contextlib
import shutil
import socket
import subprocess
import threading

from . import processes

CUTS = {
    "stall": "connections stay, nothing arrives, and everything is acknowledged: a database that answers nothing",
    "drop": "packets vanish (needs root and iptables): a network cut without a word",
    "reset": "connections end, and no new ones can be made: a database that is gone",
}


class Proxy:
    """Leads to a port of this machine."""

    def __init__(self, port):
        self.target = port
        self.port = processes.free_port()
        self.flowing = threading.Event()
        self.flowing.set()
        self.sockets = set()
        self.lock = threading.Lock()
        self.listener = None
        self.rules = []
        self.listen()

    def listen(self):
        listener = self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.join, args=(near,), daemon=True).start()

    def join(self, near):
        try:
            self.flowing.wait()
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        with self.lock:
            self.sockets |= {near, far}
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.pump, args=(near, far), daemon=True).start()
        self.pump(far, near)

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                self.flowing.wait()
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            with self.lock:
                self.sockets.discard(one)

    def cut(self, how):
        """Cuts the line in one of the ways of `CUTS`."""
        if how == "stall":
            self.flowing.clear()
        elif how == "drop":
            for direction in ("--dport", "--sport"):
                rule = ["INPUT", "-i", "lo", "-p", "tcp", direction, str(self.port), "-j", "DROP"]
                subprocess.run(["iptables", "-w", "-I", *rule], check=True)
                self.rules.append(rule)
        else:
            # Closing alone would leave the thread that accepts with the socket.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            with self.lock:
                sockets = list(self.sockets)
            for one in sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def heal(self):
        """Undoes all cuts."""
        self.flowing.set()
        for rule in self.rules:
            subprocess.run(["iptables", "-w", "-D", *rule], check=False)
        self.rules.clear()
        if self.listener.fileno() < 0:
            self.listen()


def can_drop():
    """Whether packets can be dropped here."""
    if not shutil.which("iptables"):
        return False
    return subprocess.run(["iptables", "-w", "-L", "-n"], capture_output=True, check=False).returncode == 0
