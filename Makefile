# mlp: one document that is the theory, the program and the report.
# `make help` lists what can be asked for.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -euc
.DELETE_ON_ERROR:
.SECONDEXPANSION:
.DEFAULT_GOAL := help
export LC_ALL := C

##  setup           install the Debian packages that everything below needs
PACKAGES := gcc libc6-dev make pkg-config noweb \
    texlive-latex-recommended texlive-latex-extra texlive-science \
    texlive-fonts-recommended lmodern latexmk gnuplot-nox \
    libglib2.0-dev zlib1g-dev libcsv-dev \
    libprotobuf-c-dev protobuf-c-compiler libonnx-dev \
    dataset-fashion-mnist poppler-utils \
    perl python3-numpy python3-sympy python3-mpmath python3-onnx clang \
    libomp-dev libopenblas-dev mandoc strace

##  setup-bench     install the peers that `make bench` compares with
BENCH_PACKAGES := python3-numpy python3-sklearn python3-torch libfann-dev \
    python3-threadpoolctl

##  setup-peers     install other readers of ONNX, which tests compare with
# Node.js has many sources, and npm many parts: taken from Debian if not there.
PEER_PACKAGES = python3-opencv \
    $(shell command -v node > /dev/null || echo nodejs) \
    $(shell command -v npm > /dev/null || echo npm)

##  setup-check     install what lint, fuzz, coverage and check-... need
CHECK_PACKAGES := gcc clang clang-tidy libclang-rt-14-dev libomp-dev cppcheck \
    valgrind

##  setup-slurm     install the queue that tests/cluster.t uses
SLURM_PACKAGES := munge slurmctld slurmd slurm-client parallel

##  setup-mpi       install Open MPI, for make MPI=1 and its tests
MPI_PACKAGES := libopenmpi-dev openmpi-bin

SETUPS := $(filter setup setup-bench setup-peers setup-check setup-slurm \
    setup-mpi,$(MAKECMDGOALS))
ifneq ($(SETUPS),)

# What is installed decides what the rest of this file can do; so after
# `make setup report`, report is made by a make that starts after setup.
.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)
REST := $(filter-out $(SETUPS),$(MAKECMDGOALS))
$(REST): $(SETUPS)
	+@$(MAKE) --no-print-directory $@
setup: WANTED := $(PACKAGES)
setup-bench: WANTED := $(BENCH_PACKAGES)
setup-check: WANTED := $(CHECK_PACKAGES)
setup-mpi: WANTED := $(MPI_PACKAGES)
setup-peers: WANTED = $(PEER_PACKAGES)
setup-slurm: WANTED := $(SLURM_PACKAGES)
$(SETUPS):
	@command -v dpkg-query > /dev/null && command -v apt-get > /dev/null || \
	{ echo "$@: this is not Debian; install what these packages" \
	  "contain, then go on without $@: $(WANTED)" >&2; exit 1; }; \
	missing=$$(for p in $(WANTED); do \
	    dpkg-query -W -f='$${db:Status-Status}' $$p 2> /dev/null \
	    | grep -qx installed || echo $$p; done); \
	if [ -z "$$missing" ]; then echo "$@: nothing is missing"; exit; fi; \
	sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
	if [ -n "$$sudo" ] && ! command -v sudo > /dev/null; then \
	    echo "$@: neither root nor sudo; install as root:" $$missing >&2; \
	    exit 1; fi; \
	$$sudo apt-get update; \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y \
	    --no-install-recommends $$missing
	@$(if $(filter setup-peers,$@),$(NPM_CI))
# Of the npm packages, those of the lock file and no scripts of theirs.
NPM_CI = cd tests/peers && to=../../generated/peers && \
    if ! cmp -s package-lock.json $$to/installed; then \
        mkdir -p $$to && cp package.json package-lock.json $$to && \
        (cd $$to && npm ci --ignore-scripts --no-audit --no-fund) && \
        cp package-lock.json $$to/installed; fi

else

G := generated
# (make itself would call it cc, which may be another.)
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O3 -march=native
STANDARD := -std=c11 -D_POSIX_C_SOURCE=200809L -fopenmp -ffp-contract=fast
# (Functions that take a vector are inlined: no ABI matters.)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-psabi
# The same objects serve the programs and the libraries, which show mlp.h only.
SHARED := -fPIC -fvisibility=hidden
# Looked up when a recipe runs, so that `make help` needs nothing installed.
LIBRARY_CFLAGS = $(shell pkg-config --cflags glib-2.0 libprotobuf-c)
LIBRARIES = $(shell pkg-config --libs glib-2.0 libprotobuf-c zlib) \
    -lcsv -lm
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(SHARED) $(CFLAGS) $(LIBRARY_CFLAGS) -iquote $G/src
FASHION ?= /usr/share/datasets/fashion-mnist
export PYTHON ?= /usr/bin/python3
# The version and its day stand in CITATION.cff and nowhere else; the number
# of the library's binary interface changes only when old programs would break.
VERSION = $(shell sed -n 's/^version: "\(.*\)"$$/\1/p' CITATION.cff)
RELEASED = $(shell sed -n 's/^date-released: //p' CITATION.cff)
SOVERSION := 1
# Prefixes for an experiment and for one that is timed, such as the submission
# command of a queue, and how many seconds a shared folder may be behind.
RUN ?=
RUN_TIMED ?= $(RUN)
LATE ?= 60

# What has a line in the help is a name and no file, and so are these:
.PHONY: $(shell sed -n 's/^\#\#  \([a-z-]*\)  .*/\1/p' Makefile) \
    help prove-sanitized prove-valgrind coverage-run
help:
	@sed -n 's/^##  /  make /p' Makefile

# ---------------------------------------------------------------- tangle
##  tangle          extract the C sources and the experiments from mlp.nw
# A source is rewritten only when its text changes (cpif), so a change of
# prose recompiles nothing and trains nothing.
MODULES := real functions network example matrix batch minibatch \
    gradient_check peak error dataset source split idx csv circles picture \
    model shards ranks train checkpoint options plot
SOURCES := $(MODULES:%=$G/src/%.c) $G/src/mlp.c $G/src/ranks-mpi.c
HEADERS := $(MODULES:%=$G/src/%.h)
SCRIPTS := $(shell sed -n 's|^<<\[\[\(experiments/[a-z0-9-]*\.[a-z]*\)\]\]>>=$$|$G/\1|p' mlp.nw)
PICTURES := $(addprefix $G/src/,look.gp curves.gp regions.gp weights.gp \
    confusion.gp)
INTERFACE := library.c mlp.h
MANUAL := manual.head manual.awk manual.tail completion.awk completion.bash
TANGLED := $(SOURCES) $(HEADERS) $(PICTURES) $(SCRIPTS) \
    $(addprefix $G/src/,numpy_gradient.py $(INTERFACE) $(MANUAL)) \
    $G/experiments.mk
tangle: $(TANGLED)
$(TANGLED): $G/tangled ;
$G/tangled: mlp.nw Makefile
	@mkdir -p $G/src $G/experiments
	@for file in $(TANGLED); do \
	    root=$${file#$G/}; root=$${root#src/}; \
	    case $$root in *.c|*.h) lines="$(LINE_DIRECTIVES)";; *) lines=;; esac; \
	    notangle $$lines -R"[[$$root]]" mlp.nw > $G/tangle.part; \
	    cpif $$file < $G/tangle.part; \
	done
	@rm $G/tangle.part
	@touch $@

# ---------------------------------------------------------------- compile
##  build           compile mlp, mlp-double and libmlp; MPI=1: mlp-mpi too
MPI_PROGRAMS := $G/bin/mlp-mpi $G/bin/mlp-mpi-double
TEST_MPI := $(shell pkg-config --exists ompi-c 2> /dev/null && echo yes)
build: $G/bin/mlp $G/bin/mlp-double $G/bin/tiny $G/bin/products \
    $G/lib/libmlp.so $G/lib/libmlp-double.so $G/mlp.1 $G/mlp.bash \
    $(if $(MPI),$(MPI_PROGRAMS))
OBJECTS := $(MODULES:%=%.o) library.o onnx.pb-c.o
single_FLAGS :=
double_FLAGS := -DMLP_DOUBLE
PROTO := $(firstword $(wildcard /usr/include/onnx/onnx.proto /usr/local/include/onnx/onnx.proto))
$G/src/onnx.pb-c.c $G/src/onnx.pb-c.h &: $(PROTO) | $G/tangled
	protoc-c --proto_path=$(dir $(PROTO)) --c_out=$G/src onnx.proto
# The gnuplot scripts of mlp plot as strings of C.
$G/src/scripts.h: $(PICTURES) Makefile
	@for file in $(PICTURES); do \
	    printf 'static const char %s_gp[] =\n' $$(basename $$file .gp); \
	    sed 's/[\\"]/\\&/g; s/.*/    "&\\n"/' $$file; echo '    ;'; \
	done > $@.part
	@mv $@.part $@
$G/obj/%.o: $G/src/$$(notdir $$*).c $(HEADERS) $G/src/onnx.pb-c.h $G/src/scripts.h
	@mkdir -p $(@D)
	$(COMPILE) $($(*D)_FLAGS) -c $< -o $@
# Generated code is not held to the project's warnings.
$G/obj/%/onnx.pb-c.o: WARNINGS :=
$G/obj/%/onnx.pb-c.o: $G/src/onnx.pb-c.c $G/src/onnx.pb-c.h
	@mkdir -p $(@D)
	$(COMPILE) -c $< -o $@
$G/bin/mlp: $(OBJECTS:%=$G/obj/single/%) $G/obj/single/mlp.o
$G/bin/mlp-double: $(OBJECTS:%=$G/obj/double/%) $G/obj/double/mlp.o
$G/bin/tiny: $(OBJECTS:%=$G/obj/double/%) $G/obj/double/tiny.o
$G/bin/products: $(OBJECTS:%=$G/obj/single/%) $G/obj/single/products.o
$G/bin/products: LIBRARIES += -lopenblas
$G/bin/%:
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fopenmp $^ $(LIBRARIES) -o $@
# For many processes: the same objects but one. The tests want them where
# Open MPI is, whether or not anybody has said MPI=1.
$G/bin/mlp-mpi: $(patsubst %,$G/obj/single/%,$(OBJECTS:ranks.o=ranks-mpi.o) mlp.o)
$G/bin/mlp-mpi-double: $(patsubst %,$G/obj/double/%,$(OBJECTS:ranks.o=ranks-mpi.o) mlp.o)
$(MPI_PROGRAMS): LIBRARIES += $(shell pkg-config --libs ompi-c)
$G/obj/%/ranks-mpi.o: LIBRARY_CFLAGS += $(subst -I,-isystem ,$(shell pkg-config --cflags ompi-c))
$G/obj/double/tiny.o: $G/experiments/tiny.c $(HEADERS)
	@mkdir -p $(@D)
	$(COMPILE) -DMLP_DOUBLE -c $< -o $@
$G/obj/single/products.o: $G/experiments/products.c $(HEADERS)
	@mkdir -p $(@D)
	$(COMPILE) -c $< -o $@
$(foreach p,single double,$G/obj/$p/mlp.o $G/obj/$p/library.o): \
    $G/src/version.h $G/src/mlp.h
$G/src/version.h: CITATION.cff
	@mkdir -p $(@D)
	@echo '#define MLP_VERSION "$(VERSION)"' > $@
# From an archive the linker takes only the modules that the library needs.
$G/lib/libmlp.so: $(OBJECTS:%=$G/obj/single/%)
$G/lib/libmlp-double.so: $(OBJECTS:%=$G/obj/double/%)
$G/lib/%.so:
	@mkdir -p $(@D)
	@rm -f $(@:.so=.a)
	@$(AR) rcs $(@:.so=.a) $^
	$(CC) $(CFLAGS) -fopenmp -shared -Wl,-soname,$(@F).$(SOVERSION) \
	    -Wl,--no-undefined -Wl,--as-needed $(filter %/library.o,$^) \
	    $(@:.so=.a) $(LIBRARIES) -o $@

# The manual and the completion are made of what the program says of itself.
$G/help.txt: $G/bin/mlp
	@$< --help > $@
	@for command in $$(sed -n 's/^  \([a-z-]*\)  .*/\1/p' $@); do \
	    $< $$command --help >> $@; done
$G/mlp.1: $G/help.txt $G/src/manual.head $G/src/manual.awk $G/src/manual.tail CITATION.cff
	@{ sed 's/@DATE@/$(RELEASED)/; s/@VERSION@/$(VERSION)/' $G/src/manual.head; \
	    awk -f $G/src/manual.awk $<; cat $G/src/manual.tail; } > $@
$G/mlp.bash: $G/help.txt $G/src/completion.awk $G/src/completion.bash
	@{ awk -f $G/src/completion.awk $<; cat $G/src/completion.bash; } > $@

# ---------------------------------------------------------------- experiments
# An experiment NAME runs experiments/NAME.sh in an empty folder that becomes
# results/NAME when it succeeds, with its command beside its results.
# NAME@SETTING runs the same script with $$SETTING.
R := $G/results
ifeq ($(filter help clean,$(or $(MAKECMDGOALS),help)),)
include $G/experiments.mk
endif
RESULTS := $(EXPERIMENTS:%=$R/%/command)
LONG_RESULTS := $(LONG_EXPERIMENTS:%=$R/%/command)
# What runs is a script on the standard input of a shell. It brings its folder
# and its environment along, and no prefix can come between its quotes; so it
# may run anywhere where this folder is. The command, which it leaves last, is
# the sign that all went well, wherever that was. Every attempt has a folder
# of its own, which no machine can remember wrongly from an earlier one.
quote = '$(subst ','\'',$1)'
ATTEMPT := $(shell echo $$PPID)
define JOB
cd $(call quote,$(CURDIR)/$(@D).part-$(ATTEMPT))
export PATH=$(call quote,$(CURDIR)/$G/bin):"$$PATH" LC_ALL=$(LC_ALL)
export FASHION=$(call quote,$(FASHION))
export CIRCLES=$(call quote,$(CURDIR)/data/circles.csv)
export CC=$(call quote,$(CC)) CFLAGS=$(call quote,$(CFLAGS))
export SETTING=$(call quote,$(lastword $(subst @, ,$*)))
export SWEEP=$(call quote,$(SWEEP)) SEEDS=$(call quote,$(SEEDS))
export MOVED_SWEEP=$(call quote,$(MOVED_SWEEP)) MOVED_EPOCHS=$(MOVED_EPOCHS)
$(if $(OMP_NUM_THREADS),export OMP_NUM_THREADS=$(OMP_NUM_THREADS))
bash -euo pipefail $(call quote,$(CURDIR)/$<) < /dev/null
cp $(call quote,$(CURDIR)/$<) command
endef
$R/%/command: private export THIS_JOB = $(JOB)
PREFIX = $(if $(filter $@,$(WHOLE)),$(RUN_TIMED),$(RUN))
$R/%/command: $G/experiments/$$(firstword $$(subst @, ,$$*)).sh \
    $G/bin/mlp $G/bin/mlp-double data/circles.csv $G/data-checked
	@rm -rf $(@D).part-* && mkdir -p $(@D).part-$(ATTEMPT)
	@echo "experiment $*"
	@<<< "$$THIS_JOB" $(PREFIX) bash -e
# To list a folder makes NFS look whether it has changed.
	@for ((seconds = 0; seconds <= $(LATE); seconds++)); do \
	    ! ls $(@D).part-$(ATTEMPT) | grep -qx command || exit 0; \
	    sleep 1; done; \
	echo "experiment $*: its prefix ended well, but no results came in" \
	    "$(LATE) seconds; it must wait for its command, and hand it the" \
	    "standard input, and share this folder: $(PREFIX)" >&2; exit 1
	@touch $(@D).part-$(ATTEMPT)/command
	@rm -rf $(@D) && mv $(@D).part-$(ATTEMPT) $(@D)
$G/data-checked: data/fashion-mnist.sha256 $(wildcard $(FASHION)/*.gz)
	@mkdir -p $G
	@cd "$(FASHION)" && sha256sum --quiet --check "$(CURDIR)/$<" || { \
	    echo "$(FASHION): Fashion-MNIST is missing or damaged; expected the" \
	        "four files of data/fashion-mnist.sha256 (make setup installs" \
	        "them; FASHION=folder names another place)" >&2; exit 1; }
	@touch $@

$R/tiny/command: $G/bin/tiny
$R/products/command: $G/bin/products

# A measured time is honest only when nothing else runs; everything else that
# the report needs runs one thread for each job of make, or THREADS (bits do
# not depend on it). What is said of the machine is said of that of the times.
THREADS ?=
TIMED := $R/time/command $R/products/command $R/speed/command
WHOLE := $(TIMED) $R/made/command
$R/time/command: | $(filter-out $(TIMED),$(RESULTS))
$R/products/command: | $R/time/command
$R/speed/command: | $R/products/command
$(filter-out $(WHOLE),$(RESULTS)): export OMP_NUM_THREADS := $(or $(THREADS),1)
ifneq ($(THREADS),)
$(LONG_RESULTS): export OMP_NUM_THREADS := $(THREADS)
endif

##  sweep-list      print the targets of the sweep, one a line, for a queue
sweep-list:
	@printf '%s\n' $(SWEEP:%=$R/sweep@%/command)

# ---------------------------------------------------------------- figures
# cairo writes the time of day into a PDF; it is replaced by a fixed one, so
# that the same data give the same bytes.
# The figure of `make bench` is drawn when that has been run.
NO_FIGURE := figures/style.gp $(if $(wildcard $G/bench/bench.tsv),,figures/bench.gp) \
    $(if $(wildcard $G/bench/ranks.tsv),,figures/ranks.gp)
FIGURES := $(patsubst figures/%.gp,$G/figures/%.pdf,$(filter-out $(NO_FIGURE),$(wildcard figures/*.gp)))
$G/figures/bench.pdf: $G/bench/bench.tsv
$G/figures/ranks.pdf: $G/bench/ranks.tsv
$G/figures/%.pdf: figures/%.gp figures/style.gp $G/src/look.gp \
    figures/panels.gpi $(RESULTS)
	@mkdir -p $(@D)
	@echo "figure $*"
	@LC_ALL=C.UTF-8 gnuplot -e "results='$R'; output='$@.part'" figures/style.gp $<
	@sed -i 's/CreationDate (D:[0-9]\{14\}/CreationDate (D:20000101000000/' $@.part
	@mv $@.part $@

# ---------------------------------------------------------------- report
##  report          run the experiments and weave generated/mlp.pdf
report: $G/mlp.pdf
# Every line "key value" of a results/NAME/values.tsv is a number that the
# text quotes as \res{NAME/key}.
$G/results.tex: $(RESULTS) $(wildcard $R/moved/values.tsv)
	@cd $R && awk -F'\t' '{ name = FILENAME; sub("/values.tsv", "", name); \
	    printf "\\setres{%s/%s}{%s}\n", name, $$1, $$2 }' \
	    $$(ls $(EXPERIMENTS:%=%/values.tsv) \
	        $(LONG_EXPERIMENTS:%=%/values.tsv) 2> /dev/null) \
	    > ../results.tex.part
	@mv $@.part $@
##  report-long     the same, after the one experiment that takes an hour
# The report quotes its results if they are there, and never asks for them.
report-long: $(LONG_RESULTS)
	+@$(MAKE) --no-print-directory report
$G/mlp.tex: mlp.nw tex/colour.awk
	@mkdir -p $G
	noweave -delay -index -filter \
	    'awk -v document=mlp.nw -f tex/colour.awk' $< > $@.part
	@mv $@.part $@
# The document must not have overfull lines or references to nothing.
LATEX_FAULTS := ^!|^[^ ]+:[0-9]+: |Overfull|undefined|multiply.defined|No result
$G/trust.txt: $(wildcard $G/trust/*.tsv)
	@awk -F'\t' '{ printf "%-70s %12s\n", $$1, $$2 }' $^ > $@
# What other targets have measured here is shown, and never asked for.
MEASURED := $(wildcard $G/bench/bench.txt $G/bench/ranks.txt $G/trust/faults.txt) \
    $(if $(wildcard $G/trust/*.tsv),$G/trust.txt)
$G/mlp.pdf: $G/mlp.tex $G/results.tex $(FIGURES) $(wildcard tex/*) $(MEASURED)
	@echo "latexmk $<"
# What an interrupted run has left may be cut anywhere, and TeX would believe it.
	@[ ! -e $G/weaving ] || rm -f $G/woven.*
	@touch $G/weaving
	@SOURCE_DATE_EPOCH=0 FORCE_SOURCE_DATE=1 latexmk -r tex/latexmkrc -silent \
	    -jobname=woven $< > $G/latex.out 2>&1 \
	    && ! grep -qE '$(LATEX_FAULTS)' $G/woven.log || \
	    { grep -E -A4 '$(LATEX_FAULTS)' $G/woven.log || \
	      tail -n 20 $G/latex.out; rm -f $@; exit 1; } >&2
	@cp $G/woven.pdf $@.part
	@mv $@.part $@
	@rm $G/weaving

##  mlp.png         redraw the picture of the README from the report's figure
mlp.png: $G/figures/circles-units.pdf
	pdftoppm -png -r 150 -singlefile $< $G/figures/circles-units
	mv $G/figures/circles-units.png $@

# ---------------------------------------------------------------- tests
##  test            run all TAP tests under prove
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
UNIT_PROGRAMS := $(foreach p,single double,$(UNIT_TESTS:%=$G/tests/%-$p))
$G/tests/%-single: tests/unit/%.c $(OBJECTS:%=$G/obj/single/%)
	@mkdir -p $(@D)
	$(COMPILE) $(filter-out %.h,$^) $(LIBRARIES) -o $@
$G/tests/%-double: tests/unit/%.c $(OBJECTS:%=$G/obj/double/%)
	@mkdir -p $(@D)
	$(COMPILE) -DMLP_DOUBLE $(filter-out %.h,$^) $(LIBRARIES) -o $@
$(UNIT_PROGRAMS): tests/unit/check.h
DUMP_FUNCTIONS := $(addprefix $G/tests/peers/dump_functions-,single double)
TEST_PROGRAMS := $G/tests/peers/dump_gradient $(DUMP_FUNCTIONS) \
    $G/tests/faults.so $G/tests/faults-library $G/bin/tiny \
    $(if $(TEST_MPI),$(MPI_PROGRAMS))
test: build $(UNIT_PROGRAMS) $(TEST_PROGRAMS)
	@mkdir -p $G/trust
	MLP_TRUST="$(CURDIR)/$G/trust" prove -j2 $(UNIT_PROGRAMS) $(wildcard tests/*.t)
$G/tests/peers/dump_gradient: tests/peers/dump_gradient.c $(OBJECTS:%=$G/obj/double/%)
	@mkdir -p $(@D)
	$(COMPILE) -DMLP_DOUBLE $^ $(LIBRARIES) -o $@

# Programs that tests run beside peers, in both precisions.
$G/tests/peers/%-single: tests/peers/%.c $(OBJECTS:%=$G/obj/single/%)
	@mkdir -p $(@D)
	$(COMPILE) $^ $(LIBRARIES) -o $@
$G/tests/peers/%-double: tests/peers/%.c $(OBJECTS:%=$G/obj/double/%)
	@mkdir -p $(@D)
	$(COMPILE) -DMLP_DOUBLE $^ $(LIBRARIES) -o $@

$G/tests/faults-library: tests/faults/library.c $(OBJECTS:%=$G/obj/single/%) $G/src/mlp.h
	@mkdir -p $(@D)
	$(COMPILE) $(filter-out %.h,$^) $(LIBRARIES) -o $@
$G/tests/faults.so: tests/faults/shim.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARNINGS) -O2 -fPIC -shared $< -o $@

##  bench           compare speed with NumPy, scikit-learn, PyTorch, FANN
# With the kernels that suit the processor, whatever the environment says.
bench: $G/bin/mlp
	@mkdir -p $G/bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE FASHION="$(FASHION)" \
	    $(PYTHON) tests/peers/bench.py --output $G/bench/bench.tsv
	@awk -F'\t' 'NR == 1 { print "                   hidden   seconds   times ours   from    to"; next } \
	    { printf "%-18s %6d  %8.3f  %11.2f  %5.2f %5.2f\n", $$1, $$2, $$5, $$8, $$7, $$9 }' \
	    $G/bench/bench.tsv > $G/bench/bench.txt

##  bench-mpi       measure ranks, and compare with PyTorch's over gloo
bench-mpi: $G/bin/mlp-mpi
	@mkdir -p $G/bench
	FASHION="$(FASHION)" $(PYTHON) tests/peers/bench_ranks.py --output $G/bench

# ---------------------------------------------------------------- checks
##  check-faults    let every request for memory or disk fail (minutes)
check-faults: build $(TEST_PROGRAMS)
	@mkdir -p $G/trust; rm -f $G/trust/faults.txt
	MLP_LONG=1 MLP_FIGURES="$(CURDIR)/$G/trust/faults.part" \
	    prove -v tests/faults.t
	@awk -F'\t' -f tests/faults/table.awk $G/trust/faults.part \
	    > $G/trust/faults.txt
	@rm $G/trust/faults.part
	MLP_LONG=1 MLP_TRUST="$(CURDIR)/$G/trust" prove -v tests/ranks.t

##  fuzz            try each reader with changed inputs for SECONDS=60
# RUNS=10000000 SECONDS=0 counts inputs in place of seconds. Inputs that reach
# new code are kept in generated/fuzz/corpus; one that is a finding is written
# to generated/fuzz. `make fuzz-csv` tries one reader.
SECONDS ?= 60
RUNS ?= -1
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(filter-out %/memory.c,$(wildcard tests/fuzz/*.c)))
fuzz: $(FUZZERS:%=fuzz-%)
.PHONY: $(FUZZERS:%=fuzz-%)
$(FUZZERS:%=fuzz-%): fuzz-%: $G/fuzz/%
	@rm -f $G/trust/fuzz-$*.tsv; mkdir -p $G/trust $G/fuzz/corpus/$*
	@cd $G/fuzz; ASAN_OPTIONS=quarantine_size_mb=16 ./$* \
	    -max_total_time=$(SECONDS) -runs=$(RUNS) -timeout=5 -malloc_limit_mb=64 \
	    -rss_limit_mb=512 -print_final_stats=1 -artifact_prefix=$*- \
	    corpus/$* ../../tests/fuzz/corpus/$* 2> $*.log \
	    || { tail -n 40 $*.log >&2; exit 1; }
	@awk '/^stat::number_of/ { \
	    printf "inputs to the fuzzer %s, no finding\t%d\n", "$*", tried = $$NF } \
	    /^stat::peak/ { printf "memory of the fuzzer %s with its sanitizers, in MB\t%d\n", \
	    "$*", $$NF } END { exit !(tried > 0) }' $G/fuzz/$*.log \
	    > $G/trust/fuzz-$*.tsv || { rm -f $G/trust/fuzz-$*.tsv; exit 1; }
	@cat $G/trust/fuzz-$*.tsv
# (That a loop is not vectorized does not matter here.)
fuzz_FLAGS := -g -Wno-pass-failed -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=all -DSOURCE_WINDOW=32
# It reads no file, and to prepare its unrolled loops takes clang a minute.
$G/obj/fuzz/matrix.o: fuzz_FLAGS := -Wno-pass-failed
$G/obj/fuzz/%.o $G/fuzz/%: CC := clang
$G/obj/fuzz/%.o $G/fuzz/%: CFLAGS := -O1
comma := ,
FUZZ_WRAPS := fopen fstat read_file g_mkstemp
$G/fuzz/options: FUZZ_WRAPS += g_intern_string
$(FUZZERS:%=$G/fuzz/%): $G/fuzz/%: tests/fuzz/%.c tests/fuzz/memory.c tests/fuzz/memory.h $(OBJECTS:%=$G/obj/fuzz/%) $G/src/version.h
	@mkdir -p $(@D)
	$(COMPILE) $(fuzz_FLAGS) -fsanitize=fuzzer -iquote tests/fuzz \
	    $(filter-out %.h,$^) $(FUZZ_WRAPS:%=-Wl$(comma)--wrap=%) \
	    $(LIBRARIES) -o $@

##  check-load      train on a million pictures (784 MB, written and removed)
BENCH_SUBNORMAL := $(addprefix $G/tests/peers/bench_subnormal-,single double)
check-load: build $(BENCH_SUBNORMAL)
	@mkdir -p $G/trust
	MLP_TRUST="$(CURDIR)/$G/trust" prove -v tests/load/load.t

##  check-pipeline  make the report twice, interrupting one (half an hour)
check-pipeline:
	@mkdir -p $G/trust
	MLP_TRUST="$(CURDIR)/$G/trust" prove -v tests/pipeline/report.t

# Of the three targets below each is a build of its own in a folder of its own.
OF_THIS_BUILD = MLP="$(CURDIR)/$G/bin/mlp" \
    MLP_DOUBLE="$(CURDIR)/$G/bin/mlp-double" \
    GENERATED="$(CURDIR)/$G" FAULT_SHIM="$(CURDIR)/$G/tests/faults.so"

##  coverage        which lines and branches of the C in mlp.nw the tests run
# Tangled with #line directives, so that the lines are those of mlp.nw. Every
# fault is tried, for most of what is said when memory runs out is said there.
# (Where __OPTIMIZE__ is defined, GLib's g_new has branches for the compiler,
# where it is not, it leaves sizes to be converted.)
COVERED := -O1 -U__OPTIMIZE__ -Wno-sign-conversion -g -march=native --coverage \
    -fprofile-update=atomic \
    -Wl,--wrap=_exit,--wrap=raise,--wrap=execv,$G/coverage/dump.o
coverage:
	@rm -f $G/trust/coverage.tsv; mkdir -p $G/coverage $G/trust
	@$(CC) -std=c11 $(WARNINGS) -O2 -fPIC -fvisibility=hidden \
	    -c tests/coverage/dump.c -o $G/coverage/dump.o
	+@$(MAKE) --no-print-directory G=$G/coverage LINE_DIRECTIVES=-L \
	    CFLAGS="$(COVERED)" coverage-run
	@sed -n 's/^all  .* \([0-9.]* %\)  .* \([0-9.]* %\)$$/lines of C that tests run\t\1\nbranches that they take\t\2/p' \
	    $G/coverage/coverage.txt > $G/trust/coverage.tsv
coverage-run: build $(UNIT_PROGRAMS) $(TEST_PROGRAMS)
	@find $G -name '*.gcda' -delete
	export $(OF_THIS_BUILD) MLP_LONG=1; \
	prove --timer -j2 $(UNIT_PROGRAMS) $(COVERAGE_TESTS)
	@status=0; perl tests/coverage/coverage.pl mlp.nw \
	    tests/coverage/reasons.txt $G/obj > $G/coverage.txt || status=$$?; \
	    sed '/^$$/,$$d' $G/coverage.txt; exit $$status
COVERAGE_TESTS := $(filter-out %/cluster.t %/document.t %/install.t \
    %/pipeline.t %/sklearn.t %/symbolic.t,$(wildcard tests/*.t))

# What a checker says goes into files, for a test that expects a failure would
# be content.
REPORTS := $(CURDIR)/$G/reports
PROVE_CHECKED = rm -rf "$(REPORTS)" && mkdir -p "$(REPORTS)" && status=0; \
    export G_SLICE=always-malloc REPORTS="$(REPORTS)" $(OF_THIS_BUILD);
# No report is good news only from a checker that is looking: it is shown a
# fault first, run by $1.
SHOW_A_FAULT = $(CC) $(CFLAGS) tests/lib/faulty.c -o $G/faulty; \
    $1 $G/faulty > /dev/null || true; \
    grep -rq 'Invalid read\|heap-use-after-free' "$(REPORTS)" || \
    { echo "$G: the checker finds no fault at all" >&2; exit 1; }; \
    rm -f "$(REPORTS)"/*;
KEEP_COUNT = mkdir -p $G/trust && awk -F '[=, ]+' -v OFS='\t' \
    '/^Files=/ { n += $$4 } END { print "$(strip $2)", n }' \
    $G/$1/prove.out > $G/trust/$1.tsv
# (An array that no machine has room for is a warning, and no fault; so is a
# new system call of which valgrind has not heard, in lines that begin with --.)
NO_REPORT := ^--[0-9]+--|WARNING: AddressSanitizer failed to alloc
SHOW_REPORTS = found=$$({ grep -rlvE -e '$(NO_REPORT)' "$(REPORTS)" || \
        [ $$? = 1 ]; } | tee /dev/stderr | wc -l); \
    echo "$G: $$found reports in $(REPORTS)"; [ "$$status$$found" = 00 ]

##  check-sanitize  run the tests under the address and UB sanitizers
# The other tests look at the document, the build, and other programs, of which
# Open MPI loses memory. gcc 12
# misplaces vectors of 64 bytes if the use of a stack frame after its return is
# to be found (gcc's bug 110027), hence the 0.  An array too large for any
# machine is NULL, as without a sanitizer: tests ask for one. The sanitizer
# wants to be loaded first, and hands out memory itself, which then cannot fail
# in tests/faults.t, as disks can. (The shared library for undefined behaviour
# would not write to a file if there is the one for addresses as well.)
SANITIZE := -O1 -g -march=native -fsanitize=address,undefined \
    -fno-sanitize-recover=all -fno-omit-frame-pointer -static-libubsan
SANITIZED_TESTS := $(filter-out %/cluster.t %/document.t %/install.t %/numpy.t \
    %/peers.t %/pipeline.t %/ranks.t %/sklearn.t %/symbolic.t,$(wildcard tests/*.t))
check-sanitize:
	@rm -f $G/trust/sanitize.tsv
	+@$(MAKE) --no-print-directory G=$G/sanitize CFLAGS="$(SANITIZE)" \
	    prove-sanitized
	@$(call KEEP_COUNT,sanitize,tests under AddressSanitizer and \
	    UndefinedBehaviorSanitizer$(comma) no report)
prove-sanitized: build $(UNIT_PROGRAMS) $(TEST_PROGRAMS)
	@$(PROVE_CHECKED) \
	export ASAN_OPTIONS=exitcode=99:log_path="'$(REPORTS)/asan'":strict_string_checks=1:detect_stack_use_after_return=0:allocator_may_return_null=1 \
	    UBSAN_OPTIONS=exitcode=99:print_stacktrace=1:log_path="'$(REPORTS)/ubsan'" \
	    FAULT_AFTER=$$($(CC) -print-file-name=libasan.so); \
	$(SHOW_A_FAULT) \
	prove --timer -j2 $(UNIT_PROGRAMS) $(SANITIZED_TESTS) \
	    | tee $G/prove.out || status=$$?; \
	$(SHOW_REPORTS)

##  check-valgrind  run unit tests and the tests of commands under valgrind
# It does not know AVX-512, and calculates long double in 64 bits, with which
# one test compares: that is left out. Programs that a test starts are
# run by a script that stands where mlp is looked for; what a program itself
# starts is not, so with OMP_WAIT_POLICY it has no reason to start once more.
# (Faults would also meet valgrind's own files; Python runs numbers.t's program.)
VALGRIND = $(shell command -v valgrind || echo valgrind) --quiet \
    --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite
VALGRIND_TESTS := $(filter-out %/faults.t %/numbers.t,$(SANITIZED_TESTS))
NO_LONG_DOUBLE := /functions/softmax, log-softmax, log-sum-exp and loss are their definitions
check-valgrind:
	@rm -f $G/trust/valgrind.tsv
	+@$(MAKE) --no-print-directory G=$G/valgrind \
	    CFLAGS="-O1 -g -march=x86-64-v3" prove-valgrind
	@$(call KEEP_COUNT,valgrind,tests under valgrind$(comma) no report)
prove-valgrind: build $(UNIT_PROGRAMS)
	@$(PROVE_CHECKED) \
	for p in mlp mlp-double; do \
	    printf '#!/bin/sh\nexec $(VALGRIND) --log-file="%s/%%p" "%s" "$$@"\n' \
	        "$(REPORTS)" "$(CURDIR)/$G/bin/$$p" > $G/$$p; chmod +x $G/$$p; \
	done; \
	export MLP="$(CURDIR)/$G/mlp" MLP_DOUBLE="$(CURDIR)/$G/mlp-double" \
	    OMP_WAIT_POLICY=passive UNDER_VALGRIND=1; \
	$(call SHOW_A_FAULT,$(VALGRIND) --log-file="$(REPORTS)/%p") \
	$(filter-out --quiet,$(VALGRIND)) $G/bin/mlp --version 2>&1 \
	    | grep 'HEAP SUMMARY' > /dev/null || \
	    { echo "$G: valgrind does not see mlp" >&2; exit 1; }; \
	prove --timer -j2 --exec '$(VALGRIND) --log-file=$G/reports/%p' \
	    $(UNIT_PROGRAMS) :: -s "$(NO_LONG_DOUBLE)" \
	    | tee $G/prove.out || status=$$?; \
	prove --timer -j2 $(VALGRIND_TESTS) | tee -a $G/prove.out || status=$$?; \
	$(SHOW_REPORTS)

##  lint            let gcc -fanalyzer, clang-tidy and cppcheck read the C
# What is not asked, and why, stands in tests/lint. clang-tidy 14 reads one file
# at a time, for of a second one it no longer knows va_copy.
# It says nothing of headers that its filter does not match, so it is shown one.
# (The module that talks to Open MPI is left out, for whoever has none.)
LINTED = $(filter-out %/ranks-mpi.c,$(filter %.c,$(SOURCES))) $G/src/library.c
LINTED_MLP_FLOAT := $G/experiments/products.c
LINTED_MLP_DOUBLE := $G/experiments/tiny.c
# Reductions of OpenMP look to gcc's analyser as if they began with no value,
# and optimised code as if it had a fault. On files too long for the factor it
# gives up, with a warning that is lost inside macros of GLib unless headers of
# the system are asked too. (They would not pass WARNINGS, which the compilation
# before asks of ours.) The same warning says where it cuts single paths short,
# as it always does somewhere; so that is no error.
ANALYSE = $(filter-out $(WARNINGS),$(COMPILE)) -fno-openmp -O0 -fanalyzer \
    --param=analyzer-bb-explosion-factor=100 -Wsystem-headers -Werror
# Of the system's headers cppcheck sees one, for onnx.pb-c.h asks its version.
PROTOBUF_C = $(shell pkg-config --variable=includedir \
    libprotobuf-c)/protobuf-c/protobuf-c.h
lint: $(TANGLED) $G/src/onnx.pb-c.h $G/src/scripts.h $G/src/version.h
	@rm -f $G/trust/lint.tsv
	@mkdir -p $G/lint/src; echo '#include "fault.h"' > $G/lint/fault.c; \
	echo '#define TWICE(a) 2 * a' > $G/lint/src/fault.h; \
	[[ $$(clang-tidy --quiet --config-file=tests/lint/clang-tidy.yaml \
	    $G/lint/fault.c -- -iquote $G/lint/src \
	    2> $G/lint.part) == *fault.h:1:* ]] || { cat $G/lint.part >&2; \
	    echo "clang-tidy finds no fault in a header" >&2; exit 1; }
	@for precision in MLP_FLOAT MLP_DOUBLE; do \
	    files="$(LINTED) $(LINTED_MLP_FLOAT)"; \
	    [ $$precision = MLP_FLOAT ] || files="$(LINTED) $(LINTED_MLP_DOUBLE)"; \
	    echo "lint $$precision: gcc -fanalyzer"; \
	    for file in $$files; do \
	        $(COMPILE) -Werror -D$$precision -c $$file -o /dev/null; \
	        analyse="$(ANALYSE) -D$$precision -c $$file -o /dev/null"; \
	        $$analyse -Wanalyzer-too-complex -Wno-error=analyzer-too-complex \
	            2> $G/lint.part || $$analyse; \
	        if grep 'analysis bailed out' $G/lint.part >&2; then \
	            echo "gcc -fanalyzer gave up on $$file" >&2; exit 1; fi; \
	    done; \
	    echo "lint $$precision: cppcheck"; \
	    cppcheck --quiet --error-exitcode=1 --std=c11 --library=gtk \
	        --enable=warning,performance,portability -I $G/src \
	        --include=$(PROTOBUF_C) \
	        --suppressions-list=tests/lint/cppcheck.txt \
	        '-DG_DEFINE_QUARK(a,b)=' -D$$precision $$files; \
	    echo "lint $$precision: clang-tidy"; \
	    for file in $$files; do \
	        clang-tidy --quiet --config-file=tests/lint/clang-tidy.yaml \
	            $$file -- $(filter-out -fopenmp,$(STANDARD)) $(CFLAGS) \
	            $(LIBRARY_CFLAGS) -D$$precision -iquote $G/src \
	            2> $G/lint.part || { cat $G/lint.part >&2; exit 1; }; done; \
	done; rm -f $G/lint.part
	@mkdir -p $G/trust
	@printf '%s\t%d\n' 'sources without a finding by gcc -fanalyzer, clang-tidy and cppcheck' \
	    $(words $(LINTED) $(LINTED_MLP_FLOAT) $(LINTED_MLP_DOUBLE)) \
	    > $G/trust/lint.tsv

##  trust           all these checks (hours); the report shows their figures
trust:
	+@for check in test check-faults check-sanitize check-valgrind lint \
	    coverage check-load check-pipeline; do \
	    $(MAKE) --no-print-directory $$check; done
	+@$(MAKE) --no-print-directory fuzz RUNS=10000000 SECONDS=0

# ---------------------------------------------------------------- install
##  install         copy programs, library and manual to prefix (/usr/local)
##  uninstall       remove what install copied
prefix = /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libdir = $(exec_prefix)/lib
includedir = $(prefix)/include
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
man1dir = $(mandir)/man1
completionsdir = $(datadir)/bash-completion/completions
INSTALL = install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA = $(INSTALL) -m 644

# What it is, where it comes from (or points to), and where it goes.
define INSTALLED
program $G/bin/mlp $(bindir)/mlp
program $G/bin/mlp-double $(bindir)/mlp-double
$(if $(MPI),program $G/bin/mlp-mpi $(bindir)/mlp-mpi)
$(if $(MPI),program $G/bin/mlp-mpi-double $(bindir)/mlp-mpi-double)
data $G/src/mlp.h $(includedir)/mlp.h
data $G/lib/libmlp.so $(libdir)/libmlp.so.$(SOVERSION)
data $G/lib/libmlp-double.so $(libdir)/libmlp-double.so.$(SOVERSION)
link libmlp.so.$(SOVERSION) $(libdir)/libmlp.so
link libmlp-double.so.$(SOVERSION) $(libdir)/libmlp-double.so
package mlp $(libdir)/pkgconfig/mlp.pc
package mlp-double $(libdir)/pkgconfig/mlp-double.pc
data $G/mlp.1 $(man1dir)/mlp.1
link mlp.1 $(man1dir)/mlp-double.1
data $G/mlp.bash $(completionsdir)/mlp
link mlp $(completionsdir)/mlp-double
endef
define PACKAGE_TEXT
prefix=$(prefix)
exec_prefix=$(exec_prefix)
libdir=$(libdir)
includedir=$(includedir)

Name: NAME
Description: a multilayer perceptron: loss, gradient, descent, ONNX
Version: $(VERSION)
Cflags: -I$${includedir} FLAG
Libs: -L$${libdir} -lNAME
endef
install uninstall: export INSTALLED := $(INSTALLED)
install: export PACKAGE = $(PACKAGE_TEXT)
install: build
	@while read -r kind from to; do [ -n "$$kind" ] || continue; \
	    to="$(DESTDIR)$$to"; echo "install $$to"; \
	    $(INSTALL) -d "$$(dirname "$$to")"; \
	    case $$kind in \
	    program) $(INSTALL_PROGRAM) $$from "$$to";; \
	    data) $(INSTALL_DATA) $$from "$$to";; \
	    link) ln -sf $$from "$$to";; \
	    package) [ $$from = mlp ] && flag= || flag=" -DMLP_DOUBLE"; \
	        sed "s/NAME/$$from/; s/ FLAG/$$flag/" <<< "$$PACKAGE" > $G/pc.part; \
	        $(INSTALL_DATA) $G/pc.part "$$to"; rm $G/pc.part;; \
	    esac; done <<< "$$INSTALLED"
uninstall:
	@while read -r kind from to; do [ -n "$$kind" ] || continue; \
	    echo "uninstall $(DESTDIR)$$to"; rm -f "$(DESTDIR)$$to"; \
	    done <<< "$$INSTALLED"

##  dist            make a tarball that builds without noweb and TeX
# It is this folder with the tangled sources, and the PDF if that is up to
# date. All files bear the day of the release, so the same ones give the
# same bytes, and make takes what is tangled to be as new as mlp.nw.
TARBALL = mlp-$(VERSION).tar.gz
DIST := .ci .editorconfig .github .gitignore CITATION.cff LICENSE Makefile \
    README.md data figures mlp.nw mlp.png tests tex $(TANGLED) $G/tangled \
    $(addprefix $G/src/,version.h onnx.pb-c.c onnx.pb-c.h)
dist: $(filter $G/%,$(DIST)) | $(filter report,$(MAKECMDGOALS))
	@touch $G/shipped.part
	@if [ -e $G/mlp.pdf ] && ! [ mlp.nw -nt $G/mlp.pdf ]; then \
	    pdf=$G/mlp.pdf; else pdf=; \
	    echo "dist: without the PDF, which make report makes" >&2; fi; \
	tar --create --format=gnu --sort=name --mtime="$(RELEASED) UTC" \
	    --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
	    --transform="s|^|$(TARBALL:.tar.gz=)/|;s|shipped.part$$|shipped|" \
	    --exclude=__pycache__ $(DIST) $G/shipped.part $$pdf \
	    | gzip -9n > $G/$(TARBALL).part
	@rm $G/shipped.part
	@mv $G/$(TARBALL).part $G/$(TARBALL)
	@echo "dist $G/$(TARBALL)"

##  clean           remove all that was made
# In an unpacked tarball, what came with it stays.
KEPT := $(addprefix $G/,src experiments experiments.mk tangled mlp.pdf shipped)
clean:
	rm -rf $(if $(wildcard $G/shipped),$(filter-out $(KEPT),$(wildcard $G/*)),$G)

endif
