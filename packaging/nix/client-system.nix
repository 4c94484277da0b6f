# A client on NixOS or nix-darwin, where root's ssh connects: programs.nix-gateway-client.
{ config, lib, ... }:

let
  cfg = config.programs.nix-gateway-client;
  client = import ./client.nix { inherit lib cfg; };

  host = name: builder: ''
    Host ${name}
      HostName ${builder.hostName}
      ${lib.optionalString (builder.port != null) "Port ${toString builder.port}"}
      IdentitiesOnly yes
      ServerAliveInterval 60
  '';
in
{
  options.programs.nix-gateway-client = client.options;

  config = lib.mkIf cfg.enable {
    inherit (client) assertions;
    nix.distributedBuilds = true;
    nix.buildMachines = client.machines;
    programs.ssh.extraConfig = lib.concatStrings (lib.mapAttrsToList host cfg.builders);
  };
}
