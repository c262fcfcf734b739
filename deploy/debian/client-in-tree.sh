#!/usr/bin/env bash
# Run by build-client.sh in the root file system of a Debian release: builds dia and packs it. The version gets the
# release as a suffix, so that the packages of an older release are replaced after an upgrade of Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift build -c release --product dia --static-swift-stdlib --disable-automatic-resolution --skip-update
release=$(. /etc/os-release && echo "$VERSION_ID")
[ -n "${VERSION:-}" ] || VERSION=$(.build/release/dia --version)
VERSION="$VERSION+deb$release" deploy/debian/build.sh dia-client .build/release/dia /build/packages
