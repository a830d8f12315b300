#!/bin/sh
# Does the guest kernel say the same everywhere? Builds it (also for PVH alone and Multiboot alone), boots each on longmode
# and on other machines and compares what it prints on COM1. TAP on stdout; status 1 when something differs.
# Machines whose programs are not installed are skipped, each with a line that says so. Takes some minutes: compare.sh [FOLDER]
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
count=0 failed=0

has() { for program in "$@"; do command -v "$program" >/dev/null || return 1; done; }

node --input-type=module - "$root" "$folder" <<'END' || exit 1
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const [root, folder] = process.argv.slice(2);
const { buildKernel, kernelElf } = await import(pathToFileURL(`${root}/dist/kernel/index.js`).href);
for (const protocols of [['pvh', 'multiboot'], ['pvh'], ['multiboot']]) writeFileSync(`${folder}/${protocols.join('-')}.elf`, kernelElf(buildKernel({ protocols })));
END

# Bochs' BIOS keeps 64 KiB at the top of RAM for itself, QEMU's 128 KiB: Bochs has 16 frames more, and that is in one line.
without_frames() { sed 's/^    frames [0-9]* = used \([0-9]*\) + free [0-9]*$/    frames (all) = used \1 + free (all)/' "$1"; }

# same MACHINE KERNEL MEMORY SCENARIO
same() {
  count=$((count + 1))
  title="$1, $2 kernel, $3, scenario=$4"
  theirs=$folder/$count.$1.txt ours=$folder/$2.$3.$4.longmode.txt
  case $1 in
    qemu) has qemu-system-x86_64 ;;
    qemu-grub) has qemu-system-x86_64 grub-mkrescue xorriso mformat ;;
    bochs) has bochs script grub-mkrescue xorriso mformat ;;
  esac || { echo "ok $count - $title # SKIP its programs are not installed"; return; }
  [ -f "$ours" ] || "$here/run.sh" longmode "$folder/$2.elf" "scenario=$4" "$3" >"$ours" || rm -f "$ours"
  "$here/run.sh" "$1" "$folder/$2.elf" "scenario=$4" "$3" >"$theirs"
  status=$?
  if [ ! -f "$ours" ] || [ $status -ne 0 ] || ! [ -s "$theirs" ]; then
    echo "not ok $count - $title: a machine did not end well (longmode's text: $([ -f "$ours" ] && echo there || echo missing); status of the other: $status)"
    failed=$((failed + 1))
  elif cmp -s "$ours" "$theirs"; then
    echo "ok $count - $title: $(wc -l <"$theirs") lines, identical"
  elif [ "$1" = bochs ] && [ "$(without_frames "$ours")" = "$(without_frames "$theirs")" ]; then
    echo "ok $count - $title: $(wc -l <"$theirs") lines, identical but for the number of frames"
  else
    echo "not ok $count - $title"
    diff "$ours" "$theirs" | head -n 20 | sed 's/^/# /'
    failed=$((failed + 1))
  fi
}

for machine in qemu qemu-grub bochs; do same $machine pvh-multiboot 128M all; done
for kernel in pvh multiboot; do same qemu $kernel 128M all; done
for machine in qemu-grub bochs; do same $machine multiboot 64M gigabyte-pages; done
for memory in 64M 1G 3G; do same qemu pvh-multiboot $memory all; done
for memory in 64M 1G 3G; do same qemu pvh $memory pmm; done
echo "1..$count"
[ $# -gt 0 ] || rm -rf "$folder"
[ $failed -eq 0 ]
