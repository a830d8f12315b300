/* Sieve, recursion, backtracking, heap sort, matrices. */
#include "compute.h"

static unsigned count_primes(unsigned limit) {
  static uint8_t composite[4096];
  memset(composite, 0, sizeof composite);
  unsigned count = 0;
  for (unsigned n = 2; n < limit; n++) {
    if (composite[n]) continue;
    count++;
    for (unsigned multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  return count;
}

static unsigned fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static unsigned ackermann(unsigned m, unsigned n) {
  if (m == 0) return n + 1;
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

/* Queens as bit masks of attacked columns and diagonals. */
static unsigned queens(unsigned all, unsigned columns, unsigned left, unsigned right) {
  if (columns == all) return 1;
  unsigned solutions = 0;
  for (unsigned free = all & ~(columns | left | right); free != 0; free &= free - 1) {
    unsigned place = free & -free;
    solutions += queens(all, columns | place, (left | place) << 1, (right | place) >> 1);
  }
  return solutions;
}

/* Queens as a list of columns, compared pair by pair. */
static unsigned queens_by_list(int8_t *column, int row, int size) {
  if (row == size) return 1;
  unsigned solutions = 0;
  for (int8_t c = 0; c < size; c++) {
    bool safe = true;
    for (int r = 0; r < row && safe; r++) {
      int distance = c - column[r];
      safe = distance != 0 && distance != row - r && -distance != row - r;
    }
    if (!safe) continue;
    column[row] = c;
    solutions += queens_by_list(column, row + 1, size);
  }
  return solutions;
}

struct item {
  uint32_t key;
  uint16_t value;
  int8_t weight;
};
static void sift_down(struct item *heap, size_t root, size_t count) {
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) return;
    if (child + 1 < count && heap[child].key < heap[child + 1].key) child++;
    if (heap[root].key >= heap[child].key) return;
    struct item moved = heap[root];
    heap[root] = heap[child];
    heap[child] = moved;
    root = child;
  }
}
static void heap_sort(struct item *items, size_t count) {
  for (size_t root = count / 2; root-- > 0;) sift_down(items, root, count);
  for (size_t end = count; end-- > 1;) {
    struct item last = items[end];
    items[end] = items[0];
    items[0] = last;
    sift_down(items, 0, end);
  }
}
static void sorting(void) {
  static struct item items[300];
  const size_t count = sizeof items / sizeof *items;
  uint32_t seed = OPAQUE(12345u);
  uint64_t sum = 0, sum_after = 0;
  for (size_t n = 0; n < count; n++) {
    seed = seed * 1664525 + 1013904223;
    items[n] = (struct item){seed >> 8, (uint16_t)(seed >> 3), (int8_t)seed};
    sum += items[n].key + (uint64_t)items[n].value * (uint64_t)(items[n].weight + 128);
  }
  heap_sort(items, count);
  unsigned disorder = 0;
  for (size_t n = 0; n < count; n++) {
    if (n > 0 && items[n - 1].key > items[n].key) disorder++;
    sum_after += items[n].key + (uint64_t)items[n].value * (uint64_t)(items[n].weight + 128);
  }
  check("heap sort: out of order", disorder, 0);
  check("heap sort: sum of all items", sum_after, sum);
  report("heap sort: checksum", fnv1a(items, sizeof items));
}

enum { ORDER = 6, MODULUS = 65521 };
typedef uint32_t matrix[ORDER][ORDER];
static void multiply(matrix product, const matrix a, const matrix b) {
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j < ORDER; j++) {
      uint32_t sum = 0;
      for (int k = 0; k < ORDER; k++) sum = (sum + a[i][k] * b[k][j]) % MODULUS;
      product[i][j] = sum;
    }
}
static void matrices(void) {
  matrix base, power, product, inverse_order;
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j < ORDER; j++) {
      base[i][j] = (uint32_t)(i * 7 + j * j + 3);
      power[i][j] = inverse_order[i][j] = i == j;
    }
  /* To the 13th by squaring, and by multiplying from the other side one by one. */
  for (int n = 13; n != 0; n >>= 1) {
    if (n & 1) {
      multiply(product, power, base);
      memcpy(power, product, sizeof power);
    }
    multiply(product, base, base);
    memcpy(base, product, sizeof base);
  }
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j < ORDER; j++) base[i][j] = (uint32_t)(i * 7 + j * j + 3);
  for (int n = 0; n < 13; n++) {
    multiply(product, base, inverse_order);
    memcpy(inverse_order, product, sizeof product);
  }
  check("matrix power, two ways", fnv1a(power, sizeof power), fnv1a(inverse_order, sizeof inverse_order));
  report("matrix power: checksum", fnv1a(power, sizeof power));
}

void algorithms(void) {
  check("primes below 4096", count_primes(OPAQUE(4096u)), 564);
  check("fibonacci(14)", fibonacci(OPAQUE(14u)), 377);
  check("ackermann(2, 9)", ackermann(OPAQUE(2u), 9), 21);
  check("eight queens", queens(OPAQUE(0xffu), 0, 0, 0), 92);
  int8_t columns[6];
  check("six queens by list", queens_by_list(columns, 0, OPAQUE(6)), 4);
  sorting();
  matrices();
}
