"""A line to the database that can be cut: HAProxy in between."""

import shutil
import signal
import subprocess

from . import processes

CUTS = {
    "stall": "connections stay, nothing arrives, and everything is acknowledged: a database that answers nothing",
    "drop": "packets vanish (needs root and iptables): a network cut without a word",
    "reset": "connections end, and no new ones can be made: a database that is gone",
}

CONFIG = """
defaults
    mode tcp
    timeout connect 1h
    timeout client 1h
    timeout server 1h
listen line
    bind 127.0.0.1:{port}
    server database 127.0.0.1:{target}
"""


class Proxy:
    """Leads to a port of this machine."""

    def __init__(self, lab, target):
        self.lab = lab
        self.port = processes.free_port()
        self.config = lab.dir / "line.cfg"
        self.config.write_text(CONFIG.format(port=self.port, target=target))
        self.rules = []
        self.cut_how = None
        self.start()

    def start(self):
        self.process = self.lab.start("line", ["haproxy", "-db", "-f", self.config])
        processes.wait_for("the line", lambda: processes.listens(self.port))

    def cut(self, how):
        """Cuts the line in one of the ways of `CUTS`."""
        self.cut_how = how
        if how == "stall":
            self.process.send_signal(signal.SIGSTOP)
        elif how == "drop":
            for direction in ("--dport", "--sport"):
                rule = ["INPUT", "-i", "lo", "-p", "tcp", direction, str(self.port), "-j", "DROP"]
                subprocess.run(["iptables", "-w", "-I", *rule], check=True)
                self.rules.append(rule)
        else:
            self.lab.end(self.process)

    def heal(self):
        """Undoes the cut."""
        how, self.cut_how = self.cut_how, None
        if how == "stall":
            self.process.send_signal(signal.SIGCONT)
        elif how == "reset":
            self.start()
        while self.rules:
            subprocess.run(["iptables", "-w", "-D", *self.rules.pop()], check=False)


def can_drop():
    """Whether packets can be dropped here."""
    if not shutil.which("iptables"):
        return False
    return subprocess.run(["iptables", "-w", "-L", "-n"], capture_output=True, check=False).returncode == 0
