#include "store/epoch_writer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/check.h"
#include "store/catalog.h"
#include "store/dead_list.h"
#include "store/store_call.h"
#include "store/store_state.h"
#include "store/tree_editor.h"

namespace revenant::store {
namespace {

// A map that once held a large epoch is not kept: clearing it would cost every later one.
constexpr std::size_t kKeptMapSize = 1 << 16;

std::uint32_t microseconds_since(std::chrono::steady_clock::time_point start) {
  const auto passed = std::chrono::steady_clock::now() - start;
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
}

void sort_and_join(std::vector<base::PageRun>& runs) {
  std::ranges::sort(runs);
  std::size_t last = 0;
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (runs[i].first <= runs[last].end()) {
      runs[last].count = std::max(runs[last].end(), runs[i].end()) - runs[last].first;
    } else {
      runs[++last] = runs[i];
    }
  }
  if (!runs.empty()) runs.resize(last + 1);
}

}  // namespace

// The state of the open epoch; between epochs only empty containers.
struct EpochWriter::Impl final : TreeSink {
  explicit Impl(StoreState& store) : state(store) {}

  void number_epoch() { epoch = std::max(at_least, base::Epoch{counters.next_epoch}); }
  base::Status ensure_transaction();
  base::Status flush();
  base::Status count_bytes(std::size_t bytes);
  base::Status write_image(base::PageNumber page, const std::byte* contents,
                           const ContentHash& hash);
  base::Status erase_image(std::size_t index);
  base::Status take_parked_over();
  base::Result<NodeReference> edit_tree();
  [[nodiscard]] SnapshotBytes describe(const SnapshotInfo& info, const NodeReference& root) const;
  base::Status write_records(const SnapshotBytes& record);
  base::Status note_commit_time();
  base::Result<base::Epoch> commit(const SnapshotInfo& info);
  void end();

  // TreeSink
  [[nodiscard]] const Transaction& transaction() const override { return *writing; }
  base::Result<NodeReference> write_node(std::span<const std::byte> bytes) override;
  base::Status died(const DeadEntry& entry) override;

  StoreState& state;
  bool open = false;
  bool prepared = false;
  base::Epoch at_least;
  base::Epoch epoch;
  StateBytes counters;  // as this epoch's commit will leave them
  std::optional<WriteTransaction> writing;
  std::optional<DeadListWriter> dead;
  std::vector<PagePut> puts;                                       // erased ones are absent images
  boost::unordered_flat_map<std::uint64_t, std::size_t> index_of;  // page -> index in puts
  std::vector<base::PageRun> drops;
  std::size_t uncommitted_bytes = 0;
  std::int64_t pages_added = 0;
  std::int64_t nodes_added = 0;
  std::uint64_t node_bytes = 0;
};

base::Status EpochWriter::Impl::ensure_transaction() {
  if (writing) return {};
  if (!prepared) {
    REVENANT_TRY(state.prepare_epoch());  // I1
    counters = state.counters;
    counters.next_image = state.parked.next_key();
    number_epoch();
    prepared = true;
  }
  REVENANT_ASSIGN(writing, state.environment().begin_write());
  return {};
}

base::Status EpochWriter::Impl::flush() {
  if (!writing) return {};
  state.leftovers = true;
  uncommitted_bytes = 0;
  base::Status committed = writing->commit();
  writing.reset();
  return committed;
}

// Counts what the transaction holds, and commits it before it grows beyond the bound.
base::Status EpochWriter::Impl::count_bytes(std::size_t bytes) {
  uncommitted_bytes += bytes;
  if (uncommitted_bytes < kFlushPages * base::kPageSize) return {};
  REVENANT_TRY(flush());
  return ensure_transaction();
}

base::Status EpochWriter::Impl::write_image(base::PageNumber page, const std::byte* contents,
                                            const ContentHash& hash) {
  const auto [at, fresh] = index_of.try_emplace(page.value, puts.size());
  ImageReference image;
  image.birth_and_algorithm = pack_birth(epoch, static_cast<std::uint8_t>(Algorithm::kXxh3Whole));
  image.hash = hash;
  std::copy_n(contents + kImageValueSize, kImageTailSize, image.tail.data());
  const std::span value(contents, kImageValueSize);
  if (!fresh) {  // I2
    image.key = puts[at->second].image.key;
    puts[at->second].image = image;
    return writing->put(Table::kImages, integer_key(image.key), value);
  }
  image.key = counters.next_image++;
  puts.push_back({page, image});
  REVENANT_TRY(writing->append(Table::kImages, image.key, value));
  return count_bytes(base::kPageSize);
}

base::Status EpochWriter::Impl::erase_image(std::size_t index) {
  ImageReference& image = puts[index].image;
  index_of.erase(puts[index].page.value);
  return writing->erase(Table::kImages, integer_key(std::exchange(image, {}).key));
}

base::Result<NodeReference> EpochWriter::Impl::write_node(std::span<const std::byte> bytes) {
  NodeReference node;
  node.birth_and_algorithm = pack_birth(epoch, static_cast<std::uint8_t>(Algorithm::kXxh3Whole));
  node.key = counters.next_node++;
  node.hash = hash_bytes(bytes);
  REVENANT_TRY(writing->append(Table::kNodes, node.key, bytes));
  node_bytes += bytes.size();
  REVENANT_TRY(count_bytes(bytes.size()));
  return node;
}

base::Status EpochWriter::Impl::died(const DeadEntry& entry) {
  REVENANT_TRY(dead->add(*writing, entry));
  return count_bytes(sizeof entry);
}

// What was parked belongs to this epoch, but for pages whose newer images were put.
base::Status EpochWriter::Impl::take_parked_over() {
  base::Status status;
  const auto erase = [&](std::uint64_t key) {
    if (status.ok()) status = writing->erase(Table::kImages, integer_key(key));
  };
  state.parked.for_each([&](base::PageNumber page, const ImageReference& parked) {
    if (index_of.contains(page.value)) return erase(parked.key);
    puts.push_back({page, parked});
    puts.back().image.birth_and_algorithm =
        pack_birth(epoch, static_cast<std::uint8_t>(parked.algorithm()));
  });
  for (const std::uint64_t key : state.parked.garbage()) erase(key);
  return status;
}

base::Result<NodeReference> EpochWriter::Impl::edit_tree() {
  std::erase_if(puts, [](const PagePut& put) { return !put.image.present(); });
  std::ranges::sort(puts, {}, &PagePut::page);
  sort_and_join(drops);
  dead.emplace(epoch);
  TreeEditor editor(*this, drops);
  const NodeReference parent = state.head ? state.head->root : NodeReference{};
  REVENANT_ASSIGN(const NodeReference root, editor.edit(parent, puts));
  REVENANT_TRY(dead->finish(*writing));
  pages_added = editor.pages_added();
  nodes_added = editor.nodes_added();
  return root;
}

// The parent's record learns how long its commit took; it lies on a page that is written anyway.
base::Status EpochWriter::Impl::note_commit_time() {
  if (!state.head || state.last_commit_us == 0) return {};
  SnapshotBytes parent = *state.head;
  parent.commit_us = state.last_commit_us;
  return write_snapshot(*writing, parent);
}

SnapshotBytes EpochWriter::Impl::describe(const SnapshotInfo& info,
                                          const NodeReference& root) const {
  const SnapshotBytes parent = state.head.value_or(SnapshotBytes{});
  SnapshotBytes record;
  record.revision = epoch.value;
  record.parent = parent.revision;
  record.generation = info.generation;
  record.wall_time_ns = info.wall_time_ns;
  record.root = root;
  record.pages_written = puts.size();
  record.bytes_written = puts.size() * base::kPageSize + node_bytes;
  record.pages_total = parent.pages_total + static_cast<std::uint64_t>(pages_added);
  record.nodes_total = parent.nodes_total + static_cast<std::uint64_t>(nodes_added);
  record.dead_images = dead->images();
  record.dead_nodes = dead->nodes();
  record.pause_us = info.pause_us;
  record.threads = info.threads;
  record.exit_code = info.exit_code;
  record.finished = info.finished ? 1 : 0;
  record.build_id = info.build_id;
  const std::string& branch = state.options.branch;
  record.branch_size = static_cast<std::uint8_t>(branch.size());
  std::ranges::copy(branch, record.branch.begin());
  return record;
}

base::Status EpochWriter::Impl::write_records(const SnapshotBytes& record) {
  counters.next_epoch = epoch.value + 1;
  ++counters.snapshots;
  REVENANT_TRY(note_commit_time());
  REVENANT_TRY(write_snapshot(*writing, record));
  REVENANT_TRY(write_head(*writing, state.options.branch, {epoch.value, record.root}));
  return write_state(*writing, counters);
}

base::Result<base::Epoch> EpochWriter::Impl::commit(const SnapshotInfo& info) {
  const auto start = std::chrono::steady_clock::now();
  REVENANT_TRY(ensure_transaction());
  REVENANT_TRY(take_parked_over());
  REVENANT_ASSIGN(const NodeReference root, edit_tree());
  const SnapshotBytes record = describe(info, root);
  REVENANT_TRY(write_records(record));
  REVENANT_TRY(writing->commit());
  state.committed(counters, record, microseconds_since(start));
  return epoch;
}

void EpochWriter::Impl::end() {
  writing.reset();
  dead.reset();
  puts.clear();
  drops.clear();
  if (index_of.size() > kKeptMapSize) {
    index_of = {};
    puts.shrink_to_fit();
  }
  index_of.clear();
  uncommitted_bytes = 0;
  node_bytes = 0;
  prepared = false;
  open = false;
}

EpochWriter::EpochWriter(StoreState& state) : impl_(std::make_unique<Impl>(state)) {}

EpochWriter::~EpochWriter() = default;

base::Epoch EpochWriter::epoch() const { return impl_->epoch; }

bool EpochWriter::open() const { return impl_->open; }

void EpochWriter::begin(base::Epoch at_least) {
  REVENANT_CHECK(!impl_->open, "an epoch is begun while epoch %llu is open",
                 static_cast<unsigned long long>(impl_->epoch.value));
  impl_->counters = impl_->state.counters;
  impl_->at_least = at_least;
  impl_->number_epoch();
  impl_->open = true;
}

base::Status EpochWriter::put(base::PageNumber page, const std::byte* contents,
                              const ContentHash& hash) {
  REVENANT_DCHECK(impl_->open);
  const StoreCall call;
  REVENANT_TRY(impl_->ensure_transaction());
  return impl_->write_image(page, contents, hash);
}

base::Status EpochWriter::drop(const base::PageRun& run) {
  REVENANT_DCHECK(impl_->open);
  const StoreCall call;
  if (run.count.value == 0) return {};
  impl_->drops.push_back(run);
  const auto erase = [&](std::uint64_t page) -> base::Status {
    const auto at = impl_->index_of.find(page);
    if (at == impl_->index_of.end()) return {};
    REVENANT_TRY(impl_->ensure_transaction());
    return impl_->erase_image(at->second);
  };
  if (run.count.value < impl_->puts.size()) {
    for (std::uint64_t i = 0; i < run.count.value; ++i) {
      REVENANT_TRY(erase(run.first.value + i));
    }
    return {};
  }
  for (const PagePut& put : impl_->puts) {
    if (put.image.present() && run.contains(put.page)) REVENANT_TRY(erase(put.page.value));
  }
  return {};
}

base::Status EpochWriter::flush() {
  const StoreCall call;
  return impl_->flush();
}

base::Result<base::Epoch> EpochWriter::commit(const SnapshotInfo& info) {
  REVENANT_DCHECK(impl_->open);
  const StoreCall call;
  auto committed = impl_->commit(info);
  impl_->end();
  if (!committed.ok()) (void)impl_->state.mend();  // I3
  return committed;
}

void EpochWriter::abort() {
  const StoreCall call;
  impl_->end();
  (void)impl_->state.mend();
}

}  // namespace revenant::store
