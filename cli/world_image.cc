#include "cli/world_image.h"

#include <algorithm>

namespace revenant::cli {
namespace {

using base::Result;
using objects::RootEntry;
using runtime::ThreadList;
using runtime::ThreadRecord;

constexpr std::size_t kMostThreads = 16'000'000;
constexpr std::size_t kMostRoots = 16'000'000;
constexpr std::size_t kLongestName = 65'536;

// The address of the record after `record`, which is a copy: its links are still those of the
// image.
ThreadRecord* next_of(ThreadRecord& record) {
  ThreadList::iterator place(&record);
  return (++place).operator->();
}

}  // namespace

Result<Held<objects::World>> WorldImage::world() const {
  REVENANT_ASSIGN(auto held,
                  reader_.object_at<objects::World>(objects::kWorldAddress, "the world"));
  REVENANT_TRY(held->check());
  return held;
}

Result<std::vector<Held<ThreadRecord>>> WorldImage::threads() const {
  REVENANT_TRY(world());
  REVENANT_ASSIGN(auto table, reader_.object_at<runtime::ThreadTable>(objects::kRuntimeBlockAddress,
                                                                      "the table of threads"));
  std::vector<Held<ThreadRecord>> threads;
  Visited visited(std::min<std::uint64_t>(table->all.size(), kMostThreads));
  for (ThreadRecord* next = table->all.front(); next != nullptr; next = next_of(*threads.back())) {
    const auto address = reinterpret_cast<std::uintptr_t>(next);
    if (!visited.enter(address)) {
      return reader_.damaged(address, "a thread", "the list has no end");
    }
    REVENANT_ASSIGN(const auto record, reader_.object(next, "a thread"));
    threads.push_back(record);
  }
  return threads;
}

Result<std::vector<RootImage>> WorldImage::roots() const {
  REVENANT_ASSIGN(const auto world, this->world());
  std::vector<RootImage> roots;
  std::vector<PendingTree> pending{{world->roots.top, ""}};
  Visited visited(kMostRoots);
  while (!pending.empty()) {
    const PendingTree tree = std::move(pending.back());
    pending.pop_back();
    if (tree.top == nullptr) continue;
    const auto address = reinterpret_cast<std::uintptr_t>(tree.top);
    if (!visited.enter(address)) return reader_.damaged(address, "a root", "it is its own heir");
    REVENANT_ASSIGN(auto root, read_root(tree, world->types, pending));
    if (root) roots.push_back(std::move(*root));
  }
  std::sort(roots.begin(), roots.end(),
            [](const RootImage& a, const RootImage& b) { return a.name < b.name; });
  return roots;
}

Result<std::optional<RootImage>> WorldImage::read_root(const PendingTree& tree,
                                                       const objects::TypeState& types,
                                                       std::vector<PendingTree>& pending) const {
  const auto address = reinterpret_cast<std::uintptr_t>(tree.top);
  REVENANT_ASSIGN(const auto entry, reader_.object(tree.top, "a root"));
  REVENANT_ASSIGN(const auto component, reader_.text(address + sizeof(RootEntry), entry->name_bytes,
                                                     kLongestName, "a root's name"));
  const std::string name = tree.directory + component;
  if (name.size() > kLongestName) return reader_.damaged(address, "a root", "its name is endless");
  pending.push_back({entry->links.left, tree.directory});
  pending.push_back({entry->links.right, tree.directory});
  pending.push_back({entry->children, name + "/"});
  if (entry->object == nullptr) return std::optional<RootImage>();
  REVENANT_ASSIGN(auto type, type_name(types, entry->type));
  return std::optional<RootImage>(
      {name, reinterpret_cast<std::uint64_t>(entry->object), entry->object_bytes, std::move(type)});
}

Result<std::string> WorldImage::type_name(const objects::TypeState& types,
                                          objects::TypeId id) const {
  using objects::TypeState;
  const std::size_t chunk = id / TypeState::kChunkTypes;
  if (id == objects::kUnknownType || chunk >= TypeState::kChunks) return std::string("?");
  const TypeState::Chunk* types_of_chunk = types.chunks[chunk].load(std::memory_order_relaxed);
  if (types_of_chunk == nullptr) return std::string("?");
  REVENANT_ASSIGN(const auto slot, reader_.object(types_of_chunk + id % TypeState::kChunkTypes,
                                                  "an entry of the table of types"));
  const objects::TypeRecord* address = slot->load(std::memory_order_relaxed);
  if (address == nullptr) return std::string("?");
  REVENANT_ASSIGN(const auto record, reader_.object(address, "a type"));
  return reader_.text(reinterpret_cast<std::uintptr_t>(record->readable.text),
                      record->readable.bytes, kLongestName, "a type's name");
}

}  // namespace revenant::cli
