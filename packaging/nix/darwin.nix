# nix-darwin: services.nix-gateway, a builder's account that any number of keys share. See README.md beside this file.
{ config, lib, pkgs, ... }:

let
  cfg = config.services.nix-gateway;
  program = "/etc/nix-gateway/bin/nix-gateway";
  gateway = import ./gateway.nix { inherit lib pkgs cfg program; };
in
{
  options.services.nix-gateway = gateway.options // {
    uid = lib.mkOption {
      type = lib.types.int;
      default = 399;
      description = "The number of the account and of its group; nix-darwin asks for one.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = gateway.assertions config.nix.settings;
    warnings = gateway.warnings config.nix.settings
      ++ lib.optional (!(config.nix.settings ? sandbox))
        "services.nix-gateway: on macOS nix.settings.sandbox is false unless it is set; builds run outside of one.";

    environment.systemPackages = [ cfg.package ];
    environment.etc."nix-gateway/policy.ini".source = gateway.policy;

    users.users.${cfg.account} = {
      uid = cfg.uid;
      gid = cfg.uid;
      description = "nix-gateway";
      home = "/var/empty";
      shell = program;
      isHidden = true;
    };
    users.groups.${cfg.account} = {
      gid = cfg.uid;
      description = "nix-gateway";
    };
    users.knownUsers = [ cfg.account ];
    users.knownGroups = [ cfg.account ];

    # Before accounts are made, for it is a shell. A copy, since nix-darwin only links into the store; put in place by
    # renaming, so that a running session keeps the old one.
    system.activationScripts.extraActivation.text = ''
      echo "copying nix-gateway..." >&2
      /usr/bin/install -d -m 755 -o root -g wheel /etc/nix-gateway /etc/nix-gateway/bin
      /usr/bin/install -m 755 -o root -g wheel ${cfg.package}/bin/nix-gateway ${program}.new
      /bin/mv -f ${program}.new ${program}
    '';

    # Where "Remote Login" is for some users only, those are the members of this group.
    system.activationScripts.postActivation.text = ''
      if /usr/bin/dscl . -read /Groups/com.apple.access_ssh >/dev/null 2>&1; then
        /usr/sbin/dseditgroup -o edit -a ${cfg.account} -t user com.apple.access_ssh
      fi
    '';

    services.openssh.extraConfig = lib.mkAfter gateway.sshd;
  };
}
