# What the modules for clients share. The builders are NAME -> where it is and what it may be asked for: what
# `ssh -T builder@HOST` prints behind `machines` says it best.
{ lib, cfg }:

let
  inherit (lib) mkOption types;

  builder = {
    options = {
      hostName = mkOption {
        type = types.str;
        example = "builder.example.org";
        description = "The builder's name or address.";
      };
      port = mkOption {
        type = types.nullOr types.port;
        default = null;
        description = "The port of its sshd, where that is not 22.";
      };
      user = mkOption {
        type = types.str;
        default = "builder";
        description = "The account there that belongs to nix-gateway.";
      };
      sshKey = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "/etc/nix/builder_ed25519";
        description = ''
          The path of the private key, as a string so that it is not copied into the store. Without a passphrase,
          and readable for whoever connects: root, where this machine's Nix has a daemon.
        '';
      };
      systems = mkOption {
        type = types.nonEmptyListOf types.str;
        example = [ "x86_64-linux" "i686-linux" ];
        description = "What it builds for us.";
      };
      supportedFeatures = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "big-parallel" "kvm" ];
        description = "Features that derivations may ask it for.";
      };
      mandatoryFeatures = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Features without which it is not asked.";
      };
      maxJobs = mkOption {
        type = types.ints.positive;
        default = 1;
        description = "How many builds it is given at a time.";
      };
      speedFactor = mkOption {
        type = types.ints.positive;
        default = 1;
        description = "Its speed beside that of others.";
      };
    };
  };
in
{
  options = {
    enable = lib.mkEnableOption "building on machines that nix-gateway guards";
    builders = mkOption {
      type = types.attrsOf (types.submodule builder);
      default = { };
      description = "The builders, by the names that ssh shall know them under.";
    };
  };

  # ssh-ng, because only that tells a client that it is not trusted, and what it may upload follows from it.
  machines = lib.mapAttrsToList
    (name: builder: {
      inherit (builder) systems sshKey maxJobs speedFactor supportedFeatures mandatoryFeatures;
      hostName = name;
      protocol = "ssh-ng";
      sshUser = builder.user;
    })
    cfg.builders;

  assertions = [
    {
      assertion = cfg.builders != { };
      message = "nix-gateway: there are no builders to build on.";
    }
    {
      assertion = lib.all (builder: builder.sshKey == null || !lib.hasPrefix builtins.storeDir builder.sshKey)
        (lib.attrValues cfg.builders);
      message = "nix-gateway: a private key in the store can be read by everybody; give its path as a string.";
    }
  ];
}
