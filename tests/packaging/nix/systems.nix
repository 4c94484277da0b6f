# The options of others that our modules set or read, with the types they have there: NixOS, nix-darwin, home-manager.
lib:

let
  inherit (lib) mkOption types;
  option = type: mkOption { inherit type; };
  with' = default: type: mkOption { inherit type default; };
  list = with' [ ];
  none = type: with' null (types.nullOr type);

  common = {
    assertions = list (types.listOf types.raw);
    warnings = list (types.listOf types.str);
    nix.settings = with' { } (types.attrsOf types.raw);
  };
  machine = {
    hostName = option types.str;
    protocol = with' "ssh" (types.enum [ null "ssh" "ssh-ng" ]);
    systems = list (types.listOf types.str);
    sshUser = none types.str;
    sshKey = none types.str;
    maxJobs = with' 1 types.int;
    speedFactor = with' 1 types.int;
    mandatoryFeatures = list (types.listOf types.str);
    supportedFeatures = list (types.listOf types.str);
    publicHostKey = none types.str;
  };
  # A list of submodules; the stand-in merges lists as they are, so each machine is evaluated here.
  machines = {
    buildMachines = mkOption {
      default = [ ];
      type = types.listOf types.raw // {
        merge = path: values: map (value: (types.submodule { options = machine; }).merge path [ value ])
          (lib.concatLists values);
      };
    };
    distributedBuilds = with' false types.bool;
  };
  system = {
    environment.systemPackages = list (types.listOf types.package);
    programs.ssh.extraConfig = with' "" types.lines;
    services.openssh.extraConfig = with' "" types.lines;
    users.groups = with' { } (types.attrsOf (types.submodule {
      options = { gid = none types.int; members = list (types.listOf types.str); description = with' "" types.str; };
    }));
  };
in
{
  nixos.options = common // {
    nix = common.nix // machines;
    inherit (system) programs;
    environment = system.environment // {
      etc = with' { } (types.attrsOf (types.submodule {
        options = { source = none types.path; text = none types.lines; mode = with' "symlink" types.str; };
      }));
    };
    services.openssh = system.services.openssh // {
      enable = with' false types.bool;
      settings = with' { } (types.attrsOf types.raw);
    };
    systemd.tmpfiles.rules = list (types.listOf types.str);
    users = {
      inherit (system.users) groups;
      users = with' { } (types.attrsOf (types.submodule {
        options = {
          isSystemUser = with' false types.bool;
          group = with' "" types.str;
          description = with' "" types.str;
          home = with' "/var/empty" types.path;
          createHome = with' false types.bool;
          shell = none (types.either types.package types.path);
        };
      }));
    };
  };

  darwin.options = common // {
    nix = common.nix // machines;
    inherit (system) programs services;
    environment = system.environment // {
      etc = with' { } (types.attrsOf (types.submodule {
        options = { source = none types.path; text = with' "" types.lines; };
      }));
    };
    system.activationScripts = {
      extraActivation.text = with' "" types.lines;
      postActivation.text = with' "" types.lines;
    };
    users = {
      inherit (system.users) groups;
      knownUsers = list (types.listOf types.str);
      knownGroups = list (types.listOf types.str);
      users = with' { } (types.attrsOf (types.submodule {
        options = {
          uid = option types.int;
          gid = with' 20 types.int;
          description = none types.str;
          home = none types.path;
          createHome = with' false types.bool;
          shell = none (types.either types.package types.path);
          isHidden = with' true types.bool;
        };
      }));
    };
  };

  home.options = common // {
    nix = common.nix // machines;
    programs.ssh = {
      enable = with' false types.bool;
      matchBlocks = with' { } (types.attrsOf (types.submodule {
        options = {
          hostname = none types.str;
          user = none types.str;
          port = none types.port;
          identityFile = list (types.either (types.listOf types.str) (types.nullOr types.str));
          identitiesOnly = with' false types.bool;
          serverAliveInterval = with' 0 types.int;
        };
      }));
    };
  };
}
