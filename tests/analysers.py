"""clang-tidy (.clang-tidy says what for) and cppcheck over gateway/ and policy/, with the exceptions of tests/exceptions.

What clang-tidy has said of a file is kept in BUILD_DIR/lint/tidy under a hash of all that went in: the file, the headers
it includes, the settings and the program's version. So a second run looks only at what has changed.
"""
import concurrent.futures
import glob
import hashlib
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLAGS = ["-std=c11", "-D_GNU_SOURCE", '-DVERSION="lint"', "-I."]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# clang-tidy names a check that a setting made an error twice.
SAID = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?:warning: |error: )?(?P<text>.*) \[(?P<check>[\w.-]+)[^\]]*\]$",
                  re.MULTILINE)


class Exceptions:
    """Those of one tool, and which of them were of use."""

    def __init__(self, is_mine):
        self.rows, self.used = {}, set()
        for number, line in enumerate(read("tests/exceptions").splitlines(), 1):
            words = line.split(None, 2)
            if line.startswith("#") or not words:
                continue
            if len(words) < 3:
                raise ValueError(f"tests/exceptions:{number}: FILE CHECK REASON")
            if is_mine(words[1]):
                self.rows[words[0], words[1]] = number

    def cover(self, file, check):
        for row in ((file, check), ("*", check)):
            if row in self.rows:
                self.used.add(row)
                return True
        return False

    def unused(self):
        return [(number, *row) for row, number in self.rows.items() if row not in self.used]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def sources():
    """But for what is another system's: its headers are not here."""
    found = glob.glob(os.path.join(ROOT, "gateway/*/*.c")) + glob.glob(os.path.join(ROOT, "policy/*.c"))
    others = tuple(end for system in {"linux", "darwin"} - {os.uname().sysname.lower()}
                   for end in (f"_{system}.c", f"/{system}.c"))
    return sorted(os.path.relpath(path, ROOT) for path in found if not path.endswith(others))


def with_headers(path, seen):
    """The file and every header of ours that it sees, whichever way."""
    if path in seen or not os.path.isfile(os.path.join(ROOT, path)):
        return seen
    seen.add(path)
    for header in INCLUDE.findall(read(path)):
        with_headers(header, seen)
    return seen


def run(argv):
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)


def tidy_one(path, folder, version):
    digest = hashlib.sha256("\0".join([version, *FLAGS, path]).encode())
    for part in sorted(with_headers(path, {".clang-tidy"})):
        digest.update(read(part).encode())
    kept = os.path.join(folder, digest.hexdigest())
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            return file.read()
    made = run(["clang-tidy", "--quiet", path, "--", *FLAGS])
    said = made.stdout.replace(ROOT + "/", "")
    if made.returncode != 0 and not SAID.search(said):
        return f"{path}:1: clang-tidy fails: {made.stderr.strip()[-300:]} [fatal]\n"       # and is not kept
    with open(kept + ".new", "w", encoding="utf-8") as file:
        file.write(said)
    os.replace(kept + ".new", kept)
    return said


def judge(said, exceptions, fault, tool):
    """Every finding that no exception covers; each once, for headers are seen again and again."""
    found = {(match["file"], int(match["line"]), match["text"], match["check"]) for text in said
             for match in SAID.finditer(text)}
    for file, line, text, check in sorted(found):
        if not exceptions.cover(file, check):
            fault(f"{file}:{line}", f"{text} [{check}]")
    for number, file, check in exceptions.unused():
        fault(f"tests/exceptions:{number}", f"{tool} finds no {check} in {file} any more")


def check_tidy(build, fault):
    folder = os.path.join(build, "lint", "tidy")
    os.makedirs(folder, exist_ok=True)
    version = run(["clang-tidy", "--version"]).stdout
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        said = list(pool.map(lambda path: tidy_one(path, folder, version), sources()))
    judge(said, Exceptions(lambda check: "-" in check), fault, "clang-tidy")


def check_cppcheck(build, fault):
    folder = os.path.join(build, "lint", "cppcheck")
    os.makedirs(folder, exist_ok=True)
    made = run(["cppcheck", "--enable=warning,style,performance,portability", "--std=c11", "--quiet", "-I.",
                "-D_GNU_SOURCE", '-DVERSION="lint"', f"--cppcheck-build-dir={folder}", f"-j{os.cpu_count() or 1}",
                "--template={file}:{line}: {message} [{id}]", "--template-location=", "gateway", "policy"])
    if made.returncode != 0:
        fault("cppcheck", made.stdout.strip()[-300:])
    judge([made.stderr], Exceptions(lambda check: "-" not in check), fault, "cppcheck")
