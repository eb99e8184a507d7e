#include "objects/world.h"

#include <string>

#include "base/check.h"
#include "objects/layout.h"

namespace revenant::objects {

World& World::create(GuardValues guards, base::Epoch open_epoch) {
  World& world = at_home();
  REVENANT_CHECK(world.magic == 0, "a world exists already");
  REVENANT_CHECK(open_epoch > base::kNoEpoch);
  world.layout_version = kLayoutVersion;
  world.bytes = sizeof(World);
  world.guards = guards;
  world.set_open_epoch(open_epoch);
  world.magic = kMagic;
  return world;
}

base::Status World::check() const {
  const auto refuse = [](const std::string& why) -> base::Status {
    return base::Error{base::ErrorCode::kAnotherFormat,
                       why + "; use the build that wrote the store, or start a new one"};
  };
  if (magic != kMagic) return refuse("the first page of the space is no world");
  if (layout_version != kLayoutVersion || bytes != sizeof(World)) {
    return refuse("the world has layout " + std::to_string(layout_version) + " of " +
                  std::to_string(bytes) + " bytes, this build knows layout " +
                  std::to_string(kLayoutVersion) + " of " + std::to_string(sizeof(World)) +
                  " bytes");
  }
  if (heap.runs.top > kHeapPages) {
    return refuse("its heap reaches beyond the " +
                  std::to_string((kHeapEnd - kHeapBegin) / vm::kGiB) + " GiB of this build's");
  }
  return {};
}

}  // namespace revenant::objects
