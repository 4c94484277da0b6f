"""Our Nix modules, evaluated and built by this machine's Nix in a folder of the test's own; see nix/lib.nix."""
import json
import os
import shutil

import process
from cases import need

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.path.dirname(os.path.dirname(HERE)), "packaging", "nix")
EVALUATE = os.path.join(HERE, "nix", "default.nix")
PLACES = {"NIX_STORE_DIR": "store", "NIX_STATE_DIR": "state", "NIX_LOG_DIR": "log", "NIX_CONF_DIR": "conf",
          "HOME": "home", "XDG_CACHE_HOME": "cache"}


class Modules:
    """`package` is a folder with the program in bin/, in the place of what package.nix would build."""

    def __init__(self, folder, gateway):
        self.folder = os.path.realpath(folder)
        self.package = os.path.join(self.folder, "package")
        os.makedirs(os.path.join(self.package, "bin"), exist_ok=True)
        shutil.copy(gateway, os.path.join(self.package, "bin", "nix-gateway"))
        os.makedirs(os.path.join(self.folder, "conf"), exist_ok=True)
        with open(os.path.join(self.folder, "conf", "nix.conf"), "w", encoding="utf-8") as file:
            file.write("sandbox = false\nbuild-users-group =\nsubstitute = false\n")

    def nix(self, tool, *words):
        """A store, state and settings of our own: nothing of the machine's is read or written."""
        need(shutil.which(tool), f"no {tool} here")
        own = {name: os.path.join(self.folder, place) for name, place in PLACES.items()}
        return process.run([tool, *words], env=dict(os.environ, **own, NIX_REMOTE="local"), limit=60)

    def expression(self, system, module, config, question):
        return (f'let c = import {EVALUATE} {{ system = "{system}"; module = {FOLDER}/{module}; '
                f'gateway = "{self.package}"; config = {{ {config} }}; }}; in {question}')

    def evaluate(self, *what):
        return self.nix("nix-instantiate", "--eval", "--strict", "--json", "-E", self.expression(*what))

    def ask(self, *what):
        """What `question` is of the whole configuration, `c`."""
        made = self.evaluate(*what)
        assert made.status == 0, str(made)
        return json.loads(made.stdout)

    def refusal(self, *what):
        made = self.evaluate(*what)
        assert made.status != 0, str(made)
        return made.stderr

    def policy(self, config, system="nixos", module="nixos.nix"):
        """Builds the policy as an administrator's rebuild would. Returns the run and the file's path."""
        question = 'c.environment.etc."nix-gateway/policy.ini".source'
        made = self.nix("nix-build", "--no-out-link", "-E", self.expression(system, module, config, question))
        return made, made.stdout.strip()
