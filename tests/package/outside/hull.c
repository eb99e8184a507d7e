// Convex hulls by qhull, whose state is the global qh: killed between building one and reading it.
#include <libqhull/qhull_a.h>

#include "life.h"

enum { kPoints = 200, kDimension = 3 };

static double facet_areas(void) {
  double sum = 0;
  facetT* facet;
  FORALLfacets sum += qh_facetarea(facet);
  return sum;
}

void work(void) {
  static char command[] = "qhull";
  for (int round = 1; round <= 4; ++round) {
    double points[kPoints * kDimension];
    unsigned state = (unsigned)round;
    for (int i = 0; i < kPoints * kDimension; ++i) {
      state = state * 1664525u + 1013904223u;
      points[i] = (double)(state >> 8) / (1 << 24);
    }
    const int failed = qh_new_qhull(kDimension, kPoints, points, False, command, NULL, stderr);
    step("round %d: %s, %d points", round, failed ? "failed" : "built", qh num_points);
    step("%d facets, %d vertices", qh num_facets, qh num_vertices);
    step("area %.17g", facet_areas());
    qh_freeqhull(qh_ALL);
  }
}
