# A thin front for CMake and tests/run.py; the work is described there.
#
#   make run                     install what is missing, build, load the demo, serve
#   make build                   the daemon, the command, the plugins: build/release
#   make test                    every test and check, as CI runs them
#   make sim [SEED=n] [COUNT=n]  the simulator, COUNT lives beginning at SEED
#   make fuzz [SECONDS=60]       malformed requests, JSON, mail and calendars, by libFuzzer
#   make determinism [COUNT=1000000] [SEED=1]
#                            one history, lived and folded by every build there is in build/
#   make webhooks [COUNT=10000]  that many webhooks to a receiver that fails by turns
#   make mails [COUNT=10000]     that many e-mails through a Postfix, begun for it by root
#   make import-trial [COUNT=1000000] [KILLS=3]
#                                that many customers and five times as many orders, and search
#   make bench                   measures beside the peers that are installed
#   make reference               docs/lua-reference.md, from the tables of the program, and
#                                docs/plugin-reference.md, from plugins/sdk/kith.h
#   make abi                     what is new in kith.h is released: it never changes again
#   make install [PREFIX=/usr/local] [DESTDIR=]
#   make deb                     a Debian package: build/kith_VERSION_ARCHITECTURE.deb
#   make deb-trial               its whole life in a clean Debian, installed to purged (root)
#   make check-style, make format, make clean

SEED ?= 1
COUNT ?= 20
SECONDS ?= 60
KILLS ?= 3
PREFIX ?= /usr/local

PYTHON := /usr/bin/python3
RELEASE := build/release
COMPILE := cmake --build $(RELEASE) --target
MAKEFLAGS += --no-print-directory

.PHONY: run build test sim fuzz determinism webhooks mails import-trial bench reference abi install deb \
    deb-trial check-style format clean packages packages-test packages-bench packages-deb \
    packages-trial

run: build
	exec tools/demo.sh

build: packages $(RELEASE)/build.ninja
	$(COMPILE) all

test: packages-test
	$(PYTHON) tests/run.py

sim: packages-test $(RELEASE)/build.ninja
	$(COMPILE) life life2
	$(PYTHON) tests/sim/sim.py --life $(RELEASE)/life --seed $(SEED) --count $(COUNT)

fuzz: packages-test
	cmake --preset fuzz --log-level=WARNING
	cmake --build build/fuzz --target fuzz_json fuzz_request fuzz_mail fuzz_calendar
	$(PYTHON) tests/fuzz/fuzz.py --build build/fuzz --seconds $(SECONDS)

determinism: packages-test $(RELEASE)/build.ninja
	$(COMPILE) bench
	$(PYTHON) tests/bench/determinism.py --seed $(SEED) \
	    --count $(if $(filter command line,$(origin COUNT)),$(COUNT),1000000)

webhooks: packages-test $(RELEASE)/build.ninja
	$(COMPILE) all
	KITH_WEBHOOKS=$(if $(filter command line,$(origin COUNT)),$(COUNT),10000) \
	    $(PYTHON) -m pytest -q -p no:cacheprovider tests/e2e/test_webhook.py -k each_message

mails: packages-test $(RELEASE)/build.ninja
	$(COMPILE) all
	KITH_MAILS=$(if $(filter command line,$(origin COUNT)),$(COUNT),10000) \
	    $(PYTHON) -m pytest -q -s -p no:cacheprovider tests/e2e/test_email.py -k each_of_many

import-trial: packages-test $(RELEASE)/build.ninja
	$(COMPILE) all
	$(PYTHON) tests/e2e/import_trial.py --seed $(SEED) --kills $(KILLS) \
	    --count $(if $(filter command line,$(origin COUNT)),$(COUNT),1000000)

bench: packages-bench $(RELEASE)/build.ninja
	$(COMPILE) all $(if $(wildcard tests/bench/*.c),bench)
	$(PYTHON) tests/bench/bench.py --build $(RELEASE)

reference: build
	$(RELEASE)/kith help --page >docs/lua-reference.md
	$(PYTHON) tools/plugin_reference.py

abi: packages-test
	$(PYTHON) tools/abi.py --release

# The prefix is written into the unit file, hence the configuration.
install: $(RELEASE)/build.ninja
	cmake -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(RELEASE) >/dev/null
	$(COMPILE) all
	DESTDIR=$(DESTDIR) cmake --install $(RELEASE)

deb: packages-deb build
	tools/deb/build.sh $(RELEASE) build

deb-trial: packages-trial deb
	$(PYTHON) tools/deb/trial.py build/kith_*.deb

check-style: packages-test
	$(PYTHON) tests/run.py style

format: packages-test
	$(PYTHON) tests/layout.py --fix

clean:
	rm -rf build

# Once configured, ninja itself notices new files and changed build files.
$(RELEASE)/build.ninja: | packages
	cmake --preset release --log-level=WARNING

packages:
	@tools/install-packages.sh build

packages-test:
	@tools/install-packages.sh build test

packages-bench:
	@tools/install-packages.sh build bench

packages-deb:
	@tools/install-packages.sh build deb

packages-trial:
	@tools/install-packages.sh build deb trial
