"""The forced command of a recording: the gateway with a tee on both sides. Runs as the builder account, by which the daemon
is asked; so it is a program of its own, of one file.

  tee.py FOLDER DAEMON_SOCKET COMMAND...     writes FOLDER/N.client, N.daemon, N.answer and N.json
"""
import json
import os
import socket
import subprocess
import sys
import threading


def open_new(folder):
    """The files of the next session."""
    number = 0
    while True:
        try:
            fd = os.open(os.path.join(folder, f"{number}.client"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            number += 1
            continue
        rest = [open(os.path.join(folder, f"{number}.{kind}"), "wb", buffering=0) for kind in ("daemon", "answer")]
        return number, [os.fdopen(fd, "wb", buffering=0), *rest]


def pump(source, sink, record, close):
    """Until one of them has gone: pieces as they come."""
    try:
        while piece := os.read(source, 65536):
            if record:
                record.write(piece)
            view = memoryview(piece)
            while view:
                view = view[os.write(sink, view):]
    except OSError:
        pass
    close()


def carry(listener, daemon, record):
    """The gateway's connection, passed on to the real daemon."""
    try:
        ours, _ = listener.accept()
    except OSError:
        return
    real = socket.socket(socket.AF_UNIX)
    real.connect(daemon)
    up = threading.Thread(target=pump, daemon=True,
                          args=[ours.fileno(), real.fileno(), None, lambda: shut(real, socket.SHUT_RDWR)])
    up.start()
    pump(real.fileno(), ours.fileno(), record, lambda: shut(ours, socket.SHUT_WR))
    up.join()


def shut(end, how):
    try:
        end.shutdown(how)
    except OSError:
        pass


def main():
    folder, daemon, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    number, (client, answers, answer) = open_new(folder)
    path = os.path.join(folder, "socket")
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    threading.Thread(target=carry, args=[listener, daemon, answers], daemon=True).start()
    gateway = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    threading.Thread(target=pump, args=[0, gateway.stdin.fileno(), client, gateway.stdin.close], daemon=True).start()
    pump(gateway.stdout.fileno(), 1, answer, lambda: None)
    status = gateway.wait()
    done = os.path.join(folder, f"{number}.json")
    with open(done + ".part", "w", encoding="utf-8") as file:
        json.dump({"command": os.environ.get("SSH_ORIGINAL_COMMAND", ""), "status": status}, file)
    os.rename(done + ".part", done)
    os._exit(status if status >= 0 else 1)


if __name__ == "__main__":
    main()
