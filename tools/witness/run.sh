#!/bin/sh
# Boots the guest kernel on one machine and prints what it says on COM1: run.sh MACHINE KERNEL [COMMAND-LINE] [MEMORY].
# MACHINE: longmode · qemu (-kernel) · qemu-grub (a CD with GRUB, by Multiboot) · bochs (the same CD).
# Status: 0 when the kernel switched the machine off, else the machine's own. README.md beside this file says what each needs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
machine=$1 kernel=$2 cmdline=${3:-scenario=all} memory=${4:-128M}
limit=${WITNESS_TIMEOUT:-120}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# CD: GRUB loads the kernel as a Multiboot 1 image.
make_cd() {
  mkdir -p "$folder/cd/boot/grub"
  cp "$kernel" "$folder/cd/boot/kernel.elf"
  printf 'set timeout=0\nmenuentry longmode {\n  multiboot /boot/kernel.elf %s\n  boot\n}\n' "$cmdline" >"$folder/cd/boot/grub/grub.cfg"
  grub-mkrescue -o "$folder/cd.iso" "$folder/cd" >"$folder/grub.log" 2>&1 || { cat "$folder/grub.log" >&2; exit 1; }
}

# The processor has 1 GiB pages, as longmode's has; QEMU's default one has not, and one scenario tells.
qemu() {
  timeout "$limit" qemu-system-x86_64 -accel tcg -cpu qemu64,+pdpe1gb -m "$memory" -serial stdio -monitor none -display none -no-reboot \
    -device isa-debug-exit,iobase=0xf4,iosize=4 "$@" </dev/null
}

# Bochs has no headless display in every build: the text display runs in a pseudo-terminal of `script`. Its log tells how it ended.
bochs_from_cd() {
  case $memory in
    *G) megabytes=$((${memory%G} * 1024)) ;;
    *) megabytes=${memory%M} ;;
  esac
  cat >"$folder/bochsrc" <<END
megs: $megabytes
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
ata0-master: type=cdrom, path=$folder/cd.iso, status=inserted
cpu: model=corei7_haswell_4770, ips=10000000
clock: sync=none
com1: enabled=1, mode=file, dev=$folder/serial.txt
plugin_ctrl: es1370=0, sb16=0, speaker=0
display_library: term
panic: action=fatal
log: $folder/bochs.log
END
  echo continue >"$folder/bochs.rc"
  TERM=xterm script -qec "timeout --foreground -k 5 $limit bochs -q -f $folder/bochsrc -rc $folder/bochs.rc" /dev/null >"$folder/screen.txt" 2>&1 </dev/null || :
  [ -f "$folder/serial.txt" ] && cat "$folder/serial.txt"
  grep -q 'ACPI control: soft power off' "$folder/bochs.log" || { echo 'Bochs did not end by a power-off; the end of its log:' >&2; tail -n 40 "$folder/bochs.log" >&2; exit 1; }
}

case $machine in
  longmode) timeout "$limit" node "$here/../../bin/longmode.js" run "$kernel" --cmdline "$cmdline" --memory "$memory" </dev/null ;;
  qemu) qemu -kernel "$kernel" -append "$cmdline" ;;
  qemu-grub) make_cd; qemu -cdrom "$folder/cd.iso" -boot d ;;
  bochs) make_cd; bochs_from_cd ;;
  *) echo "run.sh: no machine is called $machine" >&2; exit 2 ;;
esac
