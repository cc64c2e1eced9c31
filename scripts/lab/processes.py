"""A directory, ports and processes of a trial run. All of them are gone when it ends."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

_taken = set()


def free_port():
    """A port that nobody listens on, and that was not given out before."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in _taken:
            _taken.add(port)
            return port


def wait_for(what, check, seconds=60.0, every=0.1):
    """The first true answer of `check`."""
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)


def listens(port):
    """Whether somebody listens there."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def postgres_bin():
    """Where PostgreSQL's programs are."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise SystemExit("PostgreSQL's programs are missing (Debian: apt-get install postgresql)")
    return pathlib.Path(max(found, key=lambda path: float(path.split("/")[4]))).parent


class Lab:
    """Starts processes; ends them, and removes the directory, when it is left."""

    def __init__(self, keep=False):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tenantry-lab-"))
        self.dir.chmod(0o755)
        self.keep = keep
        self.running = []
        # Ended from outside, it leaves nothing behind either.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            self.kill(process, signal.SIGCONT)
            self.kill(process, signal.SIGKILL)
            process.wait()
        if self.keep:
            print(f"kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def postgres_owns(self, path):
        """PostgreSQL refuses to run as root; what it writes is given to its own user then."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(path, user.pw_uid, user.pw_gid)

    def start(self, name, command, env=None, as_postgres=False):
        """Starts a process in a group of its own; what it says is in `NAME.log`."""
        user = {}
        if as_postgres and os.geteuid() == 0:
            user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            env = {"HOME": "/nonexistent", **(env or {})}
        with open(self.dir / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.dir,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                **user,
            )
        self.running.append(process)
        return process

    def tail(self, name):
        """The last lines that a process said."""
        lines = (self.dir / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def kill(self, process, number):
        """Signals the process and all that it started."""
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass

    def end(self, process):
        """Ends it and all that it started, at once."""
        self.kill(process, signal.SIGKILL)
        process.wait()
        self.running.remove(process)
