# What a module of packaging/nix comes to, for example
# { system = "nixos"; module = ./nixos.nix; gateway = "/folder"; config = { ... }; }
{ system, module, gateway, config }:

let
  lib = import ./lib.nix;

  # Of pkgs, as little: a command that runs with this machine's programs.
  pkgs = {
    callPackage = _: _: gateway;
    buildPackages.openssh = "openssh";
    stdenv = { buildPlatform.canExecute = _: true; hostPlatform = { }; };
    runCommand = name: attributes: script: derivation (attributes // {
      inherit name;
      system = builtins.currentSystem;
      builder = "/bin/sh";
      args = [ "-e" "-c" script ];
      PATH = "/usr/local/bin:/usr/bin:/bin";
    });
  };

  systems = import ./systems.nix lib;
  whole = lib.evalModules { inherit lib pkgs; } [ systems.${system} (import module) { inherit config; } ];
in
whole // { failed = map (a: a.message) (builtins.filter (a: !a.assertion) whole.assertions); }
