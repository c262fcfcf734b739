#!/usr/bin/env bash
# What `make fuzz` and `make fuzz-corpus` run once dia-fuzz is built.
#
#   fuzz.sh run TARGET SECONDS   fuzzes; what is found lands in Findings/TARGET
#   fuzz.sh minimize TARGET      replaces Corpus/TARGET by few small inputs that reach all that was ever reached
set -euo pipefail
cd "$(dirname "$0")"
command=$1 target=$2
found=../../.build/fuzz/corpus/$target
mkdir -p "$found" "Corpus/$target" "Findings/$target"

# Long enough for what a target takes, short enough to try many.
case $target in
    parameters | configuration) length=512 ;;
    request-target | keys) length=1024 ;;
    *) length=4096 ;;
esac
# What libpng, zlib and Foundation do shows only in how often our own code is reached.
case $target in
    png | configuration | gzip) counters=1 ;;
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
        # By the edges reached alone, few files are enough, and `make test` replays them all.
        fuzz -set_cover_merge=1 -use_counters="$counters" "$smaller" "Corpus/$target" "$found"
        rm -r "Corpus/$target"
        mv "$smaller" "Corpus/$target"
        chmod 755 "Corpus/$target" ;;
esac
