#!/bin/sh
# Builds the benchmark guest for 64 and 32 bits, and the ROM that boots it where there is no loader: build.sh [OUT_FOLDER].
# Needs gcc and binutils, no library. bench/images/ holds the results, so that the benchmark needs no compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
guests=$here/../guests
out=${1:-$here/../../bench/images}
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
mkdir -p "$out"

# The identity map must reach the end of the RAM that priming touches.
COMMON='-std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wall -Wextra -Wno-unused-parameter -DBASE=0 -DLARGE_PAGES=96'
# The runtime is in front, and every file in a fixed order: code moves only when it changes.
RUNTIME='console string divide'
PROGRAM='main integer bytecode nbody packed x87 code system'

# image BITS FLAGS SSE_FLAGS FILES...
image() {
  bits=$1 flags=$2 sse=$3
  shift 3
  linked=
  for file in "entry$bits" $RUNTIME digests "$@"; do
    case $file in
      nbody | packed) unit="$sse -fno-math-errno" ;;
      x87) unit='-mno-sse -mno-mmx -fno-math-errno' ;;
      *) unit=-mgeneral-regs-only ;;
    esac
    for source in "$guests/runtime/$file.c" "$guests/runtime/$file.S" "$guests/programs/$file.c" "$here/guest/$file.c" "$here/guest/$file.S"; do
      case $source in "$guests"/programs/*) [ "$file" = digests ] || continue ;; esac
      [ -e "$source" ] || continue
      object=$objects/$(basename "$source" | tr . _)$bits.o
      gcc $COMMON $flags $unit -c "$source" -o "$object"
      linked="$linked $object"
    done
  done
  emulation=elf_x86_64
  [ "$bits" = 32 ] && emulation=elf_i386
  ld -m $emulation -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --strip-all \
    --defsym=BASE=0 -T "$guests/runtime/link$bits.ld" $linked -o "$out/bench$bits.elf"
}

image 64 '-m64 -mcmodel=small -mno-red-zone' -msse2 $PROGRAM ring3
image 32 '-m32 -march=i686' '-msse2 -mfpmath=sse -mstackrealign' $PROGRAM
as --32 "$here/rom.S" -o "$objects/rom.o"
ld -m elf_i386 -Ttext 0xf000 --oformat binary -e start "$objects/rom.o" -o "$out/rom.bin"
