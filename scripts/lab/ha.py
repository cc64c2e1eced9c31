"""The high-availability set-up of deploy/ha on this machine: its own files, with other addresses, paths and passwords."""

import http.client
import json
import pathlib
import secrets
import shutil
import signal
import subprocess
import time

from . import processes
from .node import Node

HERE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "ha"
DOMAIN = "tenant.example.com"


def need(*programs):
    """Ends if one is missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise SystemExit(
            f"missing: {', '.join(missing)} (Debian: apt-get install patroni etcd-server haproxy postgresql openssl)"
        )


def replaced(name, changes):
    """A file of deploy/ha with other words in it; each has to be there, and no address of the example may be left."""
    text = (HERE / name).read_text()
    for old, new in changes.items():
        if old not in text:
            raise SystemExit(f"deploy/ha/{name} does not say {old!r} any more")
        text = text.replace(old, str(new))
    lines = [line for line in text.splitlines() if "10.0.0." in line and not line.startswith("#")]
    if lines:
        raise SystemExit(f"deploy/ha/{name}: an address was not replaced: {lines[0]}")
    return text


class Member:
    """A machine of the database: Patroni and the PostgreSQL below it."""

    def __init__(self, name):
        self.name = name
        self.sql, self.rest = processes.free_port(), processes.free_port()
        self.process = None


class HighAvailability:
    """etcd, three databases, HAProxy and two servers. One etcd instead of three unless asked: it is not what is tried."""

    def __init__(self, lab, binary, etcds=1, members=3, passthrough=False):
        need("etcd", "patroni", "haproxy", "openssl")
        self.lab = lab
        self.binary = binary
        self.passthrough = passthrough
        self.etcds = [(processes.free_port(), processes.free_port()) for _ in range(etcds)]
        self.members = [Member(f"db{i + 1}") for i in range(members)]
        self.public, self.database, self.haproxy = processes.free_port(), processes.free_port(), None
        self.password = {
            what: secrets.token_hex(12) for what in ("api", "superuser", "replication", "rewind", "tenantry")
        }
        self.nodes = []

    def start(self):
        self.start_etcd()
        self.make_certificate("postgres", "postgres.internal")
        self.make_certificate("tenant", DOMAIN, f"mtls.{DOMAIN}", "localhost")
        for member in self.members:
            self.start_member(member)
        processes.wait_for("a primary with a synchronous standby", self.is_whole, 240)
        self.make_database()
        self.start_nodes()

    def start_etcd(self):
        names = [f"db{i + 1}" for i in range(len(self.etcds))]
        cluster = ",".join(
            f"{name}=http://127.0.0.1:{peer}" for name, (_, peer) in zip(names, self.etcds, strict=True)
        )
        all_three = "db1=http://10.0.0.21:2380,db2=http://10.0.0.22:2380,db3=http://10.0.0.23:2380"
        for name, (client, peer) in zip(names, self.etcds, strict=True):
            text = replaced(
                "etcd.default",
                {
                    all_three: cluster,
                    "ETCD_NAME=db1": f"ETCD_NAME={name}",
                    "10.0.0.21:2379": f"127.0.0.1:{client}",
                    "10.0.0.21:2380": f"127.0.0.1:{peer}",
                    "/var/lib/etcd/tenantry": self.lab.dir / f"etcd-{name}",
                },
            )
            lines = (line for line in text.splitlines() if line and not line.startswith("#"))
            env = dict(line.split("=", 1) for line in lines)
            # A machine that does everything at once is slow to sync and to vote.
            env.update(ETCD_HEARTBEAT_INTERVAL="500", ETCD_ELECTION_TIMEOUT="5000", ETCD_LOG_LEVEL="error")
            self.lab.start(f"etcd-{name}", ["etcd"], env)

    def make_certificate(self, name, *hosts):
        """A certificate that is its own authority: `NAME.crt` and `NAME.key`."""
        crt, key = self.lab.dir / f"{name}.crt", self.lab.dir / f"{name}.key"
        names = ",".join(f"DNS:{host}" for host in hosts)
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]
        command += ["-days", "30", "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}"]
        # Not an authority: a certificate that a server shows must not be one, for a strict reader.
        command += ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", crt]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
        key.chmod(0o600)

    def start_member(self, member):
        """Starts Patroni, also after its machine was lost."""
        directory = self.lab.dir / member.name
        if not directory.exists():
            directory.mkdir()
            for ending in ("crt", "key"):
                shutil.copy(self.lab.dir / f"postgres.{ending}", directory / f"server.{ending}")
                self.lab.postgres_owns(directory / f"server.{ending}")
            (directory / "server.key").chmod(0o600)
            hosts = ",".join(f"127.0.0.1:{client}" for client, _ in self.etcds)
            text = replaced(
                "patroni.yml",
                {
                    "name: db1": f"name: {member.name}",
                    "10.0.0.21:2379,10.0.0.22:2379,10.0.0.23:2379": hosts,
                    "10.0.0.21:8008": f"127.0.0.1:{member.rest}",
                    "10.0.0.21:5432": f"127.0.0.1:{member.sql}",
                    "10.0.0.0/24": "127.0.0.1/32",
                    "/usr/lib/postgresql/15/bin": processes.postgres_bin(),
                    "/var/lib/postgresql/15/tenantry": directory / "data",
                    "/var/lib/postgresql/patroni.pgpass": directory / "pgpass",
                    "/var/run/postgresql": directory,
                    "/etc/patroni/": f"{directory}/",
                    **{
                        f"CHANGE-ME-{what}": self.password[what]
                        for what in self.password
                        if what != "tenantry"
                    },
                },
            )
            (directory / "config.yml").write_text(text)
            (directory / "config.yml").chmod(0o600)
            self.lab.postgres_owns(directory / "config.yml")
            self.lab.postgres_owns(directory)
        command = ["patroni", directory / "config.yml"]
        member.process = self.lab.start(f"patroni-{member.name}", command, as_postgres=True)

    def make_database(self):
        """As docs/operations.md does it by hand."""
        primary = self.primary()
        sql = f"CREATE ROLE tenantry LOGIN PASSWORD '{self.password['tenantry']}'"
        url = f"host=127.0.0.1 port={primary.sql} user=postgres password={self.password['superuser']} sslmode=require"
        for statement in (sql, "CREATE DATABASE tenantry OWNER tenantry"):
            subprocess.run(["psql", "-qX", "-d", f"{url} dbname=postgres", "-c", statement], check=True)

    def start_nodes(self):
        options = self.lab.dir / "tenantry.toml"
        text = replaced(
            "tenantry.toml",
            {
                'domain = "tenant.example.com"\n': f'domain = "{DOMAIN}:{self.public}"\n',
                'listen = "0.0.0.0:8443"\nops_listen = "10.0.0.11:9090"\n': "",
                "CHANGE-ME-tenantry": self.password["tenantry"],
                "postgres.internal:5433": f"postgres.internal:{self.database}",
                "/etc/tenantry/postgres-ca.pem": self.lab.dir / "postgres.crt",
                '"10.0.0.11/32", "10.0.0.12/32"': '"127.0.0.1/32"',
            },
        )
        if self.passthrough:
            text = text.split("# HAProxy on both machines")[0]
        options.write_text(text)
        url = next(line.split('"')[1] for line in text.splitlines() if line.startswith("database_url"))
        key = self.lab.dir / "master.key"
        self.nodes = [
            Node(
                self.lab,
                self.binary,
                f"app{i + 1}",
                ["--config", options, "--master-key-file", key],
                # The other commands read the database too.
                {"TENANTRY_DATABASE_URL": url},
            )
            for i in range(2)
        ]
        key.write_text(
            subprocess.run(
                ["openssl", "rand", "-base64", "32"], check=True, capture_output=True, text=True
            ).stdout
        )
        key.chmod(0o600)
        # HAProxy wants to know the servers' authority, which their first start makes, behind HAProxy.
        authority = self.lab.dir / "tenantry-ca.pem"
        shutil.copy(self.lab.dir / "postgres.crt", authority)
        self.start_haproxy()
        for node in self.nodes:
            self.start_node(node)
        shutil.copy(self.nodes[0].ca, authority)
        self.lab.end(self.haproxy)
        self.start_haproxy()
        processes.wait_for("HAProxy to find the servers", self.answers, 30)

    def start_node(self, node):
        """Tries again as systemd does."""
        for attempt in range(20):
            try:
                node.start()
            except RuntimeError:
                if attempt == 19:
                    raise
                time.sleep(1)
            else:
                return

    def start_haproxy(self):
        """HAProxy with the files of deploy/ha."""
        crt_list, pem = self.lab.dir / "crt-list", self.lab.dir / "tenant.pem"
        pem.write_text((self.lab.dir / "tenant.crt").read_text() + (self.lab.dir / "tenant.key").read_text())
        crt_list.write_text(
            replaced(
                "tenantry.crt-list",
                {
                    "/etc/haproxy/tenant.pem": pem,
                    "/etc/haproxy/clients-ca.pem": self.lab.dir / "tenant.crt",
                },
            )
        )
        changes = {
            "    maxconn 20000\n": "",
            "log /dev/log local0": "log stdout format raw local0",
            "    user haproxy\n    group haproxy\n": "",
            "bind :443 ssl crt-list /etc/haproxy/tenantry.crt-list": f"bind 127.0.0.1:{self.public} ssl crt-list {crt_list}",
            "127.0.0.1:5433": f"127.0.0.1:{self.database}",
            "/etc/haproxy/tenantry-ca.pem": self.lab.dir / "tenantry-ca.pem",
            "default-server check port 9090": "default-server check",
            "default-server check port 8008": "default-server check",
        }
        for i, member in enumerate(self.members):
            changes[f"server db{i + 1} 10.0.0.2{i + 1}:5432"] = (
                f"server db{i + 1} 127.0.0.1:{member.sql} port {member.rest}"
            )
        for i in range(len(self.members), 3):
            changes[f"    server db{i + 1} 10.0.0.2{i + 1}:5432\n"] = ""
        apps = {
            f"server app{i + 1} 10.0.0.1{i + 1}:8443": f"server app{i + 1} 127.0.0.1:{node.port} port {node.ops}"
            for i, node in enumerate(self.nodes)
        }
        text = replaced("haproxy.cfg", {**changes, **apps})
        if self.passthrough:
            other = replaced(
                "haproxy-passthrough.cfg",
                {
                    "bind :443": f"bind 127.0.0.1:{self.public}",
                    "default-server check port 9090": "default-server check",
                    **apps,
                },
            )
            text = text[: text.index("# The public address.")] + other + text[text.index("# The primary") :]
        config = self.lab.dir / "haproxy.cfg"
        config.write_text(text)
        self.haproxy = self.lab.start("haproxy", ["haproxy", "-db", "-f", config])
        # Until it has asked all databases it leads to standbys too.
        time.sleep(2)

    @property
    def ca(self):
        """Whom callers of the public address trust."""
        return self.nodes[0].ca if self.passthrough else self.lab.dir / "tenant.crt"

    def api(self, timeout=30.0):
        """A caller who may do everything, through HAProxy."""
        return self.nodes[0].api(self.public, self.ca, timeout)

    def answers(self):
        try:
            return self.api(timeout=5).call("GET", "/api/v2/clients?per_page=1")[0] == 200
        except Exception:
            return False

    def ask(self, member, path):
        """Patroni's answer about a member."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", member.rest, timeout=3)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, ValueError, http.client.HTTPException):
            return 0, None

    def primary(self):
        """The member that is the primary now."""
        return next((member for member in self.members if self.ask(member, "/primary")[0] == 200), None)

    def synchronous(self):
        """The member that may take over."""
        return next(member for member in self.members if self.ask(member, "/synchronous")[0] == 200)

    def is_whole(self):
        """Whether there is a primary, a synchronous standby, and everybody else follows."""
        primary = self.primary()
        if not primary:
            return False
        roles = [(member["role"], member["state"]) for member in self.ask(primary, "/cluster")[1]["members"]]
        return (
            len(roles) == len(self.members)
            and any(role == "sync_standby" for role, _ in roles)
            and all(state in ("running", "streaming") for _, state in roles)
        )

    def lose(self, member):
        """The machine of a member is lost."""
        # PostgreSQL's processes have groups of their own.
        for pid in self.postgres(member):
            self.signal(pid, signal.SIGKILL)
        self.lab.end(member.process)

    def crash(self, member):
        """PostgreSQL of a member is killed; Patroni lives."""
        for pid in self.postgres(member):
            self.signal(pid, signal.SIGKILL)

    def behead(self, member):
        """Patroni of a member is killed; its PostgreSQL lives."""
        member.process.kill()
        member.process.wait()
        self.lab.running.remove(member.process)

    def postgres(self, member):
        """Process ids of a member's PostgreSQL, the postmaster first."""
        try:
            postmaster = int((self.lab.dir / member.name / "data" / "postmaster.pid").read_text().split()[0])
            children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except (OSError, ValueError, IndexError):
            return []
        return [postmaster, *map(int, children)]

    def signal(self, pid, number):
        try:
            subprocess.run(["kill", f"-{int(number)}", str(pid)], check=False, capture_output=True)
        except OSError:
            pass
