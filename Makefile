# SPDX-License-Identifier: GPL-2.0
# kvault: builds, installs and tests. 'make help' lists the targets.

VERSION	:= 0.1.0
SERIES	:= 6.1 6.12
# Kernels that we build ourselves, with checks that find bugs (build-kernel --help).
OWN	:= um debug kcsan

# Everything that is made goes here; two people in one work tree set their own.
BUILD	?= .build
O	:= $(abspath $(BUILD))

# Stock kernels to build for and to boot. 'make vm' and 'make demo' take the first.
KERNEL	?= $(SERIES)
GUEST	 = $(firstword $(KERNEL))

# WERROR=1 is CI's: a user's newer compiler must not break his installation.
WERROR	?=
CFLAGS	?= -O2 -g
prefix	?= /usr
DESTDIR	?=

# What is said on the command line is for this Makefile: TESTS= or RUN= would
# overrule variables of the same name below.
MAKEOVERRIDES :=
export CFLAGS WERROR VERSION BUILD prefix DESTDIR
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Switches for every C compiler call of ours, such as a mutant's -D.
KVAULT_CFLAGS ?=
export KVAULT_CFLAGS

VM	:= selftests/vm
USER	:= $(patsubst %/Makefile,%,$(wildcard daemon/Makefile tools/Makefile))

INSTALL	?= install

.PHONY: all help deps modules daemon tools tests install install-user \
	deps-debug install-dkms uninstall stage demo check check-debug check-kcsan \
	check-unit unit sanitize fuzz coverage lint mutants bench vm clean version deps-guest staged

all: modules daemon tools tests

help:
	@echo 'deps      install what is needed from Debian, cache the guest kernels'
	@echo 'all       build the module for both kernels, the daemon, the tools, the tests'
	@echo 'modules   the module alone (KERNEL=6.1 or 6.12 for one)'
	@echo 'install   on this host: DKMS module, daemon, tools (DESTDIR= for a package)'
	@echo 'vm        boot a guest with all of it (KERNEL=, RUN=, FILES=, ARGS=);'
	@echo '          KERNEL=debug, kcsan and um are kernels of our own'
	@echo 'demo      the tour, in a guest (KERNEL=, BREAK=n)'
	@echo 'check     all tests, in guests of both kernels (KERNEL=, TESTS=pattern)'
	@echo 'check-debug, check-kcsan   all tests on a kernel of our own, which finds invalid accesses,'
	@echo '          leaks, wrong locking ..., or data races; the kernel is built once (make deps-debug)'
	@echo 'check-unit  KUnit, in user-mode Linux: seconds (KERNEL=debug: in that guest; SUITES=glob)'
	@echo 'coverage  what the tests execute, a line per file (KERNEL="debug um", TESTS=pattern)'
	@echo 'fuzz      the module in a guest and the parsers, for TIME=2m (KERNEL=um, debug)'
	@echo 'lint      sparse, checkpatch, clang-format, cppcheck, shellcheck ...'
	@echo 'mutants   each guard removed in turn: its test must fail'
	@echo 'bench     instructions per operation'
	@echo 'Set BUILD= to another folder to work beside someone else.'

deps:
	@$(VM)/host-deps
	@$(VM)/guest-kernel fetch $(SERIES)

# About ten minutes of two cores, once; targets that need them do it by themselves.
deps-debug:
	@$(VM)/host-deps
	@$(VM)/guest-kernel fetch um debug

# --- the module ------------------------------------------------------------
#
# kbuild writes objects beside the sources, so each kernel gets a folder of
# links to them. Links to files that are gone are removed first.

farm = mkdir -p $(1)/kernel && find $(1) -xtype l -delete && \
	ln -sfn $(CURDIR)/Kbuild $(1)/Kbuild && ln -sfn $(CURDIR)/uapi $(1)/uapi && \
	cp -rsf $(CURDIR)/kernel/. $(1)/kernel/

kbuild = dir=$$($(VM)/guest-kernel dir $(1)) && $(MAKE) --no-print-directory -C $$dir/build M=$(2) \
	$(if $(WERROR),W=1 KCFLAGS=-Werror KDOC_WERROR=1) KVAULT_CFLAGS='$(KVAULT_CFLAGS)' $(3)

# Reports name functions; -g lets faddr2line and gcov name lines.
# KCOV=1 and GCOV=1: the module tells the kernel what it executes.
export KCOV GCOV
own = CC=gcc-12 KVAULT_CFLAGS='-g $(KVAULT_CFLAGS)' $(if $(filter um,$(1)),ARCH=um) \
	$(if $(KCOV),KCOV_INSTRUMENT=y) $(if $(GCOV),GCOV_PROFILE=y)

modules: $(addprefix modules-,$(KERNEL))

.PHONY: $(addprefix modules-,$(SERIES))
$(addprefix modules-,$(SERIES)): modules-%:
	@$(call farm,$(O)/$*)
	+@$(call kbuild,$*,$(O)/$*) modules

.PHONY: $(addprefix modules-,$(OWN))
$(addprefix modules-,$(OWN)): modules-%:
	@$(call farm,$(O)/$*)
	+@$(call kbuild,$*,$(O)/$*,$(call own,$*)) modules

# The module with the tests of kernel/kunit/ linked in.
.PHONY: $(addprefix modules-unit-,$(OWN))
$(addprefix modules-unit-,$(OWN)): modules-unit-%:
	@$(call farm,$(O)/unit-$*)
	+@$(call kbuild,$*,$(O)/unit-$*,$(call own,$*) KVAULT_KUNIT=y) modules

# --- userspace ---------------------------------------------------------------

sub = $(if $(wildcard $(1)/Makefile),+@$(MAKE) --no-print-directory -C $(1) O=$(O) $(2))

daemon:
	$(call sub,daemon,all)

tools:
	$(call sub,tools,all)

tests: tools
	$(call sub,selftests,all)

# --- installing ----------------------------------------------------------------

DKMS_SRC = $(DESTDIR)/usr/src/kvault-$(VERSION)

install: install-user install-dkms

install-user: daemon tools
	$(INSTALL) -d $(DESTDIR)$(prefix)/include/linux
	$(INSTALL) -m 644 uapi/linux/*.h $(DESTDIR)$(prefix)/include/linux/
	$(foreach d,$(USER),$(MAKE) --no-print-directory -C $(d) O=$(O) DESTDIR=$(DESTDIR) install &&) true

# With DESTDIR only the sources: a package's postinst calls dkms.
install-dkms:
	rm -rf $(DKMS_SRC)
	$(INSTALL) -d $(DKMS_SRC)
	cp -r Kbuild kernel uapi $(DKMS_SRC)/
	sed 's/#MODULE_VERSION#/$(VERSION)/' dkms.conf > $(DKMS_SRC)/dkms.conf
	$(if $(DESTDIR),,dkms remove -m kvault -v $(VERSION) --all 2>/dev/null || true)
	$(if $(DESTDIR),,dkms install -m kvault -v $(VERSION))
	$(if $(DESTDIR),,systemd-sysusers && systemctl daemon-reload && \
		udevadm control --reload && systemd-tmpfiles --create)

uninstall:
	$(foreach d,$(USER),$(MAKE) --no-print-directory -C $(d) O=$(O) DESTDIR=$(DESTDIR) uninstall;)
	$(if $(DESTDIR),,dkms remove -m kvault -v $(VERSION) --all || true)
	rm -rf $(DKMS_SRC)
	rm -f $(patsubst uapi/%,$(DESTDIR)$(prefix)/include/%,$(wildcard uapi/linux/*.h))

# What a guest finds above this machine's root: everything but DKMS.
# With the tests only when they are asked for: they need the kernel's sources.
stage: modules $(filter tests,$(MAKECMDGOALS))
	rm -rf $(O)/stage.new
	mkdir -p $(O)/stage.new
	$(MAKE) --no-print-directory install-user DESTDIR=$(O)/stage.new
	rm -rf $(O)/stage
	mv $(O)/stage.new $(O)/stage

# --- guests ----------------------------------------------------------------------

# Builds of one folder take turns: two 'make vm' may start at the same time.
# KEEP=1 boots with whatever does build, while someone else repairs the rest.
staged = mkdir -p $(O)/log && \
	if ! flock $(O)/lock $(MAKE) --no-print-directory $(if $(KEEP),-ik) stage $(2) KERNEL='$(1)'  >$(O)/log/build.txt 2>&1; \
	then tail -n 40 $(O)/log/build.txt >&2; exit 1; fi

vm:
	@$(VM)/host-deps build guest
	@$(VM)/guest-kernel dir $(GUEST) >/dev/null
	+@$(call staged,$(GUEST))
	@RUN=$$RUN; export RUN; $(VM)/vm-run --build $(O) --kernel $(GUEST) \
		$(addprefix --file ,$(FILES)) $(ARGS) $(if $(RUN),-- "$$RUN")

# For scripts that show their own progress: 'make deps-guest staged KERNEL=6.1'.
deps-guest:
	@$(VM)/host-deps build guest
	@$(VM)/guest-kernel fetch $(GUEST)

staged:
	+@$(call staged,$(GUEST))

# It says what it will do before it does it, so it also calls for the build.
demo:
	+@KERNEL='$(GUEST)' BREAK='$(BREAK)' BUILD='$(O)' MAKE='$(MAKE)' selftests/demo/run

# With TESTS the unit tests are left out.
check:
	@$(VM)/host-deps build guest
	+@$(call staged,$(KERNEL),tests)
	+@$(if $(TESTS),,$(MAKE) --no-print-directory -j1 unit >$(O)/log/unit.txt 2>&1 || \
		echo 'unit tests failed' >>$(O)/log/unit.txt)
	@selftests/run-check --build $(O) $(addprefix --kernel ,$(KERNEL)) \
		$(if $(TESTS),--tests '$(TESTS)',--unit-log $(O)/log/unit.txt)

check-debug check-kcsan: check-%:
	@$(VM)/host-deps build guest
	@$(VM)/guest-kernel fetch $*
	+@$(call staged,$*,tests)
	@selftests/run-check --build $(O) --kernel $* $(if $(TESTS),--tests '$(TESTS)')

# KUnit in user-mode Linux, or with KERNEL=debug in that guest; SUITES='kvault_gr*'.
check-unit: unit-kernel = $(or $(filter $(OWN),$(KERNEL)),um)
check-unit:
	@$(VM)/host-deps build guest
	@$(VM)/guest-kernel fetch $(unit-kernel)
	@mkdir -p $(O)/log
	+@$(MAKE) --no-print-directory modules-unit-$(unit-kernel) >$(O)/log/unit-build.txt 2>&1 || \
		{ tail -n 40 $(O)/log/unit-build.txt >&2; exit 1; }
	@selftests/run-unit --build $(O) --kernel $(unit-kernel) $(if $(SUITES),--suites '$(SUITES)')

# Tests that need no guest.
unit: daemon tools
	$(foreach d,$(USER) $(if $(wildcard selftests/Makefile),selftests),\
		$(MAKE) --no-print-directory -C $(d) O=$(O) check &&) true

# The unit tests again, under ASan and UBSan.
# Instrumented code makes gcc see overflows that are none: no -Werror here.
sanitize:
	+@$(MAKE) --no-print-directory unit BUILD=$(O)/sanitize WERROR= \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined'
	@$(VM)/host-deps build fuzz
	+@$(MAKE) --no-print-directory -C selftests/fuzz O=$(O) check

# The kernels that tell what was reached; a stock one is fuzzed blindly.
fuzz: FUZZED = $(if $(filter command% environment%,$(origin KERNEL)),$(KERNEL),debug)
fuzz:
	@$(VM)/host-deps build guest fuzz
	@$(VM)/guest-kernel fetch $(FUZZED)
	@selftests/fuzz/run --build $(O) $(addprefix --kernel ,$(FUZZED)) --time $(or $(TIME),2m)

# The debug kernel counts the module, too; a stock kernel's table is userspace's.
coverage: COVERED = $(if $(filter command% environment%,$(origin KERNEL)),$(KERNEL),debug um)
coverage:
	@$(VM)/host-deps build guest
	@$(VM)/guest-kernel fetch $(COVERED)
	+@selftests/run-coverage --build $(O) $(addprefix --kernel ,$(COVERED)) $(if $(TESTS),--tests '$(TESTS)')

lint:
	@$(VM)/host-deps build lint
	@selftests/run-lint --build $(O) $(addprefix --kernel ,$(KERNEL))

mutants: tests
	@$(VM)/host-deps build guest
	@selftests/run-mutants --build $(O) $(MUTANTS)

# Boots with --icount: instructions repeat, time under emulation says nothing.
bench:
	@$(VM)/host-deps build guest
	+@$(call staged,$(GUEST))
	@KERNEL='$(GUEST)' BUILD='$(O)' selftests/bench/run

clean:
	rm -rf $(O)

version:
	@echo $(VERSION)
