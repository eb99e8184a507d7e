#include "vm/ticket_pool.h"

#include "base/check.h"
#include "vm/packed_run.h"

namespace revenant::vm::internal {
namespace {

constexpr unsigned kKindBits = 4;
constexpr unsigned kReadOnlyAt = 4;
constexpr unsigned kLoneAt = 5;
constexpr unsigned kReasonAt = 6;
constexpr unsigned kTierAt = 10;
constexpr unsigned kOwnerAt = 14;
constexpr unsigned kGenerationAt = 22;

constexpr std::uint64_t field(std::uint64_t head, unsigned at, unsigned bits) {
  return head >> at & ((std::uint64_t{1} << bits) - 1);
}

constexpr bool has_origin(Ticket::Kind kind) {
  return kind == Ticket::Kind::kParked || kind == Ticket::Kind::kHostFile;
}

constexpr std::uint64_t generation_in(std::uint64_t head) {
  return field(head, kGenerationAt, TicketReference::kGenerationBits);
}

std::uint64_t head_of(const Ticket& ticket, TicketOwner owner, bool lone,
                      std::uint64_t generation) {
  return (static_cast<std::uint64_t>(ticket.kind) + 1) |
         std::uint64_t{ticket.read_only} << kReadOnlyAt | std::uint64_t{lone} << kLoneAt |
         static_cast<std::uint64_t>(ticket.reason) << kReasonAt |
         static_cast<std::uint64_t>(ticket.tier) << kTierAt |
         std::uint64_t{owner.index} << kOwnerAt | generation << kGenerationAt;
}

}  // namespace

base::Status TicketPool::open() {
  return memory_.reserve(sizeof(Record) << kNumberBits, "the tickets");
}

TicketOwner TicketPool::add_owner() {
  for (std::size_t index = 1; index < kMaxOwners; ++index) {
    if (owners_[index].in_use) continue;
    owners_[index].in_use = true;
    return {static_cast<std::uint8_t>(index)};
  }
  REVENANT_CHECK(false, "more than %zu owners of tickets", kMaxOwners - 1);
  __builtin_unreachable();
}

void TicketPool::remove_owner(TicketOwner owner) {
  REVENANT_CHECK(owners_[owner.index].first == 0, "owner %u still has tickets", owner.index);
  owners_[owner.index].in_use = false;
}

TicketNumber TicketPool::take_free() {
  if (free_ != 0) {
    const TicketNumber number = free_;
    free_ = record(number).next;
    return number;
  }
  REVENANT_CHECK(carved_ >> kNumberBits == 0, "all of %u tickets are in use", carved_);
  return carved_++;
}

TicketNumber TicketPool::make(TicketOwner owner, base::PageRun extent, const Ticket& ticket,
                              bool lone) {
  Owner& list = owners_[owner.index];
  REVENANT_CHECK(owner.index == 0 || list.in_use, "nobody is owner %u", owner.index);
  const TicketNumber number = take_free();
  Record& made = record(number);
  const std::uint64_t generation = generation_in(made.head.load(std::memory_order_relaxed));
  made.extent.store(pack(extent), std::memory_order_release);
  made.content.store(has_origin(ticket.kind) ? ticket.origin : ticket.not_before.value,
                     std::memory_order_release);
  made.head.store(head_of(ticket, owner, lone, generation), std::memory_order_release);
  made.previous = 0;
  made.next = list.first;
  if (list.first != 0) record(list.first).previous = number;
  list.first = number;
  ++list.count;
  return number;
}

void TicketPool::set_extent(TicketNumber number, base::PageRun extent) {
  record(number).extent.store(pack(extent), std::memory_order_release);
}

void TicketPool::retire(TicketNumber number) {
  Record& gone = record(number);
  Owner& list = owners_[field(gone.head.load(std::memory_order_relaxed), kOwnerAt, 8)];
  (gone.previous != 0 ? record(gone.previous).next : list.first) = gone.next;
  if (gone.next != 0) record(gone.next).previous = gone.previous;
  --list.count;
  gone.next = retired_;
  retired_ = number;
}

void TicketPool::bury() {
  while (retired_ != 0) {
    const TicketNumber number = retired_;
    Record& gone = record(number);
    retired_ = gone.next;
    const std::uint64_t generation = generation_in(gone.head.load(std::memory_order_relaxed)) + 1;
    const std::uint64_t wrapped = field(generation, 0, TicketReference::kGenerationBits);
    gone.head.store(wrapped << kGenerationAt, std::memory_order_release);  // I3
    gone.next = free_;
    free_ = number;
  }
}

TicketCopy TicketPool::read(TicketNumber number) const noexcept {
  const Record& asked = record(number);
  const std::uint64_t extent = asked.extent.load(std::memory_order_acquire);
  const std::uint64_t content = asked.content.load(std::memory_order_acquire);
  const std::uint64_t head = asked.head.load(std::memory_order_acquire);
  const std::uint64_t kind = field(head, 0, kKindBits);
  TicketCopy copy{.extent = unpack(extent),
                  .owner = {static_cast<std::uint8_t>(field(head, kOwnerAt, 8))},
                  .reference = {.number = number,
                                .generation = static_cast<std::uint16_t>(generation_in(head))},
                  .lone = field(head, kLoneAt, 1) != 0,
                  .in_use = kind != 0};
  if (!copy.in_use) return copy;
  copy.ticket = {.kind = static_cast<Ticket::Kind>(kind - 1),
                 .reason = static_cast<ForbiddenReason>(field(head, kReasonAt, 4)),
                 .tier = static_cast<Tier>(field(head, kTierAt, 4)),
                 .read_only = field(head, kReadOnlyAt, 1) != 0};
  if (has_origin(copy.ticket.kind)) {
    copy.ticket.origin = content;
  } else {
    copy.ticket.not_before = {content};
  }
  return copy;
}

base::PageRun TicketPool::extent_of(TicketNumber number) const noexcept {
  return unpack(record(number).extent.load(std::memory_order_acquire));
}

}  // namespace revenant::vm::internal
