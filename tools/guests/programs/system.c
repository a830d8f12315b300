/* What kernels do: exceptions, demand paging, a timer, ring 3. */
#include "system.h"

int main(void) {
  print("system\n");
  install_tables();
  exceptions();
  paging();
  timer();
  ring3();
  finish();
}
