# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# What takes longer than "make check", or needs more: pools, sanitizers, valgrind, timing, growth, static analysis,
# coverage, fuzzing and a soak. Part of the Makefile. Each check is built in checks/NAME, configured as
# this directory is, but for the compiler and its flags.

comma = ,
# $(eval $(call check_directory,NAME,COMPILER,CFLAGS))
define check_directory
checks/$(1)/Makefile: Makefile $$(srcdir)/tests/checks.mk
	@$$(MKDIR_P) $$(@D)
	@cd $$(@D) && eval "$$(abs_srcdir)/configure $$$$($$(top_builddir)/config.status --config) \
		--quiet CC=$(2) CFLAGS='$(3)' PYTHON=$$(PYTHON)"
endef
IN_CHECK = $(MAKE) --no-print-directory -C checks/$(1)
# Not those tests that build the module themselves, or start httpd without the harness.
IN_HTTPD = $(call IN_CHECK,$(1)) check-httpd \
	PYTEST_FLAGS="--ignore=test_install.py --ignore=test_demo.py $(2) $(PYTEST_FLAGS)"
GCC = gcc
runtime = $(shell $(GCC) -print-file-name=lib$(1).so)

# --- memory of pools: each has pages of its own, which nobody can read when the pool is no more ---

check-pools:
	+$(MAKE) --no-print-directory check-httpd \
		PYTEST_FLAGS="--ignore=test_install.py --ignore=test_demo.py --dead-pools $(PYTEST_FLAGS)"

# --- sanitizers: httpd itself is not built with them, so it is started with their libraries ------

# Leaks are looked for in the unit tests here, and in httpd by valgrind: the sanitizer reports
# those of httpd's modules as well, once they are unloaded without a name. Its alternate signal stack is
# off: when a thread ends itself, as APR's do, the runtime of gcc 12 reports itself for taking that down.
ASAN = ASAN_OPTIONS=use_sigaltstack=0
$(eval $(call check_directory,asan,$(GCC),-O1 -g -fno-omit-frame-pointer -fsanitize=address$(comma)undefined))
check-asan: checks/asan/Makefile
	+$(ASAN) UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 $(call IN_CHECK,asan) check-unit check-fuzz
	+SS_PRELOAD="$(call runtime,asan) $(call runtime,ubsan)" \
	$(ASAN):detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 $(call IN_HTTPD,asan,--dead-pools)

$(eval $(call check_directory,tsan,$(GCC),-O1 -g -fsanitize=thread))
TSAN_TESTS = test_threads.py
TSAN = TSAN_OPTIONS=history_size=4 CK_TIMEOUT_MULTIPLIER=10
TSAN_ATOMICS = $(top_builddir)/checks/tsan/tsan_atomics.so
check-tsan: checks/tsan/Makefile
	$(GCC) $(LIB_CPPFLAGS) -O1 -g -fsanitize=thread -shared -fPIC -o $(TSAN_ATOMICS) $(srcdir)/tests/tsan_atomics.c
	+$(TSAN) $(call IN_CHECK,tsan) check-unit RUN="env LD_PRELOAD=$(TSAN_ATOMICS)"
	+SS_PRELOAD="$(call runtime,tsan) $(TSAN_ATOMICS)" $(TSAN) \
	$(call IN_HTTPD,tsan,$(TSAN_TESTS)) MPMS=event

# --- valgrind ------------------------------------------------------------------------------------

# The last option: tests/unit/exhaust.h has a malloc of its own, on top of the one that is watched.
VALGRIND = valgrind --quiet --vgdb=no --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--keep-debuginfo=yes --num-callers=24 --suppressions=$(abs_srcdir)/tests/valgrind.supp \
	--soname-synonyms=somalloc=nouserintercepts
VALGRIND_TESTS = test_threads.py test_reading.py test_updates.py test_endpoints.py test_formats.py test_require.py
$(eval $(call check_directory,valgrind,$(GCC),-O1 -g))
check-valgrind: checks/valgrind/Makefile
	+CK_FORK=no CK_TIMEOUT_MULTIPLIER=50 $(call IN_CHECK,valgrind) check-unit RUN="$(VALGRIND) --error-exitcode=9"
	+SS_WRAPPER="$(VALGRIND) --log-file={dir}/reports/valgrind.%p" \
	$(call IN_HTTPD,valgrind,$(VALGRIND_TESTS)) MPMS=event

# --- timing --------------------------------------------------------------------------------------

$(eval $(call check_directory,timing,$(GCC),-O2 -g))
check-timing: checks/timing/Makefile
	+$(call IN_CHECK,timing) tests/timing
	$(PYTHON) -B $(srcdir)/tests/timing.py checks/timing/tests/timing

tests/timing: tests/timing.o $(LIB_OBJECTS)
	$(LINK_PROGRAM) -o $@ $^ $(LIBS)

# --- growth --------------------------------------------------------------------------------------

$(eval $(call check_directory,growth,$(GCC),-O2 -g))
check-growth: checks/growth/Makefile
	+$(call IN_CHECK,growth) tests/growth
	$(PYTHON) -B $(srcdir)/tests/growth.py checks/growth/tests/growth

tests/growth: tests/growth.o $(LIB_OBJECTS)
	$(LINK_PROGRAM) -o $@ $^ $(LIBS)

# --- static analysis -----------------------------------------------------------------------------

ANALYZED = $(filter-out $(if $(REDIS_STORE_OBJECTS),,$(REDIS_SOURCES)),$(call sources,$(call within,$(FOLDERS),c) $(MODULES:=.c)))
ANALYZED_HEADERS = $(wildcard $(addprefix $(srcdir)/,$(call within,$(FOLDERS),h) *.h .clang-tidy))
ANALYZE_FLAGS = -std=c99 $(DEFS) $(HTTPD_CPPFLAGS) $(STORES_CPPFLAGS)

analyze: $(addprefix checks/analyze/,$(addsuffix .gcc,$(ANALYZED)) $(addsuffix .tidy,$(ANALYZED)) cppcheck)

$(addprefix checks/analyze/,$(INSPECTOR)/assets.c.gcc $(INSPECTOR)/assets.c.tidy cppcheck): $(INSPECTOR_ASSETS)

checks/analyze/%.gcc: % $(ANALYZED_HEADERS) $(srcdir)/tests/checks.mk
	@$(MKDIR_P) $(@D)
	$(GCC) $(ANALYZE_FLAGS) -O2 -Wall -Wextra -Werror -fanalyzer -c -o $@ $<

checks/analyze/%.tidy: % $(ANALYZED_HEADERS) $(srcdir)/tests/checks.mk
	@$(MKDIR_P) $(@D)
	@echo clang-tidy $<
	@clang-tidy --quiet --warnings-as-errors='*' $< -- $(ANALYZE_FLAGS) >$@.txt 2>&1 || { cat $@.txt; exit 1; }
	@touch $@

# Not judged: where a variable is declared, which is taste; and what has to do with headers of others.
CPPCHECK = cppcheck --quiet --std=c99 --enable=warning,style,performance,portability --inline-suppr \
	--error-exitcode=1 --suppress=variableScope -I$(srcdir) -I. $(DEFS) '-DAPR_STRINGIFY(x)=\#x'
checks/analyze/cppcheck: $(addprefix $(srcdir)/,$(ANALYZED)) $(ANALYZED_HEADERS) $(srcdir)/tests/checks.mk
	@$(MKDIR_P) $(@D)
	$(CPPCHECK) $(addprefix $(srcdir)/,$(ANALYZED))
	@touch $@

# --- coverage ------------------------------------------------------------------------------------

# httpd's children, which are another user's, add to the counters that its parent began.
$(eval $(call check_directory,coverage,$(GCC),-O0 -g --coverage -fprofile-update=atomic))
coverage: checks/coverage/Makefile
	+$(call IN_CHECK,coverage) all test-modules
	find checks/coverage -name '*.gcda' -exec rm {} +
	find checks/coverage -type d -exec chmod a+rwx {} +
	+umask 0 && $(call IN_CHECK,coverage) check-unit
	+umask 0 && $(call IN_HTTPD,coverage)
	$(PYTHON) -B $(srcdir)/tests/coverage.py --gcov gcov $(abs_srcdir) checks/coverage

# --- fuzzing -------------------------------------------------------------------------------------

# Inputs that reach something new are kept in checks/fuzz/corpus for the next run, those that broke
# something in checks/fuzz/broken.
SECONDS = 600
FUZZ_SIZE_MAX = 20000
FUZZ = $(patsubst tests/fuzz/fuzz_%,%,$(FUZZ_TARGETS))
$(eval $(call check_directory,fuzz,clang,-O1 -g -fsanitize=fuzzer-no-link$(comma)address$(comma)undefined \
	-fno-sanitize-recover=undefined))
fuzz: checks/fuzz/Makefile
	+$(call IN_CHECK,fuzz) fuzz-targets FUZZ_MAIN= LDFLAGS=-fsanitize=fuzzer
	@cd checks/fuzz; mkdir -p broken; status=0; \
	for target in $(FUZZ); do \
		echo "$$target: $(SECONDS) seconds"; mkdir -p corpus/$$target; \
		./tests/fuzz/fuzz_$$target -max_total_time=$(SECONDS) -max_len=$(FUZZ_SIZE_MAX) -timeout=20 \
			-print_final_stats=1 -verbosity=0 -artifact_prefix=broken/$$target- \
			corpus/$$target $(abs_srcdir)/tests/fuzz/corpus/$$target >$$target.log 2>&1 \
			|| { status=1; cat $$target.log; }; \
		grep -E '^stat::(number|average)' $$target.log; \
	done; exit $$status

# --- soak ----------------------------------------------------------------------------------------

# SECONDS for each of the MPMS, on the module of this directory.
soak: all test-modules
	$(HARNESS) $(PYTHON) -B $(srcdir)/tests/soak.py --seconds $(SECONDS) $(MPMS)

.PHONY: check-pools check-asan check-tsan check-valgrind check-timing check-growth analyze coverage fuzz soak
