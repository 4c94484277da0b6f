# A client of one user, by home-manager: programs.nix-gateway-client. Where this machine's Nix has a daemon, that one
# connects, as root, and listens only to users it trusts: then take client-system.nix.
{ config, lib, ... }:

let
  cfg = config.programs.nix-gateway-client;
  client = import ./client.nix { inherit lib cfg; };
in
{
  options.programs.nix-gateway-client = client.options;

  config = lib.mkIf cfg.enable {
    assertions = client.assertions ++ [
      {
        assertion = config.programs.ssh.enable;
        message = "programs.nix-gateway-client writes into programs.ssh: programs.ssh.enable = true.";
      }
    ];
    nix.distributedBuilds = true;
    nix.buildMachines = client.machines;
    programs.ssh.matchBlocks = lib.mapAttrs
      (_: builder: {
        hostname = builder.hostName;
        user = builder.user;
        port = builder.port;
        identityFile = lib.optional (builder.sshKey != null) builder.sshKey;
        identitiesOnly = builder.sshKey != null;
        serverAliveInterval = 60;
      })
      cfg.builders;
  };
}
