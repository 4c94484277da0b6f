"""Private memory of a process while something runs: what one more session costs the machine (Linux)."""
import re
import threading

PERIOD = 0.02
PRIVATE = re.compile(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", re.MULTILINE)


def private_mib(pid):
    """None where the process has gone, or the system does not say."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            parts = PRIVATE.findall(file.read())
    except OSError:
        return None
    return sum(map(int, parts)) / 1024 if parts else None


class Peak:
    """`with Peak(pid) as peak`: afterwards peak.mib is the most that was seen."""

    def __init__(self, pid):
        self.pid, self.mib = pid, None
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while True:
            now = private_mib(self.pid)
            if now is not None:
                self.mib = max(now, self.mib or 0)
            if now is None or self.over.wait(PERIOD):
                return

    def __enter__(self):
        self.watcher.start()
        return self

    def __exit__(self, *_unused):
        self.over.set()
        self.watcher.join()
