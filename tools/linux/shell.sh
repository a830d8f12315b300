#!/usr/bin/env bash
# Boots Debian's kernel with BusyBox to a shell on the serial console, on longmode and on QEMU, types `sh /session.sh` at its
# prompt, and checks that both printed the same:
#   tools/linux/shell.sh vmlinux|vmlinuz [options of `longmode run`]
# NODE: the Node to use; BOOT_SECONDS: the limit for each machine (default 900); FOLDER: where fetch.sh put the kernel.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${FOLDER:-$root/out/linux}
image=$1; shift
limit=${BOOT_SECONDS:-900}
cmdline='console=ttyS0 panic=-1 nokaslr reboot=t cryptomgr.notests'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

session() { # name, command...: the lines of the session go to $scratch/NAME.session
  local name=$1; shift
  trap '' PIPE # a machine that ended early reads nothing
  local log=$scratch/$name.log start=$SECONDS pid status
  mkfifo "$scratch/$name.in"
  timeout "$limit" "$@" <"$scratch/$name.in" >"$log" 2>&1 &
  pid=$!
  exec 3>"$scratch/$name.in"
  until grep -qa 'ready# ' "$log" || ! kill -0 $pid 2>/dev/null; do sleep 0.2; done
  printf 'sh /session.sh\n' >&3
  wait $pid
  status=$?
  exec 3>&-
  tr -d '\r' <"$log" | grep -a '^session: ' >"$scratch/$name.session"
  if [ $status -ne 0 ] || ! grep -qx 'session: end' "$scratch/$name.session"; then
    echo "$image on $name: status $status after $((SECONDS - start)) s; the last lines were:" >&2
    tail -15 "$log" >&2
    return 1
  fi
  echo "$image on $name: $(wc -l <"$scratch/$name.session") lines of the session in $((SECONDS - start)) s"
}

session longmode "${NODE:-node}" "$root/bin/longmode.js" run "$folder/$image" --memory 256M --initrd "$folder/busybox.cpio" \
  --cmdline "$cmdline" --no-reboot "$@" || exit 1
session qemu qemu-system-x86_64 -machine pc -accel tcg -cpu max -m 256M -kernel "$folder/$image" -initrd "$folder/busybox.cpio" \
  -append "$cmdline" -no-reboot -display none -monitor none -serial stdio || exit 1
diff "$scratch/qemu.session" "$scratch/longmode.session" || { echo "$image: the session differs (<: QEMU, >: longmode)" >&2; exit 1; }
echo "$image: longmode and QEMU printed the same"
