#include "tests/cli/sample_store.h"

#include <array>

#include "base/check.h"
#include "cli/revision.h"

namespace revenant::cli {
namespace {

constexpr std::uintptr_t kMainRecord = kHeapAddress + 0x1000;
constexpr std::uintptr_t kClerkRecord = kHeapAddress + 0x2000;
constexpr std::uintptr_t kBankRoot = kHeapAddress + 0x3000;
constexpr std::uintptr_t kNorthRoot = kHeapAddress + 0x3100;
constexpr std::uintptr_t kCountRoot = kHeapAddress + 0x3200;
constexpr std::uintptr_t kIntType = kHeapAddress + 0x4000;
constexpr std::uintptr_t kSamplePage = kHeapAddress + 0x10000;

FakeImage sample_image() {
  FakeImage image;
  image.put_world();
  image.put_table(kMainRecord, 2);
  image.put_thread(kMainRecord, kClerkRecord, 1, "main");
  image.put_thread(kClerkRecord, 0, 2, "clerk");
  image.put_type(1, kIntType, "int");
  image.put_top_root(kBankRoot);
  image.put_root(kBankRoot, "bank", 0, {.right = kCountRoot, .children = kNorthRoot});
  image.put_root(kNorthRoot, "north", kHeapAddress + 64, {});
  image.put_root(kCountRoot, "count", kHeapAddress + 128, {}, 1);
  return image;
}

void commit(store::Store& store, FakeImage& image) {
  store::EpochWriter& writer = store.begin_epoch();
  for (const auto& [number, contents] : image.pages()) {
    std::array<std::byte, base::kPageSize> page;
    std::memcpy(page.data(), contents.data(), page.size());
    const auto put = writer.put({number}, page.data(), store::hash_page(page.data()));
    REVENANT_CHECK(put.ok(), "%s", put.error().message.c_str());
  }
  store::SnapshotInfo info;
  info.build_id.fill(0xab);
  info.generation = 1;
  info.wall_time_ns = wall_now_ns();
  info.pause_us = 150;
  info.threads = 2;
  const auto committed = writer.commit(info);
  REVENANT_CHECK(committed.ok(), "%s", committed.error().message.c_str());
}

}  // namespace

std::unique_ptr<store::Store> make_sample_store(const std::filesystem::path& path) {
  auto store = store::Store::open({.path = path, .program = "sample"});
  REVENANT_CHECK(store.ok(), "%s", store.error().message.c_str());
  FakeImage image = sample_image();
  commit(**store, image);
  image.pages().clear();
  std::string text(kSamplePageText);
  for (const char version : {'A', 'B'}) {
    text.back() = version;
    image.write(kSamplePage, text.data(), text.size());
    commit(**store, image);
    if (version == 'A') REVENANT_CHECK((*store)->tag("first", (*store)->head()->revision).ok());
  }
  return std::move(*store);
}

}  // namespace revenant::cli
