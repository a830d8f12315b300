#!/usr/bin/env bash
# Puts one of Debian's stock kernels into a folder (default: out/linux), without installing it: vmlinuz, the bzImage of the package;
# vmlinux, the ELF file inside it, where that is compressed with lz4; initramfs.cpio, our init (tools/linux/init.ts); busybox.cpio, Debian's busybox-static with a shell
# on the serial console. KERNEL: the package (default linux-image-cloud-amd64, the kernel for clouds; or linux-image-amd64).
# Needs apt-get, dpkg-deb and Node 24 (NODE=path, if `node` is another).
set -euo pipefail
folder=${1:-$(dirname "$0")/../../out/linux}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The package is a name for the newest one.
kernel=${KERNEL:-linux-image-cloud-amd64}
package=$(apt-cache depends "$kernel" 2>/dev/null | awk '/Depends: linux-image/ { print $2; exit }')
[ -n "$package" ] || { echo "$kernel is not among the packages that apt knows; run apt-get update" >&2; exit 1; }
(cd "$scratch" && apt-get download -qq -o APT::Sandbox::User=root "$package" busybox-static)
for deb in "$scratch"/*.deb; do dpkg-deb -x "$deb" "$scratch/root"; done
cp "$scratch"/root/boot/vmlinuz-* "$folder/vmlinuz"
cp "$(find "$scratch/root" -path '*bin/busybox' -type f)" "$folder/busybox"
"${NODE:-node}" "$here/prepare.ts" "$folder"
echo "$package: $(ls "$folder" | tr '\n' ' ')in $folder"
