#include "tests/cli/fake_image.h"

#include <algorithm>
#include <cstddef>

namespace revenant::cli {

using objects::RootEntry;
using objects::TypeRecord;
using objects::TypeState;
using objects::World;
using runtime::ThreadRecord;

void FakeImage::put_world() {
  put(objects::kWorldAddress + offsetof(World, magic), World::kMagic);
  put(objects::kWorldAddress + offsetof(World, layout_version), World::kLayoutVersion);
  put(objects::kWorldAddress + offsetof(World, bytes), std::uint32_t{sizeof(World)});
}

void FakeImage::put_thread(std::uintptr_t address, std::uintptr_t next, std::uint64_t id,
                           std::string_view name) {
  put(address, HookBytes{.next = next, .list = objects::kRuntimeBlockAddress});
  put(address + offsetof(ThreadRecord, id), id);
  write(address + offsetof(ThreadRecord, name), name.data(),
        std::min(name.size(), sizeof ThreadRecord::name));
}

void FakeImage::put_table(std::uintptr_t first, std::uint64_t size) {
  put(objects::kRuntimeBlockAddress, TableBytes{.first = first, .size = size});
}

void FakeImage::put_root(std::uintptr_t address, std::string_view name, std::uintptr_t object,
                         const RootLinks& links, objects::TypeId type) {
  RootEntry entry{};
  entry.links = {reinterpret_cast<RootEntry*>(links.left),
                 reinterpret_cast<RootEntry*>(links.right)};
  entry.children = reinterpret_cast<RootEntry*>(links.children);
  entry.object = reinterpret_cast<void*>(object);
  entry.object_bytes = 24;
  entry.type = type;
  entry.name_bytes = static_cast<std::uint32_t>(name.size());
  put(address, entry);
  write(address + sizeof entry, name.data(), name.size());
}

void FakeImage::put_top_root(std::uintptr_t address) {
  put(objects::kWorldAddress + offsetof(World, roots) + offsetof(objects::RootState, top), address);
}

void FakeImage::put_type(objects::TypeId id, std::uintptr_t address, std::string_view readable) {
  const std::uintptr_t chunk = address + 4096;
  const std::uintptr_t text = address + 1024;
  TypeRecord record{};
  record.id = id;
  record.readable = {reinterpret_cast<const char*>(text),
                     static_cast<std::uint32_t>(readable.size())};
  put(address, record);
  write(text, readable.data(), readable.size());
  put(chunk + id % TypeState::kChunkTypes * sizeof(void*), address);
  put(objects::kWorldAddress + offsetof(World, types) + offsetof(TypeState, chunks) +
          id / TypeState::kChunkTypes * sizeof(void*),
      chunk);
}

}  // namespace revenant::cli
