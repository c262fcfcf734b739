# `make serve` and `make test` need only a Swift toolchain; they install everything else.

# What the server needs.
PACKAGES = pkg-config python3 libopenblas-dev libpng-dev libssl-dev zlib1g-dev
# What everything else needs.
DEVELOPMENT_PACKAGES = libjpeg62-turbo-dev libcurl4-openssl-dev libdcmtk-dev libopenjp2-7-dev
BUILD = swift build -c release
BIN = .build/release
HOST ?= 127.0.0.1
PORT ?= 8080
PHANTOMS = .build/phantoms
MINUTES ?= 4
SANITIZED = HTTP1ConnectionState|HTTPServerTests|ProcessTests|InferenceServiceTests|StructuredLoggingTests
FUZZ_TARGETS = request chunked request-target parameters multipart ndjson inference png jpeg safetensors manifest recipe npz \
	configuration keys gzip zip tar json base64 results answer
TARGET ?= $(FUZZ_TARGETS)
SECONDS ?= 60
# Images of `make ray-test`.
IMAGES ?= 20000
# Where `make install` installs files; DESTDIR is prepended to each path.
PREFIX ?= /usr/local
UNITS ?= /etc/systemd/system
STATIC = .build-deploy
# The executable that `make stage` copies.
SERVER ?= $(STATIC)/release/dia-server
# Where the packages go.
PACKAGES_FOLDER ?= $(STATIC)/packages
# The log directory of `make deploy-test`, and the Debian releases that it boots.
LOGS ?= $(STATIC)/logs
RELEASES ?= bookworm trixie

.PHONY: help deps deps-all build build-static install serve test lint format fuzz fuzz-build fuzz-corpus bench bench-profile bench-overload bench-full-size bench-batch bench-bombs bench-allocations bench-model-memory bench-client man stage deb deb-client tarball packages-test attacks clients-test contract chaos balancers-test alerts-test ray-test kubernetes-test deploy-test page-test pacs-test sanitize train-phantom evaluate-phantom clean

help:
	@echo "make serve             install dependencies, build, serve the bundled models on $(HOST):$(PORT)"
	@echo "make install           build a self-contained server, install it for systemd (DESTDIR=, PREFIX=/usr/local)"
	@echo "make deb | tarball     make the Debian package or the archive of dia-server in $(PACKAGES_FOLDER) (docs/install.md)"
	@echo "make deb-client        make the Debian packages of dia for RELEASES=\"$(RELEASES)\" (as root)"
	@echo "make packages-test     test the packages in Debian 12 and 13 containers (as root)"
	@echo "make test              install dependencies, lint, build, run all tests"
	@echo "make lint | format     check or fix the formatting"
	@echo "make fuzz              fuzz every target, or TARGET=png, for SECONDS=60 each (docs/fuzzing.md)"
	@echo "make bench             compare with PyTorch, ONNX Runtime, OpenVINO (from PyPI, in a virtual environment)"
	@echo "make bench-profile     profile the networks with perf"
	@echo "make bench-overload    measure throughput and latency under overload"
	@echo "make bench-full-size   measure time and memory of training at the paper's size"
	@echo "make chaos             chaos test: kills, disconnects, corrupt models, full disk, clock jumps (MINUTES=4)"
	@echo "make balancers-test    test that HAProxy and nginx lose no request while servers fail (docs/load-balancing.md)"
	@echo "make alerts-test       test the alert rules with promtool and a real Prometheus (docs/alerts.md)"
	@echo "make ray-test          score IMAGES=20000 images on a local Ray, with kills (docs/scale.md)"
	@echo "make kubernetes-test   validate deploy/kubernetes without a cluster (docs/kubernetes.md)"
	@echo "make deploy-test       test the systemd service in Debian 12 and 13 containers (as root)"
	@echo "make page-test         test the web page in Chromium (installs it)"
	@echo "make pacs-test         test dia orthanc with Orthanc and DICOM tools (as root; docs/pacs.md)"
	@echo "make clients-test      score an image with many clients and through proxies, from PyPI and Debian (docs/clients.md)"
	@echo "make contract          test openapi.yaml with schemathesis and a generated client, from PyPI"
	@echo "make attacks           measure memory and latency under attack (docs/results/attacks.md)"
	@echo "make sanitize          run the server tests with ThreadSanitizer"
	@echo "make bench-batch       measure one batch with 100,000 images (docs/results/large-batch.md)"
	@echo "make bench-bombs       measure time and memory of hostile images"
	@echo "make bench-allocations count the memory allocations of a pass through a network"
	@echo "make bench-model-memory measure the memory of a loaded model (docs/memory.md)"
	@echo "make bench-client      measure dia score on 10,000 images (docs/results/client.md)"
	@echo "make man               write the man pages and the shell completions of dia to .build/man, .build/completions"
	@echo "make train-phantom     train Models/phantom from scratch (under 15 minutes on two cores)"
	@echo "make evaluate-phantom  evaluate Models/phantom on the phantom data set, with images"

# Installs missing C libraries with apt-get, as root or with sudo: `deps` what the server needs, `deps-all` everything.
deps-all: PACKAGES += $(DEVELOPMENT_PACKAGES)
deps deps-all:
	@command -v swift > /dev/null || { echo "A Swift toolchain (6.2 or later) is needed: https://www.swift.org/install"; exit 1; }
	@missing=""; \
	for package in $(PACKAGES); do dpkg -s $$package > /dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
		command -v apt-get > /dev/null || { echo "Please install:$$missing"; exit 1; }; \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		echo "Installing$$missing with apt-get"; \
		$$sudo apt-get update && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y --no-install-recommends $$missing; \
	fi

build: deps-all
	$(BUILD)

# Links the Swift runtime statically, so the target machine does not need a toolchain.
build-static: deps
	$(BUILD) --product dia-server --static-swift-stdlib --scratch-path $(STATIC)

# Builds as the current user. Copies with sudo, unless run as root or with DESTDIR.
install: build-static
	@$(MAKE) --no-print-directory stage
	@echo "Installed in $(DESTDIR)$(PREFIX) and $(DESTDIR)$(UNITS). To start it, see the comment in dia-server.service."

# Copies the files of `make install`, without a build.
stage:
	@sudo=""; [ "$$(id -u)" = 0 ] || [ -n "$(DESTDIR)" ] || sudo=sudo; set -e; \
	share="$(DESTDIR)$(PREFIX)/share/dia"; \
	$$sudo install -D -m 755 "$(SERVER)" "$(DESTDIR)$(PREFIX)/bin/dia-server"; \
	for model in Models/*/; do \
		$$sudo install -d -m 755 "$$share/models/$$(basename $$model)"; \
		$$sudo install -m 644 -t "$$share/models/$$(basename $$model)" $$model*; \
	done; \
	$$sudo install -d -m 755 "$$share/examples"; \
	$$sudo install -m 644 -t "$$share/examples" examples/lesion.png examples/normal.png; \
	changed=$$(mktemp); trap 'rm -f "$$changed"' EXIT; \
	for unit in dia-server.service dia-server.socket; do \
		sed 's|/usr/local/|$(PREFIX)/|g' deploy/systemd/$$unit > $$changed; \
		$$sudo install -D -m 644 $$changed "$(DESTDIR)$(UNITS)/$$unit"; \
	done; \
	sed 's|/usr/local/|$(PREFIX)/|g' deploy/systemd/dia-server-credentials.conf > $$changed; \
	$$sudo install -m 644 $$changed "$$share/dia-server-credentials.conf"

# Packages for machines without a Swift toolchain.
deb: build-static
	deploy/debian/build.sh dia-server $(STATIC)/release/dia-server $(PACKAGES_FOLDER)

# dia needs the version of DCMTK of the Debian release, so it is built in a root file system of each.
deb-client:
	STATIC=$(STATIC) deploy/debian/build-client.sh $(PACKAGES_FOLDER) $(RELEASES)

tarball: build-static
	deploy/tarball/build.sh $(STATIC)/release/dia-server $(PACKAGES_FOLDER)

packages-test: deb tarball
	STATIC=$(STATIC) LOGS=$(LOGS) PACKAGES=$(PACKAGES_FOLDER) Tests/Packages/packages-test.sh $(RELEASES)

serve: deps
	$(BUILD) --product dia-server
	exec $(BIN)/dia-server --models Models --default-model chest --host $(HOST) --port $(PORT)

lint:
	swift format lint --strict -r Sources Tests Benchmarks Package.swift
	python3 Tools/check_arrows.py

format:
	swift format -i -r Sources Tests Benchmarks Package.swift

# The tests of whole processes run by themselves: they block threads that the tests of the server's parts need.
test: deps-all lint
	$(BUILD) --build-tests --explicit-target-dependency-import-check error
	@Tests/ProcessTests/setup-sslyze.sh
	swift test -c release --disable-xctest --skip-build --skip 'ProcessTests|InferenceServiceTests|ClientTests'
	@# Separately, because requests have timeouts and all tests of a run share the processors.
	swift test -c release --disable-xctest --skip-build --filter 'InferenceServiceTests|ClientTests'
	swift test -c release --disable-xctest --skip-build --no-parallel --filter ProcessTests
	Tests/Attacks/attacks.py --seconds 2 --correctness

# Coverage and AddressSanitizer change all objects, so they use a separate build folder. SwiftPM passes each sanitizer in
# a separate option, in any order, and the Swift compiler uses only the last one. So both are passed again together.
fuzz-build: deps-all
	DIA_FUZZ=1 $(BUILD) --product dia-fuzz --scratch-path .build/fuzz --sanitize=fuzzer --sanitize=address \
		-Xswiftc -sanitize=fuzzer,address

fuzz: fuzz-build
	set -e; for target in $(TARGET); do Tests/Fuzzing/fuzz.sh run $$target $(SECONDS); done

fuzz-corpus: fuzz-build
	set -e; for target in $(TARGET); do Tests/Fuzzing/fuzz.sh minimize $$target; done

bench: build
	Benchmarks/setup.sh
	.build/bench-venv/bin/python Benchmarks/bench.py
	.build/bench-venv/bin/python Benchmarks/service.py

bench-profile: build
	@command -v perf > /dev/null || { echo "perf is needed (Debian: apt-get install linux-perf)"; exit 1; }
	Benchmarks/setup.sh
	.build/bench-venv/bin/python Benchmarks/hotspots.py

bench-overload: build
	Benchmarks/setup.sh
	.build/bench-venv/bin/python Benchmarks/overload.py

chaos: build
	Tests/Chaos/chaos.py --minutes $(MINUTES)

balancers-test: deps
	$(BUILD) --product dia-server
	Tests/Balancers/setup.sh
	Tests/Balancers/balancers.py

alerts-test: deps
	$(BUILD) --product dia-server
	Tests/Alerts/setup.sh
	Tests/Alerts/alerts_test.py

ray-test: build
	Tools/python-venv.sh .build/ray/venv deploy/ray/requirements.txt
	.build/ray/venv/bin/python Tests/Ray/ray_test.py --images $(IMAGES)

kubernetes-test: deps
	$(BUILD) --product dia-server
	Tests/Kubernetes/setup.sh
	.build/kubernetes/venv/bin/python Tests/Kubernetes/kubernetes_test.py

deploy-test:
	STATIC=$(STATIC) LOGS=$(LOGS) Tests/Deploy/deploy-test.sh $(RELEASES)

# Screenshots are written to .build/page-screenshots.
page-test: deps
	$(BUILD) --product dia-server
	Tests/Page/setup.sh
	.build/page-venv/bin/python Tests/Page/page_test.py

pacs-test: deps-all
	$(BUILD) --product dia-server
	$(BUILD) --product dia
	Tests/PACS/setup.sh
	.build/pacs-venv/bin/python Tests/PACS/pacs_test.py

clients-test: build
	Tests/Clients/setup.sh
	Tests/Clients/run.py

contract: deps
	$(BUILD) --product dia-server
	Tests/Contract/setup.sh
	.build/contract-venv/bin/python Tests/Contract/contract.py

attacks: build
	Tests/Attacks/attacks.py --report docs/results/attacks.md

# Runs the tests of the server and its dependencies with ThreadSanitizer.
sanitize: deps-all
	swift build --sanitize=thread --scratch-path .build/sanitize --build-tests
	TSAN_OPTIONS=suppressions=Tests/thread-sanitizer.supp swift test --sanitize=thread --scratch-path .build/sanitize \
		--skip-build --disable-xctest --no-parallel --filter '$(SANITIZED)'

bench-full-size: build
	python3 Benchmarks/full_size.py

bench-batch: build
	python3 Benchmarks/large_batch.py

bench-bombs: build
	python3 Benchmarks/bombs.py

bench-allocations: build
	Benchmarks/setup.sh
	python3 Benchmarks/allocations.py

bench-model-memory: build
	python3 Benchmarks/model_memory.py

bench-client: build
	python3 Benchmarks/client.py

man: deps-all
	$(BUILD) --product dia
	python3 Tools/man_pages.py $(BIN)/dia .build/man
	mkdir -p .build/completions
	$(BIN)/dia --generate-completion-script bash > .build/completions/dia
	$(BIN)/dia --generate-completion-script zsh > .build/completions/_dia
	$(BIN)/dia --generate-completion-script fish > .build/completions/dia.fish

$(PHANTOMS):
	$(BIN)/dia-train synthesize --out $@ --side 128 --train 600 --validation 100 --test 200 --seed 0

train-phantom: build
	rm -rf $(PHANTOMS) Models/phantom/.training
	$(MAKE) $(PHANTOMS)
	$(BIN)/dia-train run --data $(PHANTOMS) --normal normal --out Models/phantom

evaluate-phantom: build $(PHANTOMS)
	$(BIN)/dia-train evaluate --data $(PHANTOMS) --normal normal --model Models/phantom --out .build/phantom-report

clean:
	rm -rf .build $(STATIC)
