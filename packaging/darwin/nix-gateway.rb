# A formula for Homebrew. It builds from a checkout of the source, which HOMEBREW_NIX_GATEWAY names; see README.md.
class NixGateway < Formula
  desc "Forced command that makes a Nix remote builder safe to share"
  license "MIT"
  head ENV.fetch("HOMEBREW_NIX_GATEWAY", "/usr/local/src/nix-gateway"), using: :git, branch: "main"

  depends_on "pkgconf" => :build
  depends_on "inih"
  depends_on "jansson"
  depends_on "libsodium"

  def install
    # The policy that is used is /etc/nix-gateway/policy.ini, root's file; set-up puts it there.
    system "make", "install", "PREFIX=#{prefix}", "MANDIR=#{man}", "CONFDIR=#{pkgshare}"
    (pkgshare/"packaging").install "packaging/darwin", "packaging/sshd"
    (pkgshare/"policy").install "policy/examples"
  end

  def caveats
    <<~TEXT
      To make this Mac a builder, or after an upgrade:
        sudo #{opt_pkgshare}/packaging/darwin/set-up #{opt_bin}/nix-gateway
      That copies the program to /opt/nix-gateway, where only root can exchange it. The libraries it
      uses stay Homebrew's: who owns #{HOMEBREW_PREFIX} is trusted as root is.
    TEXT
  end

  test do
    (testpath/"policy.ini").write "[key *]\nsystems = *\n"
    system bin/"nix-gateway", "check", "--policy", testpath/"policy.ini"
    (testpath/"fault.ini").write "[key *]\nsistems = *\n"
    assert_match "fault.ini:2:", shell_output("#{bin}/nix-gateway check --policy #{testpath}/fault.ini", 1)
  end
end
