#!/usr/bin/env bash
# Run by `make fuzz` and `make fuzz-corpus` after dia-fuzz is built.
#
#   fuzz.sh run TARGET SECONDS   fuzzes; findings are written to Findings/TARGET
#   fuzz.sh minimize TARGET      minimizes Corpus/TARGET, keeping the coverage of all inputs found so far
set -euo pipefail
cd "$(dirname "$0")"
command=$1 target=$2
found=../../.build/fuzz/corpus/$target
mkdir -p "$found" "Corpus/$target" "Findings/$target"

# Maximum input length: long enough for typical inputs, short enough for many executions.
case $target in
    parameters | configuration) length=512 ;;
    request-target | keys) length=1024 ;;
    *) length=4096 ;;
esac
# libpng, libjpeg, zlib and Foundation are not instrumented. Their behavior shows only in the hit counts of this project's code.
case $target in
    png | jpeg | configuration | gzip | zip) counters=1 ;;
    *) counters=0 ;;
esac

# Swift's backtracer can hang in a process with a sanitizer.
export SWIFT_BACKTRACE=enable=no

fuzz() {
    DIA_FUZZ_TARGET=$target ../../.build/fuzz/release/dia-fuzz -max_len="$length" -rss_limit_mb=1024 -timeout=5 "$@"
}

case $command in
    run)
        fuzz -max_total_time="$3" -dict="Dictionaries/$target.dict" -artifact_prefix="Findings/$target/" \
            -print_final_stats=1 "$found" "Corpus/$target" ;;
    minimize)
        smaller=$(mktemp -d)
        # Counting only edges keeps the corpus small. `make test` replays all of it.
        fuzz -set_cover_merge=1 -use_counters="$counters" "$smaller" "Corpus/$target" "$found"
        rm -r "Corpus/$target"
        mv "$smaller" "Corpus/$target"
        chmod 755 "Corpus/$target" ;;
esac
