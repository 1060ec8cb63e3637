# SPDX-License-Identifier: Apache-2.0
#
# make                 build everything into build/
# make demo            install what it needs, play the whole story into build/demo/
# make check           install what it needs, build, run every test
# make SAN=1 check     the same under ASan and UBSan, in build/san/
# make check-cross     the same tests of library and client on armhf, mipsel and s390x, by qemu
# make check-interop   against other people's clients: tuf-js from npm, Go's sumdb
# make coverage        report on what the tests reach, in build/cov/
# make fuzz            build the libFuzzer targets (clang), in build/fuzz/
# make fuzz-run        run each of them for FUZZ_SECONDS
# make fuzz-long       run each of them RUNS times in all, or only TARGET; can be stopped
# make fuzz-report     what came of that, and what the corpora reach
# make fuzz-merge      make the corpora in the tree small and whole
# make lint            formatting, layering, headers, metrics, static analysis
# make bench           measure against curl, nginx, gpg and bare libraries, and print one table;
#                      bench-core, -client, -registry, -escrow, -log: one part of it
# make install         honours DESTDIR, PREFIX, BINDIR, MANDIR
# make install-verify  the small library for other programs: DESTDIR, LIBDIR, INCLUDEDIR
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS are yours; OUT=DIR builds elsewhere; V=1 shows commands;
# WERROR=1 is for CI. SOURCE_DATE_EPOCH (else the date of the last commit) is what a device without a
# clock takes for the earliest time there can be.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
FUZZ_SECONDS ?= 60
BUILD_DATE ?= $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)

B := $(or $(OUT),build$(if $(SAN),/san)$(if $(COVERAGE),/cov)$(if $(FUZZ),/fuzz$(filter-out /1,/$(FUZZ)))$(CROSS:%=/cross/%))
Q := $(if $(V),,@)
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Another machine than this one, with CROSS=armhf and the like.
include tests/setup/machine.mk

# --- flags -------------------------------------------------------------------

pkgs := jansson libcrypto libcurl gpgme libgit2 sqlite3 libmicrohttpd libgfshare libarchive zlib
warn := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla
std := -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -I. $(shell $(PKG_CONFIG) --cflags $(pkgs) 2>/dev/null)
hard_c := -fstack-protector-strong -fPIE
hard_ld := -pie -Wl,-z,relro,-z,now

# FUZZ=1 is libFuzzer with sanitizers; plain, for speed, without; cov only measures. play is for
# targets that play a whole repository: it counts what they are about, and not what that rests on,
# and leaves string functions to the C library.
fuzz_flags_1 := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_flags_plain := -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
fuzz_flags_play := $(fuzz_flags_plain) -O3 -fsanitize-coverage-ignorelist=tests/fuzz/uncounted.txt
fuzz_flags_cov := -fprofile-instr-generate -fcoverage-mapping
fuzzing := $(filter-out cov,$(FUZZ))
fuzz_main = $(if $(fuzzing),-fsanitize=fuzzer)
ifeq ($(FUZZ),play)
fuzz_main = $(shell $(CC) -print-file-name=libclang_rt.fuzzer-$(shell uname -m).a) -lstdc++ -lm
endif

ifdef SAN
inst := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifdef COVERAGE
inst := --coverage -O0
else ifdef FUZZ
inst := $(fuzz_flags_$(FUZZ))
else
hard_c += -D_FORTIFY_SOURCE=2
endif

all_cflags = $(cross_cflags) $(std) $(warn) $(if $(WERROR),-Werror) $(hard_c) $(CPPFLAGS) $(CFLAGS) $(inst)
all_ldflags = $(cross_ldflags) $(hard_ld) -Wl,--as-needed $(LDFLAGS) $(inst)
# Some 32-bit machines do atomic operations on 64 bits in a library.
libs := $(shell $(PKG_CONFIG) --libs $(pkgs) 2>/dev/null) -lpthread $(if $(CROSS),-latomic)

# --- what there is -----------------------------------------------------------

folders := lib policies registry client escrow
mains := registry/main.c registry/publish/main.c client/main.c client/bootsim.c escrow/main.c
all_src := $(shell find $(folders) -name '*.c')
lib_obj := $(patsubst %.c,$(B)/%.o,$(filter-out $(mains),$(all_src))) \
	$(B)/gen/migrations.o $(B)/gen/shipped.o
# What verifies, alone: it does no I/O and knows no clock (docs/ARCHITECTURE.md, "The small library").
verify_src := $(patsubst %,lib/%.c,base/buf base/digest base/error base/hex base/utc json/canon \
	json/strict sign/ed25519 sign/envelope sign/key sign/pgp_packet tlog/checkpoint tlog/lines \
	tlog/merkle tlog/note tlog/policy tlog/witness tuf/chain tuf/client tuf/delegation tuf/find \
	tuf/hashes tuf/role)
version := $(shell sed -n 's/^\#define VERSION "\(.*\)"/\1/p' lib/base/cli.c)
verify_libs := $(shell $(PKG_CONFIG) --libs jansson libcrypto 2>/dev/null)
progs := bequest-registry bequest-publish bequest-client bequest-escrow bootsim
bins := $(progs:%=$(B)/%)
cases := $(wildcard tests/unit/test_*.c tests/attack/test_*.c tests/policy/test_*.c)
units := $(patsubst %.c,$(B)/%,$(cases))
# The sanitizers and the library that test_client_killpoint.py preloads do not go together, and
# instrumented code calls more than test_verifier_symbols.py allows.
not_instrumented := $(if $(SAN),%/test_client_killpoint.py) $(if $(inst),%/test_verifier_symbols.py)
scripts := $(filter-out $(not_instrumented), \
	$(wildcard tests/integration/test_*.sh tests/integration/test_*.py tests/attack/test_*.py))
fuzzers := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
mans := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
headers := $(shell find $(folders) tests -name '*.h')
sources := $(headers) $(shell find $(folders) tests -name '*.c')

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps check demo run-check run-demo check-unit check-scripts check-corpus coverage fuzz \
	fuzz-run fuzz-long fuzz-report fuzz-merge lint lint-deps check-format check-headers check-layers \
	check-metrics check-tidy check-analyzer check-shell check-threats check-interop run-interop \
	bench doc install install-verify clean FORCE

all: $(bins) $(B)/libbequest-verify.a doc

# --- what it needs -----------------------------------------------------------

deps:
	@sh tests/setup/deps.sh build demo check

check: deps
	+@$(MAKE) --no-print-directory run-check

demo: deps
	+@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/demo/story.py --bin "$(CURDIR)/$(B)" $(if $(SOURCE),--source "$(SOURCE)") $(if $(IMAGE),--image "$(IMAGE)") $(if $(BUILD),--build "$(BUILD)")

# --- compile and link --------------------------------------------------------

# Rebuild when the flags change, not only when sources do.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(all_cflags) $(all_ldflags)' | cmp -s - $@ || echo '$(CC) $(all_cflags) $(all_ldflags)' >$@

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@$(if $(V),,echo '  CC    $<')
	$(Q)$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

# A device without a clock knows at least that it is not before this.
$(B)/client/clock.o: private CPPFLAGS += -DBUILD_DATE=$(BUILD_DATE)

$(B)/gen/%.o: $(B)/gen/%.c $(B)/flags
	$(Q)$(CC) $(all_cflags) -c -o $@ $<

$(B)/gen/migrations.c: registry/store/embed.awk $(sort $(wildcard registry/store/sql/*.sql))
	@mkdir -p $(@D)
	$(Q)awk -f $^ </dev/null >$@

$(B)/gen/shipped.c: policies/embed.awk $(sort $(filter-out policies/schema/%,$(wildcard policies/*/*.json)))
	@mkdir -p $(@D)
	$(Q)awk -f $^ </dev/null >$@

$(B)/libbequest.a: $(lib_obj)
$(B)/libbequest-verify.a: $(verify_src:%.c=$(B)/%.o) Makefile

# A file that is gone must not live on in an archive.
$(B)/%.a:
	$(Q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

link = @$(if $(V),,echo '  LINK  $@';) $(CC) $(all_ldflags) -o $@ $^ $(libs)

$(B)/bequest-registry: $(B)/registry/main.o $(B)/libbequest.a
	$(link)
$(B)/bequest-publish: $(B)/registry/publish/main.o $(B)/libbequest.a
	$(link)
$(B)/bequest-client: $(B)/client/main.o $(B)/libbequest.a
	$(link)
$(B)/bequest-escrow: $(B)/escrow/main.o $(B)/libbequest.a
	$(link)
$(B)/bootsim: $(B)/client/bootsim.o $(B)/libbequest.a
	$(link)

$(B)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	$(Q)scdoc <$< >$@

doc: $(mans)

# --- tests -------------------------------------------------------------------

wrap := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
support := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))

$(units): $(B)/%: $(B)/%.o $(B)/tests/unit/oom.o $(support) $(B)/libbequest.a
	$(Q)$(CC) $(all_ldflags) $(wrap) -o $@ $^ $(libs) -lcmocka

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(if $(fuzzing),,$(B)/tests/fuzz/replay.o) $(B)/libbequest.a
	$(Q)$(CC) $(all_ldflags) $(fuzz_wrap) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(fuzz_main) $(libs)

# Targets that sign what they invent, and what the linker replaces in them.
toy := key_verify ed25519_public ed25519_sign ed25519_verify signer_generate signer_from_pem \
	signer_sign_envelope
toys := tuf_client evidence chain pick quorum judge
played := tuf_client evidence
fuzz_with = $(patsubst %,$(B)/tests/fuzz/fuzz_%,$(1)): $(patsubst %,$(B)/tests/%.o,$(2))
$(call fuzz_with,$(toys),fuzz/toy fuzz/surgery)
$(call fuzz_with,tuf_client chain pick,support/tuf_sim)
$(call fuzz_with,evidence,support/product_log support/tiles)
$(call fuzz_with,judge,support/tiles)
$(call fuzz_with,merkle signature,fuzz/surgery)
$(call fuzz_with,journal history payload,fuzz/room)
ifneq ($(fuzzing),)
json := api deposit envelope key pick policy publisher review state statement tuf_role
$(call fuzz_with,$(json),fuzz/mutate fuzz/surgery)
endif
$(toys:%=$(B)/tests/fuzz/fuzz_%): fuzz_wrap := $(toy:%=-Wl,--wrap=%)
$(B)/tests/fuzz/fuzz_api: fuzz_wrap := -Wl,--wrap=http_send,--wrap=nanosleep,--wrap=clock_gettime
$(B)/tests/fuzz/fuzz_payload: fuzz_wrap := -Wl,--wrap=gpg_decrypt_stream,--wrap=pthread_create,--wrap=pthread_join

# What tests/bench measures inside one process.
benches := core biglog
$(benches:%=$(B)/tests/bench/%): $(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/tests/bench/side.o $(B)/libbequest.a
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(libs)

# A passed test leaves a stamp: `make -j check` runs them in parallel, and again
# only when what they depend on has changed.
judge = && { touch $@; echo '  PASS  $*'; } || { rm -f $@; cat $@.log; echo '  FAIL  $*'; exit 1; }

$(units:=.ok): $(B)/%.ok: $(B)/% $(wildcard tests/policy/*/*.json tests/data/*)
	$(Q)$(runs) $< >$@.log 2>&1 $(judge)

$(scripts:%=$(B)/%.ok): $(B)/%.ok: % $(wildcard tests/integration/lib* tests/attack/lib*) $(progs:%=$(bin)/%)
	@mkdir -p $(@D)
	$(Q)BIN="$(CURDIR)/$(bin)" SAN="$(SAN)" CROSS="$(CROSS)" PYTHON="$(PYTHON)" PYTHONPATH=tests/integration \
		$(if $(filter %.py,$<),$(PYTHON),sh) $< >$@.log 2>&1 $(judge)

$(B)/tests/integration/test_man.py.ok: $(wildcard docs/man/*)

$(B)/tests/verifier/%: $(B)/tests/verifier/%.o $(B)/libbequest-verify.a
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(verify_libs)

$(patsubst %,$(B)/tests/integration/test_%.py.ok,verifier verifier_symbols): $(bin)/tests/verifier/from_memory $(B)/libbequest-verify.a

$(B)/tests/fuzz/fuzz_%.ok: $(B)/tests/fuzz/fuzz_% $(wildcard tests/fuzz/corpus/*/*)
	$(Q)$(runs) $< $(wildcard tests/fuzz/corpus/$*/*) >$@.log 2>&1 $(judge)

check-unit: $(units:=.ok)
check-scripts: $(patsubst tests/%,$(B)/tests/%.ok,$(scripts))
check-corpus: $(fuzzers:=.ok)
run-check: check-unit check-scripts check-corpus
	@echo "$(words $(units) $(scripts) $(fuzzers)) passed, 0 failed"

# Other people's clients; tuf-js comes from npm, by a lock file with digests.
interop_scripts := $(wildcard tests/interop/test_*.py)
node_modules := $(B)/interop/node_modules/.package-lock.json

check-interop:
	@sh tests/setup/deps.sh build check interop
	+@$(MAKE) --no-print-directory run-interop

run-interop: $(interop_scripts:%=$(B)/%.ok)
	@echo "$(words $(interop_scripts)) passed, 0 failed"

$(node_modules): tests/interop/package.json tests/interop/package-lock.json
	@mkdir -p $(B)/interop
	$(Q)cp $^ $(B)/interop
	$(Q)cd $(B)/interop && npm ci --ignore-scripts --omit=optional --no-audit --no-fund >npm.log 2>&1 || \
		{ cat npm.log; exit 1; }

$(B)/interop/sumdb: $(wildcard tests/interop/sumdb/*.go)
	@mkdir -p $(@D)
	$(Q)cd tests/interop/sumdb && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= \
		GOCACHE="$(abspath $(B)/interop/go)" go build -o "$(abspath $@)" .

$(B)/interop/tlog_read: $(B)/tests/interop/tlog_read.o $(B)/libbequest.a
	@mkdir -p $(@D)
	$(link)

$(interop_scripts:%=$(B)/%.ok): $(B)/%.ok: % $(wildcard tests/interop/lib* tests/interop/*.cjs \
		tests/integration/lib*) $(bins) $(node_modules) $(B)/interop/sumdb $(B)/interop/tlog_read
	@mkdir -p $(@D)
	$(Q)BIN="$(CURDIR)/$(B)" INTEROP_MODULES="$(CURDIR)/$(B)/interop" \
		INTEROP_SUMDB="$(CURDIR)/$(B)/interop/sumdb" \
		INTEROP_TLOG_READ="$(CURDIR)/$(B)/interop/tlog_read" $(PYTHON) $< >$@.log 2>&1 $(judge)

# A report on a run that failed is one still; several tests write the same counts at once, and
# killed programs write none.
coverage: lint-deps
	+$(Q)failed=; $(MAKE) -k COVERAGE=1 run-check || failed=1; \
	gcovr -r . $(folders:%=--filter '%/') --gcov-ignore-parse-errors \
		--json-summary build/cov/summary.json --html-details build/cov/report.html build/cov && \
	$(PYTHON) tests/lint/coverage.py build/cov/summary.json && test -z "$$failed"

fuzz: lint-deps
	$(Q)$(MAKE) FUZZ=1 CC=clang $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

fuzz-run: fuzz
	$(Q)sh tests/fuzz/run.sh build/fuzz/tests/fuzz $(FUZZ_SECONDS)

# Long runs go on where they were stopped; see docs/FUZZING.md.
RUNS ?= 10000000
WORKERS ?= $(shell nproc)
fuzz-long: fuzz
	$(Q)$(MAKE) FUZZ=plain CC=clang $(patsubst %.c,build/fuzz/plain/%,$(wildcard tests/fuzz/fuzz_*.c))
	$(Q)$(MAKE) FUZZ=play CC=clang $(played:%=build/fuzz/play/tests/fuzz/fuzz_%)
	$(Q)$(PYTHON) tests/fuzz/long.py run --runs $(RUNS) --workers $(WORKERS) $(if $(TARGET),--target $(TARGET))

fuzz-report: lint-deps
	$(Q)$(MAKE) FUZZ=cov CC=clang $(patsubst %.c,build/fuzz/cov/%,$(wildcard tests/fuzz/fuzz_*.c))
	$(Q)$(PYTHON) tests/fuzz/long.py report

fuzz-merge: fuzz
	$(Q)$(PYTHON) tests/fuzz/long.py merge $(if $(TARGET),--target $(TARGET))

bench:
	@sh tests/setup/deps.sh build check bench
	+$(Q)$(MAKE) --no-print-directory all $(benches:%=$(B)/tests/bench/%)
	$(Q)$(PYTHON) tests/bench/bench.py --bin "$(CURDIR)/$(B)" $(if $(ONLY),--only $(ONLY))

# One part of it.
bench-%:
	+@$(MAKE) --no-print-directory bench ONLY=$*

include tests/setup/cross.mk

# --- lint --------------------------------------------------------------------

lint-deps:
	@sh tests/setup/deps.sh build check lint

lint: lint-deps
	+@$(MAKE) --no-print-directory check-format check-headers check-layers check-metrics check-tidy \
		check-analyzer check-shell check-threats
	@echo 'lint: clean'

check-format:
	@clang-format --dry-run -Werror $(sources)

# Each header must compile on its own.
check-headers: $(headers:%=$(B)/lint/%.header)
$(B)/lint/%.header: % $(B)/flags
	@mkdir -p $(@D)
	@echo '#include "$<"' | $(CC) $(std) $(warn) -Werror -fsyntax-only -x c - && touch $@

# Who may include whom, and who may call GPGME; see docs/ARCHITECTURE.md.
check-layers:
	@sh tests/lint/layers.sh

check-metrics:
	@$(PYTHON) tests/lint/metrics.py --gate $(folders) tests

lint_src := $(all_src)
# One file per run: clang-tidy 14 reports false va_list errors otherwise.
check-tidy: $(lint_src:%=$(B)/lint/%.tidy)
$(B)/lint/%.tidy: % $(B)/flags .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(std) >$@.log 2>/dev/null && touch $@ || { cat $@.log; exit 1; }

# Finds leaks; understands CLEANUP(), which clang's analyzer does not.
check-analyzer: $(lint_src:%=$(B)/lint/%.analyzer)
$(B)/lint/%.analyzer: % $(B)/flags
	@mkdir -p $(@D)
	@gcc $(std) $(warn) -O2 -fanalyzer -Werror -c -o /dev/null $< && touch $@

# docs/THREATS.md and docs/CONFORMANCE.md name tests that exist.
check-threats:
	@$(PYTHON) tests/lint/threats.py

check-shell:
	@shellcheck -x $(shell find tests .ci -name '*.sh') .ci/run

# --- install -----------------------------------------------------------------

install: all
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(MANDIR)/man1"
	install -m 755 $(filter-out %/bootsim,$(bins)) "$(DESTDIR)$(BINDIR)"
	install -m 644 $(mans) "$(DESTDIR)$(MANDIR)/man1"

# Its headers include each other as lib/...; `pkg-config bequest-verify` says where that begins.
verify_h := $(filter $(headers),$(verify_src:.c=.h)) lib/base/compiler.h
install-verify: $(B)/libbequest-verify.a
	install -d $(addprefix "$(DESTDIR)$(INCLUDEDIR)"/bequest/,$(sort $(dir $(verify_h))))
	install -d "$(DESTDIR)$(LIBDIR)/pkgconfig"
	for h in $(verify_h); do install -m 644 $$h "$(DESTDIR)$(INCLUDEDIR)/bequest/$$h" || exit 1; done
	install -m 644 $< "$(DESTDIR)$(LIBDIR)"
	printf '%s\n' 'Name: bequest-verify' 'Description: TUF client and log verification without I/O' \
		'Version: $(version)' 'Requires: jansson libcrypto' \
		'Cflags: -I$(INCLUDEDIR)/bequest' 'Libs: -L$(LIBDIR) -lbequest-verify' \
		>"$(DESTDIR)$(LIBDIR)/pkgconfig/bequest-verify.pc"

clean:
	rm -rf build

-include $(shell find $(B) \( -name demo -o -name sysroot \) -prune -o -type f -name '*.d' -print 2>/dev/null)
