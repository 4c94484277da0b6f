#!/usr/bin/env python3
"""Other systems than this one, as far as a compiler and a linker can tell: macOS on both its processors, and musl."""
import glob
import os
import re
import struct

import workbench
from cases import need

CROSS = os.path.join(workbench.ROOT, "packaging", "cross")
ZIG = os.path.join(workbench.ROOT, "packaging", "zig")
STUBS = os.path.join(workbench.ROOT, "packaging", "darwin", "stubs")
NO_COMPILER = 3         # exit status of the scripts
MACHO_64 = 0xFEEDFACF
MACHO_EXECUTABLE = 2
PROCESSORS = {"aarch64": 0x0100000C, "x86_64": 0x01000007}


def cross(at, target):
    made = workbench.run([CROSS, at.build, target])
    need(made.status != NO_COMPILER, made.stderr.strip())
    assert made.status == 0, str(made)
    return os.path.join(at.build, "cross", target)


def links_for_macos(at, processor):
    program = os.path.join(cross(at, f"{processor}-macos.11.0"), "nix-gateway")
    with open(program, "rb") as file:
        octets = file.read()
    magic, cpu, _, kind = struct.unpack("<IIII", octets[:16])
    assert (magic, cpu, kind) == (MACHO_64, PROCESSORS[processor], MACHO_EXECUTABLE)
    for library in ("libsodium", "libinih", "libjansson"):
        assert re.search(rb"/%s\.\d+\.dylib\0" % library.encode(), octets), library


def test_the_program_links_for_macos_on_arm64(at):
    links_for_macos(at, "aarch64")


def test_the_program_links_for_macos_on_x86_64(at):
    links_for_macos(at, "x86_64")


def test_what_no_library_of_a_mac_has_does_not_link(at):
    zig = workbench.run([ZIG])
    need(zig.status != NO_COMPILER, zig.stderr.strip())
    compiler = [zig.stdout.strip(), "cc", "-target", "aarch64-macos.11.0", "-o", at.path("program")]
    for symbol, there in (("json_object", True), ("sandbox_init", True), ("close_range", False), ("json_obj", False)):
        source = at.file("one.c", f"void {symbol}(void);\nint main(void)\n{{\n\t{symbol}();\n\treturn 0;\n}}\n")
        made = workbench.run(compiler + [source, *sorted(glob.glob(STUBS + "/*.tbd"))])
        assert (made.status == 0) == there, str(made)
        assert there or f"_{symbol}" in made.stderr, str(made)


def test_every_file_compiles_for_musl_and_arm64(at):
    objects = cross(at, "aarch64-linux-musl")
    with open(os.path.join(objects, "gateway/cli/main.o"), "rb") as file:
        head = file.read(20)
    assert head[:4] == b"\x7fELF" and struct.unpack("<H", head[18:20]) == (183,)


def test_a_mac_s_sandbox_allows_what_concerns_held_descriptors_and_signals_alone(_at):
    with open(os.path.join(workbench.ROOT, "gateway/sandbox/darwin.c"), encoding="utf-8") as file:
        text = file.read()
    rules = "".join(re.findall(r'"([^"\n]*)"', re.search(r"\brules\[\] =\n((?:\t\".*\n)+)", text).group(1)))
    more = re.findall(r'"([^"]*)"', re.search(r"\bchild_rules\[\] = \{(.*)\};", text).group(1))
    assert rules.startswith("(version 1)(deny default)"), rules
    for profile in [rules] + [rules + rule for rule in more]:
        assert profile.count("(") == profile.count(")"), profile
        allowed = set(re.findall(r"\(allow ([^()]*?)[ )]", profile))
        assert allowed == {"sysctl-read", "signal", "system-fcntl", "file-lock"}, allowed
    assert "(allow signal (target self))" in rules and len(more) == 2 and "(target children)" in more[0]


def test_what_systems_do_differently_has_a_file_for_each(_at):
    sources = [os.path.relpath(path, workbench.ROOT) for folder in ("gateway", "policy")
               for path in glob.glob(os.path.join(workbench.ROOT, folder, "**", "*.[ch]"), recursive=True)]
    ours = {path for path in sources if re.search(r"[/_](linux|darwin)\.c$", path)}
    assert len(ours) > 10
    for path in ours:
        other = path.replace("linux.c", "darwin.c") if path.endswith("linux.c") else path.replace("darwin.c", "linux.c")
        assert other in ours, f"{path} has no {other}"
    for path in sources:
        with open(os.path.join(workbench.ROOT, path), encoding="utf-8") as file:
            found = re.search(r"^#\s*(el)?if.*\b(__APPLE__|__linux__|__MACH__|__GLIBC__)\b.*", file.read(), re.M)
        assert not found, f"{path}: {found.group()}"


if __name__ == "__main__":
    workbench.main(globals())
