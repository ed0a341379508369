# fleetwall: no configure step. Each folder becomes an archive, cli/ the program; files are found, so adding one
# needs no change here. `make help` lists the targets.

VERSION := 0.1.0
BUILD ?= build
ifeq ($(strip $(BUILD)),)
$(error BUILD is empty: it is the folder to build in)
endif
prefix ?= /usr/local
sysconfdir ?= $(if $(filter /usr /usr/local,$(prefix)),,$(prefix))/etc
T ?=
FLEET ?=
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 300
V ?=

ifeq ($(origin CC),default)
CC := gcc
endif
AR := ar
# One more than there are processors, as each waits for the disk at times.
JOBS := -j$(shell expr $$(nproc) + 1)

# --- how things are compiled -------------------------------------------------------------------------------------

# Lines for a trace; values of what was optimized a debugger seldom has, and they take a sixth of the time (OPTIMIZE="-O0 -g" has them).
OPTIMIZE ?= -O2 -g1
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Werror
SANITIZE ?=
HARDEN := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
CPPFLAGS_ALL = -D_GNU_SOURCE -DFLEETWALL_VERSION='"$(VERSION)"' -Iinclude $(CPPFLAGS)
CFLAGS_ALL = -std=c17 $(OPTIMIZE) -pthread -fPIE $(WARNINGS) $(HARDEN) $(SANITIZE) $(CFLAGS)
LDFLAGS_ALL = -pthread -pie -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS)
# What is tested is optimized; what tests it need only be compiled and linked quickly, for most of it runs for a moment.
TEST_OPTIMIZE ?= -O0 -U_FORTIFY_SOURCE
# libcheck's assertions end in a variadic macro that clang finds pedantically wrong.
TEST_CFLAGS = $(TEST_OPTIMIZE) $(if $(findstring clang,$(CC)),-Wno-gnu-zero-variadic-macro-arguments)
TEST_LDFLAGS := $(if $(wildcard /usr/bin/ld.gold),-fuse-ld=gold)

# --- the house: folders, what each may be linked with, and the libraries that it may know ---------------------------

FOLDERS := $(foreach f,base db inventory gen analysis push cli,$(if $(wildcard $(f)/*.c),$(f)))
USES_base := base
USES_db := db base
USES_inventory := inventory db base
USES_gen := gen inventory db base
USES_analysis := analysis gen inventory db base
USES_push := push analysis gen db base
USES_cli := cli push analysis gen inventory db base

# Loaded by the program itself (db/libpq.c): only its headers are needed here.
LATE_db := libpq
PACKAGES_inventory := libconfig jansson
PACKAGES_gen := libcrypto
PACKAGES_push := libuv
PACKAGES_cli := libconfig smartcols jansson libuv
# BuDDy has no file for pkg-config. Its archive is taken where there is one: the shared one brings the library of C++ with it, an eighth of
# what the start of the program takes.
BUDDY_ARCHIVE := -Wl,-Bstatic -lbdd -Wl,-Bdynamic -lm
# Its steps are counted on their way to bdd_makenode (packets.c), as the library does not count them.
LIBRARIES_analysis := -Wl,--wrap=bdd_makenode $(if $(wildcard $(addsuffix /libbdd.a,/usr/lib/*-linux-* /usr/lib64 /usr/lib /usr/local/lib)),$(BUDDY_ARCHIVE),-lbdd)

# Asked only when something is built, as on a bare machine there is no pkg-config yet; and once, as hundreds of recipes need it.
pkg_config = $(if $(filter undefined,$(origin ANSWER$(1)-$(2))),$(eval ANSWER$(1)-$(2) := $$(shell pkg-config $(1) $(2))))$(ANSWER$(1)-$(2))
flags_of = $(foreach p,$(PACKAGES_$(1)) $(LATE_$(1)),$(call pkg_config,--cflags,$(p)))
libraries_of = $(foreach p,$(sort $(foreach f,$(1),$(PACKAGES_$(f)))),$(call pkg_config,--libs,$(p))) \
	$(foreach f,$(1),$(LIBRARIES_$(f)))
archives_of = $(foreach f,$(filter $(FOLDERS),$(USES_$(1))),$(BUILD)/lib/$(f).a) $(BUILD)/lib/embedded.a
group = -Wl,--start-group $(1) -Wl,--end-group

ifeq ($(V),)
.SILENT:
endif
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

.PHONY: all
all: $(BUILD)/fleetwall

# --- packages --------------------------------------------------------------------------------------------------------

.PHONY: packages packages-check
packages:
	packaging/packages need build
packages-check: packages
	packaging/packages need check

# --- archives and the program ------------------------------------------------------------------------------------------

# The folder of what is made, and a word of it: without the two processes that `mkdir` and `echo` would be for each of a thousand recipes.
folder = $(if $(MADE-$(@D)),,$(shell mkdir -p $(@D))$(eval MADE-$(@D) := yes))
say = $(info $(1))$(folder)

objects_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c))

define FOLDER_RULES
$(BUILD)/obj/$(1)/%.o: $(1)/%.c | packages
	$$(call say,CC $$<)
	$$(CC) $$(CPPFLAGS_ALL) -I$(1) $$(CFLAGS_ALL) $$(call flags_of,$(1)) -MMD -MP -c $$< -o $$@
$(BUILD)/lib/$(1).a: $(call objects_of,$(1)) $(BUILD)/obj/$(1).list
	$$(folder)
	rm -f $$@
	$$(AR) rcsD $$@ $(call objects_of,$(1))
endef
$(foreach f,$(FOLDERS),$(eval $(call FOLDER_RULES,$(f))))

# A folder's list of objects, rewritten only if it changed: so an archive loses what was removed.
.PHONY: FORCE
$(BUILD)/obj/%.list: FORCE
	$(folder)
	echo '$(call objects_of,$*)' | cmp -s - $@ || echo '$(call objects_of,$*)' > $@

embedded_files = $(shell find $(1) -type d -o -type f)
# What the bytes of rulesets and of the cache depend on, and proofs; its digest is part of the program.
build_files := $(wildcard $(foreach f,base inventory gen analysis,$(f)/*.[ch]) include/fleetwall/*.h sql/queries/*.sql templates/*.mustache)

$(BUILD)/gen/embedded_sql.c: base/embed.sh $(call embedded_files,sql)
$(BUILD)/gen/embedded_templates.c: base/embed.sh $(call embedded_files,templates)
$(BUILD)/gen/embedded_push.c: base/embed.sh $(filter-out %.c %.h,$(call embedded_files,push))
$(BUILD)/gen/embedded_build.c: $(build_files)
$(BUILD)/gen/embedded_%.c: base/embed.sh
	$(call say,EMBED $*)
	sh base/embed.sh $* > $@
$(BUILD)/obj/embedded/%.o: $(BUILD)/gen/%.c include/fleetwall/embedded.h | packages
	$(folder)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c $< -o $@
$(BUILD)/lib/embedded.a: $(foreach f,sql templates push build,$(BUILD)/obj/embedded/embedded_$(f).o)
	$(folder)
	rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/fleetwall: $(call archives_of,cli)
	$(call say,LINK $@)
	$(CC) $(LDFLAGS_ALL) -o $@ $(BUILD)/obj/cli/main.o $(call group,$(call archives_of,cli)) \
		$(call libraries_of,$(USES_cli))

# --- test programs -------------------------------------------------------------------------------------------------------

TEST_HELPERS := $(wildcard tests/unit/lib/*.c)
TEST_LIB := $(if $(TEST_HELPERS),$(BUILD)/lib/tests.a)
UNIT_SOURCES := $(foreach f,$(FOLDERS),$(wildcard tests/unit/$(f)/check_*.c))
UNIT_TESTS := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(UNIT_SOURCES)))
ifneq ($(words $(UNIT_TESTS)),$(words $(sort $(UNIT_TESTS))))
$(error two unit tests have the same file name: $(sort $(notdir $(UNIT_SOURCES))))
endif
# In tests/live a source with a main() is a program; the others, and those of lib/, are linked into each of them.
LIVE_SOURCES := $(if $(wildcard tests/live/*.c),$(shell grep -l '^int main\>' tests/live/*.c))
LIVE_HELPERS := $(filter-out $(LIVE_SOURCES),$(wildcard tests/live/*.c tests/live/lib/*.c))
LIVE_LIB := $(if $(LIVE_HELPERS),$(BUILD)/lib/live.a)
LIVE_PROGRAMS := $(patsubst tests/live/%.c,$(BUILD)/tests/live/%,$(LIVE_SOURCES))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzzers/%,$(wildcard tests/fuzz/fuzz_*.c))
# The same with a main() of ours, which only runs the corpus: so that needs no build with libFuzzer.
REPLAYS := $(patsubst $(BUILD)/fuzzers/%,$(BUILD)/replay/%,$(FUZZERS))

all_flags = $(foreach f,$(FOLDERS),$(call flags_of,$(f)))
check_flags = $(call pkg_config,--cflags,check)
check_libraries = $(call pkg_config,--libs,check)

$(BUILD)/obj/tests/%.o: tests/unit/lib/%.c | packages-check
	$(call say,CC $<)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(TEST_CFLAGS) $(all_flags) $(check_flags) -MMD -MP -c $< -o $@
$(BUILD)/lib/tests.a: $(patsubst tests/unit/lib/%.c,$(BUILD)/obj/tests/%.o,$(TEST_HELPERS))
	$(folder)
	rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/obj/live/%.o: tests/live/%.c | packages-check
	$(call say,CC $<)
	$(CC) $(CPPFLAGS_ALL) -Itests/unit/lib -Itests/live/lib $(CFLAGS_ALL) $(TEST_CFLAGS) $(all_flags) $(check_flags) \
		-MMD -MP -c $< -o $@
$(BUILD)/lib/live.a: $(patsubst tests/live/%.c,$(BUILD)/obj/live/%.o,$(LIVE_HELPERS))
	$(folder)
	rm -f $@
	$(AR) rcsD $@ $^

# $(1): program, $(2): source, $(3): the folder whose walls it has, $(4): further flags, $(5): a further archive
define TEST_PROGRAM
$(1): $(2) $(call archives_of,$(3)) $(TEST_LIB) $(5) | packages-check
	$$(call say,TEST $(2))
	$$(CC) $$(CPPFLAGS_ALL) -I$(3) -Itests/unit/lib -Itests/live/lib $$(CFLAGS_ALL) $$(TEST_CFLAGS) $$(all_flags) $$(check_flags) \
		-MMD -MP -MF $$@.d $(4) $$(LDFLAGS_ALL) $$(TEST_LDFLAGS) -o $$@ $(2) \
		$$(call group,$(5) $(TEST_LIB) $(call archives_of,$(3))) $$(call libraries_of,$(USES_$(3))) $$(check_libraries)
endef
# Whoever measures needs nothing that only testing needs.
define BENCH_PROGRAM
$(1): $(2) $(call archives_of,cli) | packages
	$$(call say,BENCH $(2))
	$$(CC) $$(CPPFLAGS_ALL) -Icli $$(CFLAGS_ALL) $$(all_flags) -MMD -MP -MF $$@.d $$(LDFLAGS_ALL) -o $$@ $(2) \
		$$(call group,$(call archives_of,cli)) $$(call libraries_of,$(USES_cli))
endef
folder_of = $(notdir $(patsubst %/,%,$(dir $(1))))
# The unit tests of a folder are one program, which runs the one by whose name it is called (tests/unit/together.c): to link each would
# take as long as to compile it. So main is a name of its own in each object. $(1): name, $(2): folder
define UNIT_OBJECT
$(BUILD)/obj/unit/$(2)/$(1).o: tests/unit/$(2)/$(1).c | packages-check
	$$(call say,TEST tests/unit/$(2)/$(1).c)
	$$(CC) $$(CPPFLAGS_ALL) -I$(2) -Itests/unit/lib $$(CFLAGS_ALL) $$(TEST_CFLAGS) $$(all_flags) $$(check_flags) -Dmain=main_of_$(1) \
		-MMD -MP -c $$< -o $$@
endef
define UNIT_NAME
$(BUILD)/tests/$(1): $(BUILD)/tests/together-$(2)
	ln -sf together-$(2) $$@
endef
# One that takes arguments is a program by itself.
define UNIT_PROGRAM
$(BUILD)/tests/$(1): $(BUILD)/obj/unit/$(2)/$(1).o $(call archives_of,$(2)) $(TEST_LIB)
	$$(call say,LINK $$@)
	$$(CC) $$(CFLAGS_ALL) $$(LDFLAGS_ALL) $$(TEST_LDFLAGS) -Wl,--defsym=main=main_of_$(1) -o $$@ $$< \
		$$(call group,$(TEST_LIB) $(call archives_of,$(2))) $$(call libraries_of,$(USES_$(2))) $$(check_libraries)
endef
# $(1): folder, $(2): its tests
define TOGETHER_PROGRAM
$(BUILD)/tests/together-$(1): tests/unit/together.c $(patsubst %,$(BUILD)/obj/unit/$(1)/%.o,$(2)) $(call archives_of,$(1)) $(TEST_LIB)
	$$(call say,LINK $$@)
	$$(CC) $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) $$(TEST_CFLAGS) '-DTOGETHER=$(patsubst %,X(%),$(2))' $$(LDFLAGS_ALL) $$(TEST_LDFLAGS) -o $$@ \
		$$(filter %.c %.o,$$^) $$(call group,$(TEST_LIB) $(call archives_of,$(1))) $$(call libraries_of,$(USES_$(1))) $$(check_libraries)
endef
ALONE := $(if $(UNIT_SOURCES),$(shell grep -L '^int main(void)' $(UNIT_SOURCES)))
tests_of = $(filter-out $(ALONE),$(wildcard tests/unit/$(1)/check_*.c))
unit_rules = $(foreach s,$(2),$(eval $(call $(1),$(basename $(notdir $(s))),$(call folder_of,$(s)))))
$(call unit_rules,UNIT_OBJECT,$(UNIT_SOURCES))
$(call unit_rules,UNIT_PROGRAM,$(ALONE))
$(call unit_rules,UNIT_NAME,$(filter-out $(ALONE),$(UNIT_SOURCES)))
TOGETHER := $(foreach f,$(FOLDERS),$(if $(wildcard tests/unit/$(f)/check_*.c),$(f)))
$(foreach f,$(TOGETHER),$(eval $(call TOGETHER_PROGRAM,$(f),$(basename $(notdir $(call tests_of,$(f)))))))
$(foreach p,$(LIVE_PROGRAMS),$(eval $(call TEST_PROGRAM,$(p),tests/live/$(notdir $(p)).c,cli,,$(LIVE_LIB))))
$(foreach p,$(BENCH_PROGRAMS),$(eval $(call BENCH_PROGRAM,$(p),tests/bench/$(notdir $(p)).c)))
$(foreach p,$(FUZZERS),$(eval $(call TEST_PROGRAM,$(p),tests/fuzz/$(notdir $(p)).c,analysis,-fsanitize=fuzzer,$(BUILD)/lib/push.a)))
$(foreach p,$(REPLAYS),$(eval $(call TEST_PROGRAM,$(p),tests/fuzz/$(notdir $(p)).c,analysis,,$(BUILD)/obj/replay/replay.o $(BUILD)/lib/push.a)))
$(BUILD)/obj/replay/replay.o: tests/fuzz/replay.c | packages-check
	$(call say,CC $<)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(TEST_CFLAGS) -MMD -MP -c $< -o $@

# What clang says of the sources that it does not compile with the sanitizers (make check): the tests on real things, and who measures.
SYNTAX := $(patsubst %.c,$(BUILD)/syntax/%.ok,$(wildcard tests/live/*.c tests/live/lib/*.c tests/bench/*.c tests/demo/*.c))
$(BUILD)/syntax/%.ok: %.c | packages-check
	$(folder)
	clang -fsyntax-only $(CPPFLAGS_ALL) $(addprefix -I,$(FOLDERS)) -Itests/unit/lib -Itests/live/lib -std=c17 $(WARNINGS) \
		-Wno-gnu-zero-variadic-macro-arguments $(all_flags) $(check_flags) -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	touch $@

.PHONY: unit-programs memcheck-programs live-programs bench-programs fuzz-programs replay-programs test-programs syntax asan-programs check-programs
replay-programs: $(REPLAYS)
syntax: $(SYNTAX)
unit-programs: $(UNIT_TESTS)
memcheck-programs: $(UNIT_TESTS) $(patsubst %,$(BUILD)/tests/together-%,$(TOGETHER))
live-programs: $(LIVE_PROGRAMS)
bench-programs: $(BENCH_PROGRAMS)
fuzz-programs: $(FUZZERS)
test-programs: all memcheck-programs live-programs bench-programs
# With the jobs of the make that it is part of: so none waits for the last link of the others.
asan-programs:
	$(MAKE) --no-print-directory VERSION=$(VERSION) $(SANITIZED) all unit-programs replay-programs
check-programs: test-programs syntax asan-programs

$(BUILD)/demo/knock: tests/demo/knock.c
	$(call say,CC $<)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) $< -o $@

# --- variants: the same tree built again in a folder of its own ------------------------------------------------------------

AGAIN = $(MAKE) --no-print-directory $(JOBS) VERSION=$(VERSION)
# Unoptimized the sanitizers see what an optimizer leaves out, and compiling takes half the time. By clang, as the rest is gcc's: so both
# compile every source with all warnings, and what each makes of it is run.
# (TEST_LDFLAGS: gold warns of the sanitizer's own symbols; lld takes less than half of what the usual one does.)
LLD = $(if $(wildcard /usr/bin/ld.lld),LDFLAGS='$(LDFLAGS) -fuse-ld=lld')
SANITIZED = BUILD=$(BUILD)/asan CC=clang TEST_LDFLAGS= $(LLD) OPTIMIZE='-O0 -g1' SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'
ASAN = $(AGAIN) $(SANITIZED)
CLANG = $(AGAIN) BUILD=$(BUILD)/clang CC=clang
FUZZ = $(AGAIN) BUILD=$(BUILD)/fuzz CC=clang OPTIMIZE='-O1 -g -fno-omit-frame-pointer' \
	SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
RUN = BUILD='$(BUILD)' T='$(T)' FLEET='$(FLEET)' tests/run

.PHONY: demo check setup unit live lint asan valgrind fuzz soak golden format bench bench-push clang lab
demo:
	packaging/packages install build
	$(AGAIN) all $(BUILD)/demo/knock
	FLEETWALL='$(abspath $(BUILD))/fleetwall' KNOCK='$(abspath $(BUILD))/demo/knock' FLEET='$(FLEET)' tests/demo/demo.sh

# Real machines in namespaces, to try it on (as root); tests/lab/lab down takes them away.
lab:
	packaging/packages install build lab
	$(AGAIN) all
	FLEETWALL='$(abspath $(BUILD))/fleetwall' tests/lab/lab up

setup:
	packaging/packages install build check lab

# Of the properties that are tried at random make check tries a part (tests/unit/lib/rounds.h); make unit and make asan try all of it.
check:
	packaging/packages install build check lab
	$(AGAIN) check-programs
	UNIT_SHARE=4 SANITIZED_SHARE=16 $(RUN) lint unit golden asan valgrind fuzz live

unit:
	$(AGAIN) unit-programs
	$(RUN) unit
live:
	$(AGAIN) all live-programs $(BUILD)/bench/fleet
	$(RUN) live
lint:
	$(RUN) lint
asan:
	$(ASAN) all unit-programs
	$(RUN) asan
valgrind:
	$(AGAIN) all memcheck-programs
	VALGRIND_ALL=1 $(RUN) valgrind
fuzz:
	$(FUZZ) fuzz-programs
	BUILD='$(BUILD)' T='$(T)' FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/fuzz/run.sh
# What make check does for seconds, for as long as it takes to find what is rare.
LONG = TOP='$(CURDIR)' BUILD='$(abspath $(BUILD))' FLEETWALL='$(abspath $(BUILD))/fleetwall'
soak:
	$(AGAIN) all $(BUILD)/bench/fleet $(addprefix $(BUILD)/tests/live/,kernel_every kernel_filter)
	$(LONG) SOAK_SECONDS='$(SOAK_SECONDS)' tests/soak/incremental.sh
	$(LONG) DAYS=30 tests/live/time_travel.sh
	$(LONG) BAD_DAYS=150 tests/live/bad_days.sh
	$(LONG) CONCURRENCY_SECONDS=30 tests/live/concurrency.sh
	$(LONG) WHO_CAN_ALL=1 tests/live/who_can.sh
	$(LONG) PUSH_KILLS=50 tests/live/push_kill.sh
	$(LONG) PUSH_MACHINES=60 tests/live/push_many.sh
	$(LONG) KERNEL_EVERY_ALL=1 '$(BUILD)/tests/live/kernel_every'
	KERNEL_FILTER_ROUNDS=100 KERNEL_FILTER_SEED=1000 '$(BUILD)/tests/live/kernel_filter'
golden:
	$(AGAIN) test-programs
	BUILD='$(abspath $(BUILD))' FLEETWALL='$(abspath $(BUILD))/fleetwall' tests/golden/run.sh --update
format:
	tests/lib/wrap.sh
bench:
	packaging/packages install build bench
	$(AGAIN) all bench-programs
	BUILD='$(BUILD)' T='$(T)' tests/bench/run.sh
# Of pushing, with the lab's machines: as root.
bench-push:
	packaging/packages install build lab bench
	$(AGAIN) all $(BUILD)/bench/fleet $(BUILD)/bench/timed $(BUILD)/bench/push_answer
	BUILD='$(BUILD)' T='$(T)' tests/bench/push.sh
clang:
	$(CLANG) test-programs

# --- installing ------------------------------------------------------------------------------------------------------------

MAN_PAGES := $(wildcard packaging/man/*.[1-8])
COMPLETIONS := $(wildcard packaging/completions/*)
DOCUMENTS := $(wildcard README.md packaging/doc/* push/fleetwall-host)
UNITS := $(wildcard packaging/systemd/*)
at = $(DESTDIR)$(prefix)
cron_path = $(DESTDIR)$(sysconfdir)/cron.d/fleetwall
# What the README leads to in the tree stands beside it.
beside_it = s:packaging/doc/::g; s:push/fleetwall-host:fleetwall-host:g; s:man packaging/man/\([a-z.-]*\)\.\([1-8]\):man \2 \1:g
with_bindir = sed 's|@bindir@|$(prefix)/bin|' '$(1)'
completion_path = $(if $(filter %.bash,$(1)),share/bash-completion/completions/fleetwall,$(if \
	$(filter %.zsh,$(1)),share/zsh/site-functions/_fleetwall,share/fish/vendor_completions.d/fleetwall.fish))
unit_path = lib/systemd/system/$(notdir $(1))
man_path = share/man/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))

.PHONY: deb install uninstall clean help
deb:
	packaging/packages install build deb
	packaging/deb '$(abspath $(BUILD))' '$(VERSION)'
install: all
	install -D -m 0755 '$(BUILD)/fleetwall' '$(at)/bin/fleetwall'
	set -e; $(foreach m,$(MAN_PAGES),install -D -m 0644 '$(m)' '$(at)/$(call man_path,$(m))';)
	set -e; $(foreach c,$(COMPLETIONS),install -D -m 0644 '$(c)' '$(at)/$(call completion_path,$(c))';)
	set -e; $(foreach d,$(DOCUMENTS),install -D -m 0644 '$(d)' '$(at)/share/doc/fleetwall/$(notdir $(d))';)
	sed '$(beside_it)' README.md >'$(at)/share/doc/fleetwall/README.md'
	set -e; $(foreach u,$(UNITS),install -D -m 0644 '$(u)' '$(at)/$(call unit_path,$(u))'; \
		$(call with_bindir,$(u)) >'$(at)/$(call unit_path,$(u))';)
# Somebody may have switched it on, or changed its hour.
	test -e '$(cron_path)' || { install -D -m 0644 packaging/cron/fleetwall '$(cron_path)' && \
		$(call with_bindir,packaging/cron/fleetwall) >'$(cron_path)'; }
uninstall:
	rm -f '$(at)/bin/fleetwall'
	rm -f $(foreach m,$(MAN_PAGES),'$(at)/$(call man_path,$(m))')
	rm -f $(foreach c,$(COMPLETIONS),'$(at)/$(call completion_path,$(c))')
	rm -f $(foreach d,$(DOCUMENTS),'$(at)/share/doc/fleetwall/$(notdir $(d))')
	rm -f $(foreach u,$(UNITS),'$(at)/$(call unit_path,$(u))')
	! test -e '$(cron_path)' || { $(call with_bindir,packaging/cron/fleetwall) | cmp -s - '$(cron_path)' && rm '$(cron_path)'; } || \
		echo 'left as it is: $(cron_path)'
	rmdir '$(at)/share/doc/fleetwall' 2>/dev/null || true
clean:
	case '$(abspath $(BUILD))' in /|'$(CURDIR)') echo 'BUILD=$(BUILD) is no build folder' >&2; exit 2;; esac
	rm -rf -- '$(BUILD)' compile_commands.json

# For editors and language servers: one entry a source, with the flags that it is compiled with.
SOURCES := $(foreach f,$(FOLDERS),$(wildcard $(f)/*.c))
.PHONY: compile_commands.json
compile_commands.json: packages
	{ $(foreach s,$(SOURCES),echo '$(s)|$(CC) $(subst ','\'',$(CPPFLAGS_ALL)) -I$(patsubst %/,%,$(dir $(s))) \
		$(CFLAGS_ALL) $(call flags_of,$(patsubst %/,%,$(dir $(s)))) -c $(s)';) \
	  $(foreach s,$(UNIT_SOURCES),echo '$(s)|$(CC) $(subst ','\'',$(CPPFLAGS_ALL)) -I$(call folder_of,$(s)) \
		-Itests/unit/lib $(CFLAGS_ALL) $(all_flags) $(check_flags) -c $(s)';) } | \
	sed -e 's/\\/\\\\/g; s/"/\\"/g' -e 's#^\([^|]*\)|\(.*\)$$#  {"directory": "$(CURDIR)", "file": "\1", "command": "\2"},#' \
		-e '1s/^/[\n/' -e '$$s/,$$/\n]/' > $@

help:
	echo 'make                  build $(BUILD)/fleetwall (V=1 shows the commands; CC=clang works, too)'
	echo 'make demo             a fleet becomes rulesets that the kernel accepts (FLEET=FOLDER: another fleet)'
	echo 'make lab              as root: real machines with sshd and tables of their own, to try it on (tests/lab/lab down ends them)'
	echo 'make check            every test; installs what they need (T=name: only tests whose name has it)'
	echo 'make setup            install the Debian packages for building and testing'
	echo 'make unit             the unit tests alone; so do make lint, make live, make asan, make valgrind'
	echo 'make asan             unit and golden tests by clang with AddressSanitizer and UBSan, in $(BUILD)/asan'
	echo 'make valgrind         unit tests under valgrind'
	echo 'make fuzz             each fuzzer for FUZZ_SECONDS=60, from its corpus in tests/fuzz/corpus'
	echo 'make soak             random edits for SOAK_SECONDS=300: incremental runs make what full runs make (SOAK_SEED=);'
	echo '                      then 30 days, 200 kills and 30 seconds of edits at once; 50 kills of push, and 60 machines;'
	echo '                      and all of the questions and packets that make check tries a part of'
	echo 'make golden           write the golden files again from what the program says now'
	echo 'make format           wrap the lines that are longer than 120 columns'
	echo 'make bench            the benchmarks: a table and a picture of the curves (T="SIZE SHAPE PART": see tests/bench/run.sh)'
	echo 'make bench-push       what pushing costs, beside plain ssh and beside Ansible; needs root (T=PART: see tests/bench/push.sh)'
	echo 'make clang            compile everything with clang, in $(BUILD)/clang'
	echo 'make install          DESTDIR=, prefix=/usr/local, sysconfdir=/etc; make uninstall takes it away again'
	echo 'make deb              a Debian package of what is here, in $(BUILD)'
	echo 'make compile_commands.json   for editors and language servers'
	echo 'make clean            remove $(BUILD)'

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d $(BUILD)/tests/*.d $(BUILD)/tests/live/*.d $(BUILD)/bench/*.d $(BUILD)/fuzzers/*.d $(BUILD)/replay/*.d \
	$(BUILD)/syntax/*/*.d $(BUILD)/syntax/*/*/*.d $(BUILD)/syntax/*/*/*/*.d)
