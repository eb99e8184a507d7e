// One program in two builds: the second takes over the roots of the first.
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "revenant/revenant.h"

namespace app {

struct Point {
  int x = 0;
  int y = 0;
};

// Polymorphic: its objects hold an address in the build that made them.
struct Shape {
  virtual ~Shape() = default;
  virtual int sides() const { return BUILD; }
};

}  // namespace app

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    auto& names = revenant::root<std::map<std::string, std::vector<int>>>("names");
    auto& point = revenant::root<app::Point>("point");
    const bool had_shape = revenant::find_root<app::Shape>("shape") != nullptr;
    auto& shape = revenant::root<app::Shape>("shape");
    revenant::print("build {} generation {} names {} x {} shape {} sides {}\n", BUILD,
                    revenant::generation(), names.size(), point.x, had_shape, shape.sides());
    names["of build " + std::to_string(BUILD)].assign(100, BUILD);
    point.x += BUILD;
    revenant::sync();
    ::kill(::getpid(), SIGKILL);
  });
}
