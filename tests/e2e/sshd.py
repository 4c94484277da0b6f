"""A real sshd on the loopback interface, with a host key and a configuration of its own."""
import os
import shutil
import socket

from process import Server, run

PROGRAMS = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/run/current-system/sw/bin/sshd")


def program():
    """sshd starts itself again for each connection and therefore wants its full path."""
    found = next((path for path in PROGRAMS if os.path.exists(path)), None) or shutil.which("sshd")
    if found is None:
        raise RuntimeError("no sshd here: install openssh-server")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Key:
    """A client's key pair: the private half's path, the line for authorized_keys, and its fingerprint."""

    def __init__(self, folder, name):
        self.name = name
        self.path = os.path.join(folder, name)
        made = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.path], limit=20)
        if made.status != 0:
            raise RuntimeError(str(made))
        with open(self.path + ".pub", encoding="ascii") as public:
            self.line = public.read().strip()
        self.fingerprint = run(["ssh-keygen", "-l", "-f", self.path + ".pub"], limit=20).stdout.split()[1]

    def certify(self, authority, key_id, principals):
        """Has another key sign this one; from then on ssh offers the certificate beside the key."""
        signed = run(["ssh-keygen", "-q", "-s", authority.path, "-I", key_id, "-n", ",".join(principals),
                      self.path + ".pub"], limit=20)
        if signed.status != 0:
            raise RuntimeError(str(signed))


class Sshd:
    """Writes the configuration, starts the server, stops it. One at a time; each start has a new port."""

    def __init__(self, folder, account):
        self.folder = folder
        self.account = account
        self.authorized_keys = os.path.join(folder, "authorized_keys")
        self.host_key = Key(folder, "host")
        self.server = None
        self.port = None

    def start(self, authorized_keys, settings, limit=20):
        """`authorized_keys` are whole lines; `settings` whole lines of sshd_config, which stand first and so win."""
        self.stop()
        with open(self.authorized_keys, "w", encoding="ascii") as file:
            file.write("".join(line + "\n" for line in authorized_keys))
        os.chmod(self.authorized_keys, 0o644)
        self.port = free_port()
        config = os.path.join(self.folder, "sshd_config")
        with open(config, "w", encoding="utf-8") as file:
            file.write("\n".join(list(settings) + self.defaults()) + "\n")
        log = os.path.join(self.folder, f"log-{self.port}")
        self.server = Server([program(), "-D", "-e", "-f", config], dict(os.environ), log)
        self.server.wait_for(lambda: is_listening(self.port), limit)

    def defaults(self):
        return [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.host_key.path}",
            f"AuthorizedKeysFile {self.authorized_keys}",
            f"AllowUsers {self.account.name}",
            f"PidFile {os.path.join(self.folder, 'pid')}",
            "PermitRootLogin prohibit-password",
            "AuthenticationMethods publickey",
            "KbdInteractiveAuthentication no",
            "PasswordAuthentication no",
            "UsePAM no",
            "StrictModes no",
            "UseDNS no",
            "LogLevel VERBOSE",
            "MaxStartups 100",
        ]

    def said(self):
        return self.server.said() if self.server else ""

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None


class Hosts:
    """The client's ssh_config: one host name per key, `NAME.lab`, all of them our sshd."""

    def __init__(self, folder, account):
        self.path = os.path.join(folder, "ssh_config")
        self.account = account

    def write(self, port, keys, send_env):
        lines = []
        for key in keys:
            lines += [f"Host {key.name}.lab", f"    IdentityFile {key.path}"]
        lines += [
            "Host *",
            "    HostName 127.0.0.1",
            f"    Port {port}",
            f"    User {self.account.name}",
            "    IdentitiesOnly yes",
            "    IdentityAgent none",
            "    BatchMode yes",
            "    StrictHostKeyChecking no",
            "    UserKnownHostsFile /dev/null",
            "    LogLevel ERROR",
            "    ConnectTimeout 20",
            "    ControlMaster no",
        ]
        lines += [f"    SendEnv {name}" for name in send_env]
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(self.path, 0o644)
