#!/bin/sh
# Builds the guests in C: build.sh OUT_FOLDER [IMAGE...], all images without names. Needs gcc and binutils, no library.
# An image is PROGRAM-VARIANT; test/guests/images/ holds the results, so that the tests need no compiler.
set -eu
here=$(dirname "$0")
out=$1
shift
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

COMMON='-std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -Wall -Wextra -Wno-unused-parameter'
COMPUTE='algorithms digests interpreters arithmetic bits strings coroutines'
# The program's files; how it is compiled and linked.
COMPUTE64="compute $COMPUTE"
FLOATING64='floating'
SYSTEM64='system exceptions paging timer ring3 interrupts64 vectors64 digests'
PROTECTED32="protected32 vectors32 $COMPUTE"
SMALL='-m64 -mcmodel=small -DBASE=0'
HIGH='-m64 -mcmodel=kernel -mno-red-zone -DBASE=0xffffffff80000000'

# image NAME BITS FLAGS FILES...
image() {
  name=$1 bits=$2 flags=$3
  shift 3
  case " $wanted " in *" $name "* | '  ') ;; *) return ;; esac
  rm -f "$objects"/*
  base=0
  registers=-mgeneral-regs-only
  case $name in floating-*) registers='-msse2 -ffp-contract=off' ;; esac
  case $flags in *BASE=0x*) base=0xffffffff80000000 ;; esac
  for file in "entry$bits" console string divide "$@"; do
    for source in "$here/runtime/$file.c" "$here/runtime/$file.S" "$here/programs/$file.c" "$here/programs/$file.S"; do
      [ -e "$source" ] || continue
      # In string.c a loop must not become a call of the function it is in.
      gcc $COMMON $registers $flags -fno-tree-loop-distribute-patterns -c "$source" -o "$objects/$file.o"
    done
  done
  emulation=elf_x86_64
  [ "$bits" = 32 ] && emulation=elf_i386
  ld -m $emulation -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --strip-all \
    --defsym=BASE=$base -T "$here/runtime/link$bits.ld" "$objects"/*.o -o "$out/$name.elf"
}

wanted=$*
mkdir -p "$out"
for level in O0 O1 O2 O3 Os; do
  image compute-$level 64 "-$level $SMALL" $COMPUTE64
  image system-$level 64 "-$level $HIGH" $SYSTEM64
  image protected32-$level 32 "-$level -m32 -march=i686" $PROTECTED32
done
for level in O0 O2 O3; do image floating-$level 64 "-$level $SMALL" $FLOATING64; done
image compute-O2-large 64 "-O2 -m64 -mcmodel=large -DBASE=0" $COMPUTE64
image compute-O2-popcnt 64 "-O2 $SMALL -mpopcnt -mmovbe -mcx16 -fcf-protection=full" $COMPUTE64
