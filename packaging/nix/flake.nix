{
  description = "nix-gateway: the forced command that makes a Nix remote builder safe to share";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = made: nixpkgs.lib.genAttrs systems (system: made nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: rec {
        nix-gateway = pkgs.callPackage ./package.nix { };
        default = nix-gateway;
      });
      overlays.default = final: _: { nix-gateway = final.callPackage ./package.nix { }; };
      nixosModules.default = ./nixos.nix;
      nixosModules.client = ./client-system.nix;
      darwinModules.default = ./darwin.nix;
      darwinModules.client = ./client-system.nix;
      homeManagerModules.default = ./home-manager.nix;
    };
}
