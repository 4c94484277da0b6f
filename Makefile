# nix-gateway. `make demo` and `make check` are the two commands; everything else is for those who build and package.
PREFIX  = /usr/local
BINDIR  = $(PREFIX)/bin
MANDIR  = $(PREFIX)/share/man
EXAMPLEDIR = $(PREFIX)/share/doc/nix-gateway/examples
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR  = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d
CONFDIR = /etc/nix-gateway
DESTDIR =
B       = build
SECONDS = 20
VERSION = 0.1.0

# What systems do in ways of their own is in files named by `uname -s`: NAME_linux.c, NAME_darwin.c, linux.c, darwin.c. A
# system without its files does not build.
SYSTEM  = $(shell uname -s | tr A-Z a-z)
OTHERS  = $(filter-out $(SYSTEM),linux darwin)

LIBS    = libsodium inih jansson $(LIBS_$(SYSTEM))
LIBS_linux = libseccomp
LIB_CFLAGS = $(shell pkg-config --cflags $(LIBS))
WARN    = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
HARDEN  = -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS  = -g
CPPFLAGS =
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS) -MMD -MP \
	$(LIB_CFLAGS)
LDFLAGS = $(LDFLAGS_$(SYSTEM))
LDFLAGS_linux = -pie -Wl,-z,relro,-z,now,-z,noexecstack
LDLIBS  = $(shell pkg-config --libs $(LIBS))

SRC     = $(filter-out $(foreach other,$(OTHERS),%/$(other).c %_$(other).c), \
	$(wildcard gateway/*/*.c) $(wildcard policy/*.c))
OBJ     = $(SRC:%.c=$(B)/%.o)
PAGES   = $(wildcard packaging/man/*.[578])

# The unit tests: every file of tests/unit is one program, built with the sanitizers against all but main.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT    = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*/*.c))
UNIT_OBJ = $(patsubst %.c,$(B)/asan/%.o,$(filter-out gateway/cli/main.c,$(SRC)))

# The fuzz targets: every fuzz_*.c of tests/fuzz is one, built as the unit tests are, by a clang that brings the fuzzer.
export FUZZ_CC = clang
FUZZ    = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%/run,$(filter-out $(FUZZ_NOT_$(SYSTEM)),$(wildcard tests/fuzz/*.c)))
# Its linker has no --wrap.
FUZZ_NOT_darwin = tests/fuzz/fuzz_session.c
FUZZ_OBJ = $(UNIT_OBJ:$(B)/asan/%=$(B)/fuzz/objects/%)
FUZZ_MAIN = -fsanitize=fuzzer

all: $(B)/nix-gateway

objects: $(OBJ)

$(B)/nix-gateway: $(OBJ)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -O1 $(SANITIZE) -c -o $@ $<

$(B)/asan/lib.a: $(UNIT_OBJ)
	rm -f $@
	ar rc $@ $^

$(B)/unit/%: $(B)/asan/tests/unit/%.o $(B)/asan/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(SANITIZE) $(WRAP) -o $@ $^ $(LDLIBS) $(shell pkg-config --libs cmocka)

# And once more without them, from the objects of the program itself: for valgrind, but for what cannot run under it.
PLAIN   = $(patsubst $(B)/unit/%,$(B)/plain/unit/%,$(filter-out $(B)/unit/no_memory/% $(B)/unit/sandbox/%,$(UNIT)))

$(B)/plain/lib.a: $(filter-out $(B)/gateway/cli/main.o,$(OBJ))
	@mkdir -p $(@D)
	rm -f $@
	ar rc $@ $^

$(B)/plain/unit/%: $(B)/tests/unit/%.o $(B)/plain/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell pkg-config --libs cmocka)

# What a sanitizer itself asks of the system is what the sandbox takes away: its test goes without.
$(filter $(B)/unit/sandbox/%,$(UNIT)): $(B)/unit/%: $(B)/tests/unit/%.o $(B)/plain/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS) $(shell pkg-config --libs cmocka)

$(B)/fuzz/objects/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -O1 $(SANITIZE) -fsanitize=fuzzer-no-link -c -o $@ $<

# What the targets themselves run through is of no interest to the fuzzer.
$(B)/fuzz/objects/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -O1 $(SANITIZE) -c -o $@ $<

$(B)/fuzz/lib.a: $(FUZZ_OBJ)
	rm -f $@
	ar rc $@ $^

$(B)/fuzz/%/run: $(B)/fuzz/objects/tests/fuzz/%.o $(B)/fuzz/lib.a
	@mkdir -p $(@D)
	$(FUZZ_CC) $(SANITIZE) $(FUZZ_MAIN) $(FUZZ_WRAP) -o $@ $^ $(LDLIBS)

# This one has a stage of its own for these calls.
$(B)/fuzz/fuzz_session/run: FUZZ_WRAP = $(foreach call,read write poll close clock_gettime,-Wl,--wrap=$(call))

# A program of its own: the words of the protocol for the fuzzer.
$(B)/fuzz/dictionary/run: FUZZ_MAIN =

# Which allocation fails is for these tests to say.
SCARCE  = malloc calloc realloc strdup arena_alloc arena_array arena_text
$(B)/unit/no_memory/%: WRAP = $(SCARCE:%=-Wl,--wrap=%)

unit: $(UNIT)
plain: $(PLAIN)

fuzzers: $(FUZZ)

demo: deps
	$(MAKE) all
	tests/e2e/demo $(B)/nix-gateway

check:
	packaging/deps check
	$(MAKE) -j$$(getconf _NPROCESSORS_ONLN) all unit plain $$(! tests/fuzz/possible || echo fuzzers counted)
	tests/e2e/suites
	tests/run $(B)

deps:
	packaging/deps

valgrind: plain
	tests/valgrind $(B)

lint:
	tests/lint $(B)

# On Linux: that the program compiles and links for macOS, arm64 and x86_64.
cross-macos:
	packaging/cross $(B) aarch64-macos.11.0 x86_64-macos.11.0

bench: deps
	$(MAKE) all
	tests/bench/run $(B)/nix-gateway

fuzz:
	packaging/deps fuzz
	$(MAKE) fuzzers
	FUZZ_SECONDS=$(SECONDS) tests/fuzz/run $(B)

# What names the program by its path is written for this PREFIX.
PLACE   = sed 's|/usr/local/bin/nix-gateway|$(BINDIR)/nix-gateway|g; s|/usr/local/share/doc/nix-gateway/examples|$(EXAMPLEDIR)|g'
SAMPLES = packaging/sshd/nix-gateway.conf packaging/sshd/authorized_keys.example \
	policy/examples/team.ini policy/examples/named-keys.ini

# Once more, by a clang that counts which lines run: the program and the unit tests, in $(B)/coverage. Counts of a function
# are summed up only where its text is the same in both.
COUNTS  = $(abspath $(B)/coverage/counts)
counted:
	$(MAKE) B=$(B)/coverage CC=$(FUZZ_CC) SANITIZE= all unit \
		CFLAGS="-g -U_FORTIFY_SOURCE -fcoverage-mapping -fprofile-instr-generate=$(COUNTS)/%m%c -mllvm -runtime-counter-relocation \
			-Wno-unused-command-line-argument"

coverage:
	packaging/deps check
	$(MAKE) counted
	tests/coverage $(B) --whole

# Sessions of every kind for SECONDS (20 by itself; 1200 is a good run), and a look at what they leave behind.
soak: deps
	$(MAKE) all
	tests/soak $(B)/nix-gateway $(SECONDS)

install: all
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(CONFDIR) $(EXAMPLEDIR) $(BASHDIR) $(ZSHDIR) $(FISHDIR) \
		$(MANDIR)/man5 $(MANDIR)/man7 $(MANDIR)/man8)
	install -m 755 $(B)/nix-gateway $(DESTDIR)$(BINDIR)/nix-gateway
	set -e; umask 022; for page in $(PAGES); do \
		$(PLACE) $$page >$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	set -e; umask 022; for sample in $(SAMPLES); do \
		$(PLACE) $$sample >$(DESTDIR)$(EXAMPLEDIR)/$${sample##*/}; done
	install -m 644 packaging/completions/nix-gateway.bash $(DESTDIR)$(BASHDIR)/nix-gateway
	install -m 644 packaging/completions/nix-gateway.zsh $(DESTDIR)$(ZSHDIR)/_nix-gateway
	install -m 644 packaging/completions/nix-gateway.fish $(DESTDIR)$(FISHDIR)/nix-gateway.fish
	test -e $(DESTDIR)$(CONFDIR)/policy.ini || \
		install -m 644 policy/examples/policy.ini $(DESTDIR)$(CONFDIR)/policy.ini
	test -e $(DESTDIR)$(CONFDIR)/authorized_keys || \
		install -m 644 packaging/sshd/authorized_keys $(DESTDIR)$(CONFDIR)/authorized_keys
	@test -n "$(DESTDIR)" || packaging/next-steps $(BINDIR) $(CONFDIR) $(EXAMPLEDIR)

# The policy and the keys are the administrator's: they stay.
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/nix-gateway $(DESTDIR)$(BASHDIR)/nix-gateway $(DESTDIR)$(ZSHDIR)/_nix-gateway \
		$(DESTDIR)$(FISHDIR)/nix-gateway.fish
	for page in $(PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -f $(addprefix $(DESTDIR)$(EXAMPLEDIR)/,$(notdir $(SAMPLES)))
	-rmdir $(DESTDIR)$(EXAMPLEDIR) $(DESTDIR)$(dir $(EXAMPLEDIR)) 2>/dev/null

deb:
	packaging/build-deb $(B) $(VERSION)

rpm:
	packaging/build-rpm $(B) $(VERSION)

check-deb: deb
	tests/packages/deb $(B)

clean:
	rm -rf $(B)

.PHONY: all objects unit plain fuzzers demo check deps lint valgrind counted coverage cross-macos bench fuzz soak install \
	uninstall deb rpm check-deb clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -name package -prune -o -name '*.d' -print 2>/dev/null)
