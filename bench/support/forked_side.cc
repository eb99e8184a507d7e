#include "bench/support/forked_side.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

namespace revenant::bench {

ForkedSide::ForkedSide(const std::function<Measure()>& prepare) {
  int requests[2];
  int answers[2];
  REVENANT_CHECK(::pipe(requests) == 0 && ::pipe(answers) == 0);
  process_ = ::fork();
  REVENANT_CHECK(process_ >= 0);
  if (process_ == 0) {
    ::close(requests[1]);
    ::close(answers[0]);
    const Measure measure = prepare();
    int what = 0;
    while (::read(requests[0], &what, sizeof what) == sizeof what) {
      const double value = measure(what);
      if (::write(answers[1], &value, sizeof value) != sizeof value) break;
    }
    ::_exit(0);
  }
  ::close(requests[0]);
  ::close(answers[1]);
  requests_ = requests[1];
  answers_ = answers[0];
}

ForkedSide::~ForkedSide() {
  ::close(requests_);
  ::close(answers_);
  ::waitpid(process_, nullptr, 0);
}

double ForkedSide::measure(int what) {
  double value = 0;
  REVENANT_CHECK(::write(requests_, &what, sizeof what) == sizeof what);
  REVENANT_CHECK(::read(answers_, &value, sizeof value) == sizeof value,
                 "the other side of the comparison has ended");
  return value;
}

}  // namespace revenant::bench
