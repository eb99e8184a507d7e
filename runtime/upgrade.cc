#include "runtime/upgrade.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "runtime/host/log.h"
#include "vm/space.h"

namespace revenant::runtime {
namespace {

struct NamedRoot {
  std::string name;
  objects::Root root;
};

std::vector<NamedRoot> all_roots(const objects::Roots& roots) {
  std::vector<NamedRoot> all;
  roots.for_each([&](std::string_view name, const objects::Root& root) {
    all.push_back({std::string(name), root});
  });
  return all;
}

std::string hex(const store::BuildId& id) {
  std::string text;
  for (const std::uint8_t byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

void drop_threads(vm::MemoryManager& memory) { memory.release(vm::kStackRun); }

// All that a snapshot holds below the space is globals, wherever the window was.
void drop_globals(vm::MemoryManager& memory) {
  memory.forget({base::PageNumber{0}, {vm::kSpaceRun.first.value}});
}

base::Status keep_roots(objects::Roots& roots, const objects::Types& types,
                        const std::string& tag) {
  for (NamedRoot& each : all_roots(roots)) {
    REVENANT_TRY(roots.erase(each.name));
    if ((each.root.flags & objects::Root::kSurvivesUpgrade) == 0) {
      const objects::TypeRecord* type = types.find(each.root.type);
      log_line(
          "the root '%s' is dropped: another build cannot know the layout of %s and of all that it "
          "leads to, or where the functions are that it points to; describe it with "
          "REVENANT_DESCRIBE before the next upgrade, or hold no functions and no polymorphic "
          "objects in it; the tag `%s` keeps what it held",
          each.name.c_str(),
          type == nullptr ? "its type" : std::string(type->readable.view()).c_str(), tag.c_str());
      continue;
    }
    each.root.destroy = nullptr;  // an address in the old build; find_root gives the new one
    REVENANT_TRY(roots.insert(each.name, each.root));
  }
  return {};
}

base::Result<std::string> tag_old_build(store::Store& store) {
  const base::Epoch head = store.head()->revision;
  std::string tag = fmt::format("before-upgrade-{}", head.value);
  REVENANT_TRY(store.tag(tag, head));
  return tag;
}

base::Error another_build(const store::SnapshotRecord& head, const store::BuildId& own,
                          const std::filesystem::path& store) {
  return {
      base::ErrorCode::kAnotherBuild,
      fmt::format("the threads in {} were written by build {}, and this is build {}; run the old "
                  "build to go on with them, give --upgrade to keep the roots and begin main "
                  "anew, or give another --store",
                  store.string(), hex(head.info.build_id), hex(own))};
}

}  // namespace revenant::runtime
