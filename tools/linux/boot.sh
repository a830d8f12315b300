#!/usr/bin/env bash
# Boots a kernel of out/linux on longmode and checks that our init printed everything and rebooted:
#   tools/linux/boot.sh vmlinux|vmlinuz [options of `longmode run`]
# NODE: the Node to use; BOOT_SECONDS: the limit for the run (default 600); FOLDER: where fetch.sh put the kernel.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${FOLDER:-$root/out/linux}
image=$1; shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=$SECONDS
"${NODE:-node}" "$root/bin/longmode.js" run "$folder/$image" --memory 128M --initrd "$folder/initramfs.cpio" \
  --cmdline 'console=ttyS0 panic=-1 nokaslr reboot=t cryptomgr.notests' --no-reboot --timeout "${BOOT_SECONDS:-600}" "$@" </dev/null >"$log"
status=$?
grep -a '^init: ' "$log"
if [ $status -ne 0 ] || ! grep -qa '^init: rebooting' "$log" || grep -qa '^init: FAILED' "$log"; then
  echo "$image: status $status after $((SECONDS - start)) s; the last lines were:" >&2
  tail -15 "$log" >&2
  exit 1
fi
echo "$image: booted to init and rebooted in $((SECONDS - start)) s"
