#!/usr/bin/env bash
# Puts Debian's stock kernel for clouds into a folder (default: out/linux), without installing it: vmlinuz, the bzImage
# of the package; vmlinux, the ELF file inside it; initramfs.cpio, our init (tools/linux/init.ts). Needs apt-get, dpkg-deb and Node 24 (NODE=path, if `node` is another).
set -euo pipefail
folder=${1:-$(dirname "$0")/../../out/linux}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# linux-image-cloud-amd64 is a name for the newest one.
package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ { print $2; exit }')
[ -n "$package" ] || { echo 'linux-image-cloud-amd64 is not among the packages that apt knows; run apt-get update' >&2; exit 1; }
(cd "$scratch" && apt-get download -qq -o APT::Sandbox::User=root "$package")
dpkg-deb -x "$scratch"/linux-image-*.deb "$scratch/root"
cp "$scratch"/root/boot/vmlinuz-* "$folder/vmlinuz"
"${NODE:-node}" "$here/prepare.ts" "$folder"
echo "$package: $folder/vmlinuz, vmlinux, initramfs.cpio"
