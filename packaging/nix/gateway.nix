# What the modules for NixOS and nix-darwin share: the options, the policy that is made of them, the lines for sshd.
# `program` is where the copy of the program lies that sshd and the account use. Not in the store: sshd runs a key
# command only from folders that nobody but root can write, and /nix/store belongs to the group of the build users.
{ lib, pkgs, cfg, program }:

let
  inherit (lib) mkOption types;

  atom = types.oneOf [ types.bool types.int types.str ];
  section = types.attrsOf (types.nullOr (types.either atom (types.listOf atom)));

  key = {
    options = {
      publicKeys = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICD8wvHOj6Ps8EnDbMa8E28fqROMXTmGY1gf3GRHit61 alice@laptop" ];
        description = ''
          SSH public keys, as in a `.pub` file, that log in as this key.
        '';
      };
      settings = mkOption {
        type = section;
        default = { };
        example = { role = "tester"; expires = "2027-01-31"; };
        description = ''
          The key's section, see {manpage}`nix-gateway.policy(5)`. Fingerprints of `publicKeys` are added.
        '';
      };
    };
  };

  word = value:
    if value == true then "true"
    else if value == false then "false"
    else toString value;

  text = value: if lib.isList value then lib.concatMapStringsSep " " word value else word value;

  # A newline within a name or a value would be a line of its own, and so perhaps a right that nobody meant to give; a
  # semicolon behind a blank would hide the rest.
  oneLine = string:
    if lib.any (part: lib.hasInfix part string) [ "\n" "\r" " ;" "\t;" ]
    then throw "services.nix-gateway: a newline or a comment in a line of the policy: ${builtins.toJSON string}"
    else string;

  # One name alone may be repeated.
  setting = name: value:
    if name == "fingerprint" && lib.isList value
    then map (print: oneLine "fingerprint = ${print}") value
    else lib.optional (value != null) (oneLine "${name} = ${text value}");

  lines = title: more: settings:
    [ (oneLine "[${title}]") ] ++ more ++ lib.concatLists (lib.mapAttrsToList setting settings) ++ [ "" ];

  keyLines = name: key:
    lines "key ${name}" (map (publicKey: oneLine "public-key = ${publicKey}") key.publicKeys) key.settings;

  policyText = lib.concatStringsSep "\n" (
    lib.concatLists (lib.mapAttrsToList (title: settings: lines title [ ] settings) cfg.settings)
    ++ lib.concatLists (lib.mapAttrsToList keyLines cfg.keys)
  );
in
{
  options = {
    enable = lib.mkEnableOption "nix-gateway, the forced command of a shared Nix builder's account";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package to use.";
    };

    account = mkOption {
      type = types.strMatching "[a-z_][a-z0-9_-]*";
      default = "builder";
      description = ''
        The account that clients log in to. It is made, belongs to the gateway alone, and should not be in
        `trusted-users`.
      '';
    };

    settings = mkOption {
      type = types.attrsOf section;
      default = { };
      example = {
        gateway.account = "untrusted";
        default = { systems = [ "x86_64-linux" "i686-linux" ]; timeout = "2h"; };
        "role tester".features = [ "kvm" "nixos-test" ];
      };
      description = ''
        Sections of the policy but those of keys, by what stands between their brackets. Lists become words with blanks
        between them; `null` leaves a name out. See {manpage}`nix-gateway.policy(5)`.
      '';
    };

    keys = mkOption {
      type = types.attrsOf (types.submodule key);
      default = { };
      example = {
        alice = { publicKeys = [ "ssh-ed25519 AAAA... alice@laptop" ]; settings.systems = [ "x86_64-linux" ]; };
      };
      description = ''
        Who may use the builder, by name. Whoever is not named has no access.
      '';
    };
  };

  # The policy, made while the system is built: fingerprints in the place of public keys, and read once by the program
  # that will use it, so that a policy with a fault is never switched to.
  policy = pkgs.runCommand "nix-gateway-policy.ini"
    {
      inherit policyText;
      passAsFile = [ "policyText" ];
      nativeBuildInputs = [ pkgs.buildPackages.openssh ];
    }
    (''
      while IFS= read -r line; do
        case $line in
        "public-key = "*)
          if ! print=$(printf '%s\n' "''${line#public-key = }" | ssh-keygen -lf -); then
            echo "services.nix-gateway.keys: not an SSH public key: ''${line#public-key = }" >&2
            exit 1
          fi
          set -- $print
          line="fingerprint = $2"
          ;;
        esac
        printf '%s\n' "$line"
      done <"$policyTextPath" >"$out"
    '' + lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
      ${cfg.package}/bin/nix-gateway check --policy "$out"
    '');

  # Everything of the account, and nothing of others: whatever is behind it in the same file is for all again.
  sshd = ''
    Match User ${cfg.account}
      AuthorizedKeysCommand ${program} authorized-keys %u %f %t %k
      AuthorizedKeysCommandUser nobody
      AuthorizedKeysFile none
      AuthenticationMethods publickey
      ForceCommand ${program} serve
      ExposeAuthInfo yes
      DisableForwarding yes
      PermitTTY no
      PermitTunnel no
      PermitUserRC no
      AcceptEnv none
      MaxSessions 4
      ClientAliveInterval 30
      ClientAliveCountMax 4
    Match All
  '';

  # nix: the settings of the builder's own Nix.
  assertions = nix: [
    {
      assertion = cfg.keys != { };
      message = "services.nix-gateway.keys is empty: nobody could log in to the builder.";
    }
    {
      assertion = !(cfg.keys ? "*") || cfg.keys."*".publicKeys == [ ];
      message = ''services.nix-gateway.keys."*" is whoever no other key is, so it has no public keys.'';
    }
    {
      assertion = lib.all (title: !lib.hasPrefix "key " title) (lib.attrNames cfg.settings);
      message = "services.nix-gateway.settings: sections of keys belong into services.nix-gateway.keys.";
    }
    {
      assertion = cfg.settings.gateway.account or null != "untrusted"
        || !lib.elem cfg.account (nix.trusted-users or [ ]);
      message = ''
        services.nix-gateway: the policy says account = untrusted, and ${cfg.account} is in nix.settings.trusted-users:
        no session would start. Take it out there.
      '';
    }
  ];

  warnings = nix:
    let
      mayLogIn = key: key.publicKeys != [ ] || key.settings ? fingerprint || key.settings ? certificate-authority;
      closed = lib.filter (name: name != "*" && !mayLogIn cfg.keys.${name}) (lib.attrNames cfg.keys);
      trust = lib.mapAttrsToList (_: key: key.settings.trust or null) cfg.keys
        ++ lib.mapAttrsToList (_: settings: settings.trust or null) cfg.settings;
    in
    lib.optional (closed != [ ])
      "services.nix-gateway.keys: nothing says who may log in as ${lib.concatStringsSep ", " closed} (publicKeys)."
    ++ lib.optional (nix.sandbox or null == false || nix.sandbox or null == "relaxed")
      "services.nix-gateway: nix.settings.sandbox is not true; strangers' builds see and disturb more of this machine."
    ++ lib.optional (lib.elem cfg.account (nix.trusted-users or [ ]) && lib.all (t: t == null || t == "none") trust)
      "services.nix-gateway: ${cfg.account} is in nix.settings.trusted-users, and no key of the policy needs that.";
}
