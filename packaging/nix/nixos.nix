# NixOS: services.nix-gateway, a builder's account that any number of keys share. See README.md beside this file.
{ config, lib, pkgs, ... }:

let
  cfg = config.services.nix-gateway;
  program = "/etc/nix-gateway/bin/nix-gateway";
  gateway = import ./gateway.nix { inherit lib pkgs cfg program; };
  allowed = config.services.openssh.settings.AllowUsers or null;
in
{
  options.services.nix-gateway = gateway.options;

  config = lib.mkIf cfg.enable {
    assertions = gateway.assertions config.nix.settings ++ [
      {
        assertion = config.services.openssh.enable;
        message = "services.nix-gateway needs sshd: services.openssh.enable = true.";
      }
      {
        assertion = allowed == null || lib.elem cfg.account allowed;
        message = "services.nix-gateway: services.openssh.settings.AllowUsers leaves ${cfg.account} out.";
      }
    ];
    warnings = gateway.warnings config.nix.settings;

    environment.systemPackages = [ cfg.package ];

    # With a mode, a file in /etc is a copy that is root's, and not a link into the store.
    environment.etc."nix-gateway/bin/nix-gateway" = {
      source = "${cfg.package}/bin/nix-gateway";
      mode = "0755";
    };
    environment.etc."nix-gateway/policy.ini".source = gateway.policy;

    # A home that is root's and empty, and no shell between sshd and the gateway.
    users.users.${cfg.account} = {
      isSystemUser = true;
      group = cfg.account;
      description = "Nix builds of others, through nix-gateway";
      home = "/var/empty";
      createHome = false;
      shell = program;
    };
    users.groups.${cfg.account} = { };

    # What sessions keep count in, and who is here.
    systemd.tmpfiles.rules = [ "d /run/nix-gateway 0700 ${cfg.account} ${cfg.account} -" ];

    services.openssh.extraConfig = lib.mkAfter gateway.sshd;
  };
}
