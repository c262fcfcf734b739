# Everything a fresh machine needs, with a Swift toolchain and nothing else: `make serve`, `make test`.

PACKAGES = pkg-config python3 libopenblas-dev libpng-dev libssl-dev zlib1g-dev
BUILD = swift build -c release
BIN = .build/release
HOST ?= 127.0.0.1
PORT ?= 8080
PHANTOMS = .build/phantoms
MINUTES ?= 4
SANITIZED = HTTP1ConnectionState|HTTPServerTests|ProcessTests|InferenceServiceTests|StructuredLoggingTests
FUZZ_TARGETS = request chunked request-target parameters multipart ndjson inference png safetensors manifest recipe npz \
	configuration keys gzip json base64
TARGET ?= $(FUZZ_TARGETS)
SECONDS ?= 60
# Where `make install` puts things; DESTDIR goes before each.
PREFIX ?= /usr/local
UNITS ?= /etc/systemd/system
STATIC = .build-deploy
# Where `make deploy-test` writes its logs, and the releases of Debian that it boots.
LOGS ?= $(STATIC)/logs
RELEASES ?= bookworm trixie

.PHONY: help deps build build-static install serve test lint format fuzz fuzz-build fuzz-corpus bench bench-profile bench-overload bench-full-size bench-bombs bench-allocations bench-model-memory attacks chaos deploy-test sanitize train-phantom evaluate-phantom clean

help:
	@echo "make serve             install what is missing, build, serve the bundled models on $(HOST):$(PORT)"
	@echo "make install           build a server that needs no Swift, install it for systemd (DESTDIR=, PREFIX=/usr/local)"
	@echo "make test              install what is missing, lint, build, run all tests"
	@echo "make lint | format     check or mend the formatting"
	@echo "make fuzz              fuzz every target, or TARGET=png, for SECONDS=60 each (docs/fuzzing.md)"
	@echo "make bench             measure against PyTorch, ONNX Runtime, OpenVINO (installs them privately from PyPI)"
	@echo "make bench-profile     where the time goes, by perf"
	@echo "make bench-overload    what becomes of requests when more come than can be served"
	@echo "make bench-full-size   time and memory of training at the paper's size"
	@echo "make chaos             some minutes of kills, vanishing clients, broken models, full disks, clock jumps"
	@echo "make deploy-test       boot Debian 12 and 13 in containers and try the systemd service there (as root)"
	@echo "make attacks           hostile clients against a running server; memory and latencies (docs/results/attacks.md)"
	@echo "make sanitize          the server's tests under the thread sanitizer"
	@echo "make bench-bombs       time and memory that hostile images cost the server"
	@echo "make bench-allocations how often a pass through a network asks for memory"
	@echo "make bench-model-memory what a loaded model costs in memory (docs/memory.md)"
	@echo "make train-phantom     train Models/phantom from nothing (under 15 minutes on two cores)"
	@echo "make evaluate-phantom  measure Models/phantom on fresh phantoms, with pictures"

# The C libraries, by apt-get where packages are missing; as root or by sudo.
deps:
	@command -v swift > /dev/null || { echo "A Swift toolchain (6.2 or later) is needed: https://www.swift.org/install"; exit 1; }
	@missing=""; \
	for package in $(PACKAGES); do dpkg -s $$package > /dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
		command -v apt-get > /dev/null || { echo "Please install:$$missing"; exit 1; }; \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		echo "Installing$$missing with apt-get"; \
		$$sudo apt-get update && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y --no-install-recommends $$missing; \
	fi

build: deps
	$(BUILD)

# The Swift runtime is in the executable: where it runs no toolchain is needed.
build-static: deps
	$(BUILD) --product dia-server --static-swift-stdlib --scratch-path $(STATIC)

# Builds as whoever calls; copies by sudo where that is not root and DESTDIR does not say otherwise.
install: build-static
	@sudo=""; [ "$$(id -u)" = 0 ] || [ -n "$(DESTDIR)" ] || sudo=sudo; set -e; \
	share="$(DESTDIR)$(PREFIX)/share/dia"; \
	$$sudo install -D -m 755 $(STATIC)/release/dia-server "$(DESTDIR)$(PREFIX)/bin/dia-server"; \
	for model in Models/*/; do \
		$$sudo install -d -m 755 "$$share/models/$$(basename $$model)"; \
		$$sudo install -m 644 -t "$$share/models/$$(basename $$model)" $$model*; \
	done; \
	for unit in deploy/systemd/dia-server.service deploy/systemd/dia-server.socket; do \
		sed 's|/usr/local/|$(PREFIX)/|g' $$unit > $(STATIC)/unit; \
		$$sudo install -D -m 644 $(STATIC)/unit "$(DESTDIR)$(UNITS)/$$(basename $$unit)"; \
	done; \
	sed 's|/usr/local/|$(PREFIX)/|g' deploy/systemd/dia-server-credentials.conf > $(STATIC)/unit; \
	$$sudo install -m 644 $(STATIC)/unit "$$share/dia-server-credentials.conf"; \
	rm $(STATIC)/unit
	@echo "Installed below $(DESTDIR)$(PREFIX) and $(DESTDIR)$(UNITS); how to start it stands in dia-server.service there."

serve: deps
	$(BUILD) --product dia-server
	exec $(BIN)/dia-server --models Models --default-model pneumonia --host $(HOST) --port $(PORT)

lint:
	swift format lint --strict -r Sources Tests Benchmarks Package.swift
	python3 Tools/check_arrows.py

format:
	swift format -i -r Sources Tests Benchmarks Package.swift

# The tests of whole processes run by themselves: they block threads that the tests of the server's parts need.
test: deps lint
	$(BUILD) --build-tests --explicit-target-dependency-import-check error
	@Tests/ProcessTests/setup-sslyze.sh
	swift test -c release --disable-xctest --skip ProcessTests
	swift test -c release --disable-xctest --skip-build --filter ProcessTests
	Tests/Attacks/attacks.py --seconds 2 --correctness

# Coverage and the address sanitizer change all objects, so they have a folder of their own. SwiftPM names each
# sanitizer by itself, in any order, and the Swift compiler takes the last one alone: hence both again.
fuzz-build: deps
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

deploy-test:
	STATIC=$(STATIC) LOGS=$(LOGS) Tests/Deploy/deploy-test.sh $(RELEASES)

attacks: build
	Tests/Attacks/attacks.py --report docs/results/attacks.md

# The server and what it stands on, under the thread sanitizer.
sanitize: deps
	swift build --sanitize=thread --scratch-path .build/sanitize --build-tests
	TSAN_OPTIONS=suppressions=Tests/thread-sanitizer.supp swift test --sanitize=thread --scratch-path .build/sanitize \
		--skip-build --disable-xctest --no-parallel --filter '$(SANITIZED)'

bench-full-size: build
	python3 Benchmarks/full_size.py

bench-bombs: build
	python3 Benchmarks/bombs.py

bench-allocations: build
	Benchmarks/setup.sh
	python3 Benchmarks/allocations.py

bench-model-memory: build
	python3 Benchmarks/model_memory.py

$(PHANTOMS):
	$(BIN)/dia-train synthesize --out $@ --train 600 --validation 100 --test 200 --seed 0

train-phantom: build
	rm -rf $(PHANTOMS) Models/phantom/.training
	$(MAKE) $(PHANTOMS)
	$(BIN)/dia-train run --data $(PHANTOMS) --normal normal --out Models/phantom

evaluate-phantom: build $(PHANTOMS)
	$(BIN)/dia-train evaluate --data $(PHANTOMS) --normal normal --model Models/phantom --out .build/phantom-report

clean:
	rm -rf .build $(STATIC)
