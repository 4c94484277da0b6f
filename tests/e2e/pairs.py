"""The samples that every pair of client and builder passes on to each other, and what they have to be on arrival."""
import os
import stat

import grants
import nix

ODD_NAMES = ("a blank", "-dash", ".hidden", "quote'\"", "new\nline", "{*?}", "50%", "back\\slash", "ünïcode", "~", "a;b",
             "x" * 200)
MANY = 200


def second_client(lab):
    """A client with another, empty store of the same name."""
    return nix.Client(lab.make(f"client-{next(grants.numbers)}"), lab.store, lab.hosts.path)


def make_tree(lab):
    """A folder with all that an archive can hold: odd names, executables, links, empty files and folders."""
    folder = lab.make(f"tree-{next(grants.numbers)}")
    for name in ODD_NAMES:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(f"this is {name} of {folder}")
    grants.write(os.path.join(folder, "program"), "#!/bin/sh\necho run\n")
    os.symlink("nowhere/at all", os.path.join(folder, "link"))
    os.makedirs(os.path.join(folder, "deep/er/and/deeper"))
    with open(os.path.join(folder, "deep/er/nothing"), "wb"):
        pass
    return folder


def shape(path):
    """What an archive keeps of a path: kinds, names, the executable bit, contents."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return os.readlink(path)
    if stat.S_ISDIR(mode):
        return {name: shape(os.path.join(path, name)) for name in sorted(os.listdir(path))}
    with open(path, "rb") as file:
        return bool(mode & stat.S_IXUSR), file.read()


def evaluated(client, expression, suite=None):
    result = client.run(["nix-instantiate", "--eval", "--strict", "--read-write-mode", "--expr", expression], suite=suite)
    assert result.status == 0, str(result)
    return result.stdout.strip().strip('"')


def source_closure(client, tree, suite=None):
    """A path that refers to another; both content-addressed, so anybody may upload them."""
    number = next(grants.numbers)
    inner = f'"${{builtins.path {{ path = {tree}; name = "tree-{number}"; }}}}"'
    text = evaluated(client, f'builtins.toFile "outer-{number}" {inner}', suite)
    return text, grants.read(client.where(text))


def many_paths(client, suite=None):
    number = next(grants.numbers)
    listed = evaluated(client, 'builtins.concatStringsSep " " (builtins.genList (n: builtins.toFile '
                               f'"small-{number}-${{toString n}}" "number ${{toString n}} of {number}") {MANY})', suite)
    return listed.split()


def tree_script():
    """Makes a tree of the same kind in a build, with what every builder has."""
    return ("/bin/mkdir -p \"$out/deep/er\"; echo \"#!/bin/sh\" > $out/program; /bin/chmod +x $out/program; "
            "/bin/ln -s 'nowhere/at all' $out/link; echo odd > \"$out/a blank\"; : > $out/deep/er/nothing; "
            "read a < $inner; echo \"$a\" > $out/inner")


def tree_expression():
    inner = grants.derivation("inner", "echo inside > $out")
    return grants.derivation("tree", tree_script(), inner=f"({inner})")


BUILT_TREE = {"a blank": (False, b"odd\n"), "deep": {"er": {"nothing": (False, b"")}}, "inner": (False, b"inside\n"),
              "link": "nowhere/at all", "program": (True, b"#!/bin/sh\n")}
