/* Floating point and vectors: what a compiler makes of C with SSE2. Results are printed as their bits. */
#include "../runtime/guest.h"

static uint64_t bits(double x) {
  uint64_t value;
  memcpy(&value, &x, sizeof value);
  return value;
}
static uint32_t single_bits(float x) {
  uint32_t value;
  memcpy(&value, &x, sizeof value);
  return value;
}
static void show(const char *what, double x) { print("%-36s %016llx\n", what, (unsigned long long)bits(x)); }

static uint32_t seed = 1;
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}
/* Between -1 and 1. */
static double uniform(void) { return (int32_t)next() / 2147483648.0; }
static double root(double x) {
  __asm__("sqrtsd %0, %0" : "+x"(x));
  return x;
}

/* The planets fall around the sun: energy before and after. */
enum { BODIES = 5 };
static double place[BODIES][3], speed[BODIES][3], mass[BODIES];
static double energy(void) {
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    for (int k = 0; k < 3; k++) sum += mass[i] * speed[i][k] * speed[i][k] / 2;
    for (int j = i + 1; j < BODIES; j++) {
      double square = 0;
      for (int k = 0; k < 3; k++) square += (place[i][k] - place[j][k]) * (place[i][k] - place[j][k]);
      sum -= mass[i] * mass[j] / root(square);
    }
  }
  return sum;
}
static void bodies(void) {
  for (int i = 0; i < BODIES; i++) {
    mass[i] = i == 0 ? 40 : 0.01 * i;
    for (int k = 0; k < 3; k++) {
      place[i][k] = 10 * uniform();
      speed[i][k] = uniform();
    }
  }
  show("energy of five bodies", energy());
  for (int step = 0; step < 100; step++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = 0; j < BODIES; j++) {
        if (i == j) continue;
        double square = 0.01;
        for (int k = 0; k < 3; k++) square += (place[i][k] - place[j][k]) * (place[i][k] - place[j][k]);
        double pull = 0.001 * mass[j] / (square * root(square));
        for (int k = 0; k < 3; k++) speed[i][k] += (place[j][k] - place[i][k]) * pull;
      }
    for (int i = 0; i < BODIES; i++)
      for (int k = 0; k < 3; k++) place[i][k] += 0.001 * speed[i][k];
  }
  show("energy after 100 steps", energy());
}

static void mandelbrot(void) {
  uint32_t sum = 0;
  for (int y = 0; y < 24; y++)
    for (int x = 0; x < 32; x++) {
      double cr = x / 12.0 - 2.0, ci = y / 12.0 - 1.0, zr = 0, zi = 0;
      uint32_t n = 0;
      for (; n < 30 && zr * zr + zi * zi < 4; n++) {
        double t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
      }
      sum = sum * 31 + n;
    }
  report("mandelbrot: checksum", sum);
}

enum { N = 16 };
static float left[N][N], right[N][N], product[N][N];
static double system_of[N][N + 1];
static void matrices(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      left[i][j] = (float)uniform();
      right[i][j] = (float)uniform();
      product[i][j] = 0;
    }
  for (int i = 0; i < N; i++)
    for (int k = 0; k < N; k++)
      for (int j = 0; j < N; j++) product[i][j] += left[i][k] * right[k][j];
  report("single-precision matrix product", fnv1a(product, sizeof product));

  for (int i = 0; i < N; i++)
    for (int j = 0; j <= N; j++) system_of[i][j] = uniform() + (i == j ? 4 : 0);
  for (int k = 0; k < N; k++)
    for (int i = 0; i < N; i++) {
      if (i == k) continue;
      double factor = system_of[i][k] / system_of[k][k];
      for (int j = k; j <= N; j++) system_of[i][j] -= factor * system_of[k][j];
    }
  double sum = 0;
  for (int i = 0; i < N; i++) sum += system_of[i][N] / system_of[i][i];
  show("sum of the solution of a system", sum);
}

/* Loops that a compiler turns into instructions on whole registers. */
enum { LENGTH = 500 };
static uint8_t bytes_a[LENGTH], bytes_b[LENGTH], bytes_r[LENGTH];
static int16_t words_a[LENGTH], words_b[LENGTH], words_r[LENGTH];
static int32_t doubles_a[LENGTH], doubles_r[LENGTH];
static float floats_r[LENGTH];
static double reals_r[LENGTH];
static void vectors(void) {
  for (int i = 0; i < LENGTH; i++) {
    bytes_a[i] = (uint8_t)next();
    bytes_b[i] = (uint8_t)next();
    words_a[i] = (int16_t)next();
    words_b[i] = (int16_t)next();
    doubles_a[i] = (int32_t)next();
  }
  uint32_t sum = 0;
  for (int i = 0; i < LENGTH; i++) sum += (uint32_t)(bytes_a[i] > bytes_b[i] ? bytes_a[i] - bytes_b[i] : bytes_b[i] - bytes_a[i]);
  report("sum of absolute differences", sum);
  for (int i = 0; i < LENGTH; i++) bytes_r[i] = (uint8_t)((bytes_a[i] + bytes_b[i] + 1) >> 1);
  report("averages", fnv1a(bytes_r, sizeof bytes_r));
  for (int i = 0; i < LENGTH; i++) bytes_r[i] = bytes_a[i] > bytes_b[i] ? bytes_a[i] : bytes_b[i];
  report("larger bytes", fnv1a(bytes_r, sizeof bytes_r));
  for (int i = 0; i < LENGTH; i++) {
    int t = words_a[i] + words_b[i];
    words_r[i] = (int16_t)(t > 32767 ? 32767 : t < -32768 ? -32768 : t);
  }
  report("saturated sums", fnv1a(words_r, sizeof words_r));
  for (int i = 0; i < LENGTH; i++) words_r[i] = (int16_t)((words_a[i] * words_b[i]) >> 16);
  report("high halves of products", fnv1a(words_r, sizeof words_r));
  int32_t dot = 0;
  for (int i = 0; i < LENGTH; i++) dot += (words_a[i] >> 4) * (words_b[i] >> 4);
  report("dot product", (uint32_t)dot);
  for (int i = 0; i < LENGTH; i++) doubles_r[i] = (doubles_a[i] >> 3) ^ (int32_t)((uint32_t)doubles_a[i] << 5);
  report("shifts", fnv1a(doubles_r, sizeof doubles_r));
  for (int i = 0; i < LENGTH; i++) floats_r[i] = (float)doubles_a[i] * 0.25f;
  report("integers to single precision", fnv1a(floats_r, sizeof floats_r));
  for (int i = 0; i < LENGTH; i++) reals_r[i] = floats_r[i] < 0 ? -floats_r[i] : words_a[i];
  report("single to double precision", fnv1a(reals_r, sizeof reals_r));
  for (int i = 0; i < LENGTH; i++) doubles_r[i] = (int32_t)(reals_r[i] / 3);
  report("double precision to integers", fnv1a(doubles_r, sizeof doubles_r));
}

/* Conversions, comparisons and what is no number. */
static void odd_numbers(void) {
  static const double VALUES[] = {0.0, -0.0, 1.5, -2.5, 4294967296.5, -9.3e18, 1e300, 5e-324, 1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0};
  enum { COUNT = sizeof VALUES / sizeof *VALUES };
  uint32_t sum = 2166136261u, orders = 0;
  for (int i = 0; i < COUNT; i++) {
    double x = OPAQUE(bits(VALUES[i])) == bits(VALUES[i]) ? VALUES[i] : 0;
    sum = sum * 16777619 ^ single_bits((float)x);
    int64_t whole;
    __asm__("cvttsd2si %1, %0" : "=r"(whole) : "x"(x));
    sum = (sum * 16777619 ^ (uint32_t)whole) * 16777619 ^ (uint32_t)(whole >> 32);
    for (int j = 0; j < COUNT; j++) orders = orders * 3 + (x < VALUES[j]) + 2 * (x == VALUES[j]) + (x != x);
  }
  report("conversions", sum);
  report("orders", orders);
  show("an unsigned 64-bit integer", (double)OPAQUE(0xfffffffffffff7ffull));
}

/* Rounding modes and sticky flags. */
static void control(void) {
  for (uint32_t mode = 0; mode < 4; mode++) {
    uint32_t mxcsr = 0x1f80 | mode << 13, after;
    double sum = 0, tenth = 0.1;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    for (int i = 0; i < 50; i++) __asm__ volatile("addsd %1, %0" : "+x"(sum) : "x"(tenth));
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    print("fifty tenths, mode %u                %016llx, MXCSR %x\n", mode, (unsigned long long)bits(sum), after);
  }
  static const struct { const char *what; double a, b; } CASES[] = {
    {"1 / 0", 1, 0}, {"0 / 0", 0, 0}, {"1 / 3", 1, 3}, {"1e300 / 1e-300", 1e300, 1e-300}, {"1e-300 / 1e300", 1e-300, 1e300}, {"5e-324 / 1", 5e-324, 1},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
    for (uint32_t flush = 0; flush < 2; flush++) {
      /* QEMU 7.2 does not report a denormal operand, silicon does. SDM Vol. 1, "Denormal-Operand Exception (#D)". */
      if (CASES[i].a == 5e-324 && !flush) continue;
      uint32_t mxcsr = flush ? 0x9fc0 : 0x1f80, after;
      double x = CASES[i].a;
      __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
      __asm__ volatile("divsd %1, %0" : "+x"(x) : "x"(CASES[i].b));
      __asm__ volatile("stmxcsr %0" : "=m"(after));
      print("%-15s %016llx, MXCSR %x\n", CASES[i].what, (unsigned long long)bits(x), after);
    }
  uint32_t usual = 0x1f80;
  __asm__ volatile("ldmxcsr %0" : : "m"(usual));
}

/* CR0.EM off, CR0.MP on; CR4.OSFXSR and OSXMMEXCPT. */
static void enable_sse(void) {
  uint64_t value;
  __asm__ volatile("mov %%cr0, %0; and $~4, %0; or $2, %0; mov %0, %%cr0; mov %%cr4, %0; or $0x600, %0; mov %0, %%cr4" : "=&r"(value) : : "memory");
}

int main(void) {
  enable_sse();
  print("floating point\n");
  bodies();
  mandelbrot();
  matrices();
  vectors();
  odd_numbers();
  control();
  finish();
}
