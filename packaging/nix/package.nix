# The program, from the source that this file lies in.
{ lib, stdenv, pkg-config, libsodium, inih, jansson, libseccomp }:

stdenv.mkDerivation {
  pname = "nix-gateway";
  version = "0.1.0";

  src = lib.cleanSource ../..;

  nativeBuildInputs = [ pkg-config ];
  buildInputs = [ libsodium inih jansson ] ++ lib.optional stdenv.hostPlatform.isLinux libseccomp;

  enableParallelBuilding = true;
  makeFlags = [
    "PREFIX=${placeholder "out"}"
    "CONFDIR=${placeholder "out"}/etc/nix-gateway"
    "CC=${stdenv.cc.targetPrefix}cc"
    "SYSTEM=${if stdenv.hostPlatform.isDarwin then "darwin" else "linux"}"
  ];

  meta = {
    description = "Forced command that makes a Nix remote builder safe to share";
    license = lib.licenses.mit;
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
    mainProgram = "nix-gateway";
  };
}
