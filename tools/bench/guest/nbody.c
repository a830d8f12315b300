/* Five bodies under gravity in double precision: SSE2 with gcc's default for 64 bits. */
#include "sse.h"

enum { BODIES = 5 };
struct body {
  double x, y, z, vx, vy, vz, mass;
};

/* A sun and four planets, in astronomical units, years and solar masses: round numbers near the real ones. */
static const struct body START[BODIES] = {
  {0, 0, 0, 0, 0, 0, 39.5},
  {5.2, 0.4, -0.1, -0.3, 2.7, 0.01, 0.0377},
  {-6.5, 7.2, 0.3, -1.5, -1.25, 0.08, 0.0113},
  {14.2, 13.3, -0.2, -1.0, 0.95, 0.02, 0.00172},
  {29.5, -5.0, -0.6, 0.2, 1.1, -0.03, 0.00203}};

WORK static uint32_t nbody(void) {
  struct body bodies[BODIES];
  for (int n = 0; n < BODIES; n++) bodies[n] = START[n];
  const double step = 0.01;
  for (int n = OPAQUE(100); n > 0; n--) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        struct body *a = &bodies[i], *b = &bodies[j];
        double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
        double square = dx * dx + dy * dy + dz * dz, pull = step / (square * __builtin_sqrt(square));
        a->vx -= dx * b->mass * pull;
        a->vy -= dy * b->mass * pull;
        a->vz -= dz * b->mass * pull;
        b->vx += dx * a->mass * pull;
        b->vy += dy * a->mass * pull;
        b->vz += dz * a->mass * pull;
      }
    for (int i = 0; i < BODIES; i++) {
      bodies[i].x += step * bodies[i].vx;
      bodies[i].y += step * bodies[i].vy;
      bodies[i].z += step * bodies[i].vz;
    }
  }
  uint32_t words[sizeof bodies / 4], sum = 0;
  __builtin_memcpy(words, bodies, sizeof bodies);
  for (size_t n = 0; n < sizeof words / sizeof *words; n++) sum = sum * 31 + words[n];
  return sum;
}

const struct workload nbody_workloads[] = {{"nbody", enable_sse, nbody, 0x9915fc72}, {NULL, NULL, NULL, 0}};
