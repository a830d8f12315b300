#!/bin/sh
# gdb on QEMU, with the kernel's own symbols and line numbers: stops at each FUNCTION and shows where it is, the source
# around it and who called. gdb-source-lines.sh KERNEL FUNCTION... (a kernel from `longmode kernel --out`; COMMAND_LINE in the environment).
set -eu
[ $# -ge 2 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
kernel=$1
shift
for function; do set -- "$@" -ex "thbreak *$function"; shift; done
stops=$(($# / 2))
while [ $stops -gt 0 ]; do
  set -- "$@" -ex continue -ex 'info line' -ex 'info symbol $rip' -ex 'x/2i $rip' -ex 'list' -ex 'backtrace' -ex 'frame 1'
  stops=$((stops - 1))
done
# gdb starts QEMU itself and speaks to it over a pipe: no port to find, and neither outlives the other.
exec timeout -k 5 60 gdb -nx -batch -ex 'set pagination off' -ex 'set disassembly-flavor intel' -ex 'set architecture i386:x86-64' \
  -ex "target remote | exec timeout 60 qemu-system-x86_64 -accel tcg -kernel '$kernel' -append '${COMMAND_LINE:-scenario=all}' -m 128M -S -gdb stdio -serial null -monitor none -display none -no-reboot" \
  "$@" -ex kill -ex 'echo' "$kernel" </dev/null
