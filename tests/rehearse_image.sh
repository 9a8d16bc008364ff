#!/usr/bin/env bash
# Builds the Containerfile without a registry, and runs the sample files in the image: as no root, with a read-only root
# file system, without a shell. Both bases are made from the packages of Debian 12, as the published ones are.
#
#     tests/rehearse_image.sh dist/drugs_rs-….whl
#
# It needs root, buildah, debootstrap and a mirror of Debian (DEBIAN_MIRROR), and two gigabytes in TMPDIR.
set -euo pipefail

wheel=$(realpath "$1")
root=$(realpath "$(dirname "$0")/..")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
work=$(mktemp -d)
export BUILDAH_ISOLATION=chroot
container=
finish() {
    [ -z "$container" ] || buildah rm "$container" > /dev/null
    rm -rf "$work"
}
trap finish EXIT

# What the base without a shell has: Python, the libraries of its standard library, certificates.
packages="base-files libc6 libgcc-s1 zlib1g libexpat1 libssl3 libffi8 libbz2-1.0 liblzma5 libsqlite3-0 libuuid1
    libncursesw6 libtinfo6 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib netbase tzdata media-types"
debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates bookworm "$work/builder" "$mirror" > /dev/null
mkdir -p "$work/debs" "$work/runtime/tmp" "$work/context/dist" "$work/lake"
# shellcheck disable=SC2086
(cd "$work/debs" && apt-get download $packages > /dev/null)
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/runtime"; done
mkdir -p "$work/runtime/etc/ssl/certs"
cp "$work/builder/etc/ssl/certs/ca-certificates.crt" "$work/runtime/etc/ssl/certs/"
ln -sf python3.11 "$work/runtime/usr/bin/python3"

for base in builder runtime; do
    container=$(buildah from scratch)
    buildah add "$container" "$work/$base" / > /dev/null
    buildah commit --quiet "$container" "localhost/drugs-rs-$base:rehearsal" > /dev/null
    buildah rm "$container" > /dev/null
    container=
done

cp "$wheel" "$work/context/dist/"
cp "$root/Containerfile" "$root/.containerignore" "$work/context/"
buildah bud --build-arg BUILDER=localhost/drugs-rs-builder:rehearsal \
    --build-arg RUNTIME=localhost/drugs-rs-runtime:rehearsal --tag drugs-rs:rehearsal "$work/context"

container=$(buildah from localhost/drugs-rs:rehearsal)
image=$(buildah mount "$container")
chown 65532:65532 "$work/lake"
unshare --mount bash -euo pipefail -s "$image" "$root/examples/data" "$work/lake" << 'INSIDE'
image=$1
mount --bind "$image" "$image"
mount -o remount,ro,bind "$image"
mount -t tmpfs -o mode=1777 tmpfs "$image/tmp"
mkdir "$image/tmp/data" "$image/tmp/lake"
mount --bind -o ro "$2" "$image/tmp/data"
mount --bind "$3" "$image/tmp/lake"
inside() {
    env -i HOME=/tmp TMPDIR=/tmp PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 \
        "$(command -v chroot)" --userspec=65532:65532 "$image" "$@"
}
inside /app/bin/drugs-rs --version
inside /app/bin/drugs-rs run --quiet --drugs=/tmp/data/drugs.csv --pubmed=/tmp/data/pubmed.csv \
    --pubmed=/tmp/data/pubmed.json --clinical-trials=/tmp/data/clinical_trials.csv --out=/tmp/lake --dt=2024-03-01
if inside /bin/sh -c true 2> /dev/null; then
    echo "the image has a shell" >&2
    exit 1
fi
if inside /usr/bin/python3 -c 'open("/app/written", "w")' 2> /dev/null; then
    echo "the root file system can be written" >&2
    exit 1
fi
INSIDE
# The golden graph has no synthetic ids; the answers have no ids at all.
for answer in top_journals exclusive_drugs; do
    python3 - "$work/lake/gold/$answer.json" "$root/tests/golden/$answer.json" << 'COMPARE'
import json, pathlib, sys
made, golden = (json.loads(pathlib.Path(path).read_text("utf-8")) for path in sys.argv[1:])
sys.exit(0 if made == golden else f"{sys.argv[1]} is not the golden one")
COMPARE
done
echo "the image works: the answers to the sample files are the golden ones"
