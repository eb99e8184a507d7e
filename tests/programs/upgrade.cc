// One program in two builds: the second takes over the roots of the first.
#include <unistd.h>

#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "revenant/revenant.h"
#include "tests/programs/expect.h"

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

struct Drawing {
  Shape shape;
};
REVENANT_DESCRIBE(Drawing, shape);

struct Handler {
  int id = 0;
  std::function<int()> call;
};
REVENANT_DESCRIBE(Handler, id, call);

struct Callback {
  int id;
  int (*call)();
};

#if BUILD == 1
struct Item {
  int id, amount;
};
REVENANT_DESCRIBE(Item, id, amount);
#else
struct Item {
  long note;
  int amount, id;
};
REVENANT_DESCRIBE(Item, note, amount, id);
#endif

template <class T>
bool is_new(const char* name) {
  const bool found = revenant::find_root<T>(name) != nullptr;
  revenant::root<T>(name);
  return !found;
}

// The builds' globals lie elsewhere, and some of the one's pages where the other's are.
REVENANT_PERSISTENT int shift[BUILD * 1500] = {};
REVENANT_PERSISTENT long table[8192] = {};
REVENANT_PERSISTENT int starts = 40;

// Another build's globals begin anew: none of the old one's pages shines through.
void take_globals() {
  for (const long entry : table) EXPECT(entry == 0);
  EXPECT(starts == 40 && shift[0] == 0);
  for (long& entry : table) entry = BUILD;
  shift[0] = ++starts;
}

// A vector is as large in both builds; its elements are not.
void take_items() {
  using Items = std::vector<Item>;
  if (BUILD == 1) {
    auto& items = revenant::root<Items>("items");
    EXPECT(items.size() == (revenant::generation() == 1 ? 0 : 4));
    items.resize(4);
    return;
  }
  bool refused = false;
  try {
    revenant::find_root<Items>("items");
  } catch (const revenant::error& changed) {
    refused = changed.code() == revenant::errc::wrong_type &&
              std::string(changed.what()).find("app::Item out otherwise") != std::string::npos;
  }
  EXPECT(refused);
}

}  // namespace app

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    auto& names = revenant::root<std::map<std::string, std::vector<int>>>("names");
    auto& point = revenant::root<app::Point>("point");
    const bool had_shape = revenant::find_root<app::Shape>("shape") != nullptr;
    auto& shape = revenant::root<app::Shape>("shape");
    // Vtables further off: behind a pointer, and in a control block.
    using Shapes = std::vector<std::unique_ptr<app::Shape>>;
    const bool had_shapes = revenant::find_root<Shapes>("shapes") != nullptr;
    revenant::root<Shapes>("shapes").push_back(std::make_unique<app::Shape>());
    const bool had_shared = revenant::find_root<std::shared_ptr<int>>("shared") != nullptr;
    revenant::root<std::shared_ptr<int>>("shared") = std::make_shared<int>(BUILD);
    EXPECT(!had_shapes && !had_shared);
    EXPECT(app::is_new<std::vector<app::Shape*>>("pointers"));
    EXPECT(app::is_new<std::optional<app::Drawing>>("drawing"));
    EXPECT(app::is_new<app::Handler>("handler"));
    EXPECT(app::is_new<app::Callback>("callback"));
    app::take_items();
    app::take_globals();
    revenant::print("build {} generation {} names {} x {} shape {} sides {}\n", BUILD,
                    revenant::generation(), names.size(), point.x, had_shape, shape.sides());
    names["of build " + std::to_string(BUILD)].assign(100, BUILD);
    point.x += BUILD;
    revenant::sync();
    ::kill(::getpid(), SIGKILL);
  });
}
