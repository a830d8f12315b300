/* Computing, and nothing but: what a compiler makes of ordinary C. */
#include "compute.h"

int main(void) {
  print("computing\n");
  algorithms();
  digests();
  interpreters();
  arithmetic();
  bit_fiddling();
  strings();
  coroutines();
  finish();
}
