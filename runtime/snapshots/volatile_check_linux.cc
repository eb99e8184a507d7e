#include "runtime/snapshots/volatile_check_linux.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "objects/heap.h"
#include "objects/roots.h"
#include "objects/types.h"
#include "runtime/host/backtrace_linux.h"
#include "runtime/host/log.h"
#include "runtime/threads/runtime_state.h"
#include "vm/space.h"

namespace revenant::runtime {
namespace {

constexpr std::size_t kWordBytes = sizeof(std::uintptr_t);
// Where jump_fcontext leaves the frame pointer and the address it will return to (Boost.Context,
// jump_x86_64_sysv_elf_gas.S).
constexpr std::size_t kSavedFramePointer = 7;
constexpr std::size_t kSavedInstruction = 8;
constexpr std::size_t kMostFrames = 256;

// By hand: a sanitizer would object to looking at frames from outside.
std::uintptr_t word_at(std::uintptr_t address) {
  std::uintptr_t word;
  asm("movq (%1), %0" : "=r"(word) : "r"(address) : "memory");
  return word;
}
void clear_word(std::uintptr_t address) { asm("movq $0, (%0)" : : "r"(address) : "memory"); }

// The runtime's frames, and those of the C library's calls that it stands in for. By the linker's
// name, which begins with the namespace whatever the function returns and takes: _ZN8revenant...,
// or _ZZN8revenant... for what is local to a function.
bool is_of_the_runtime(std::string_view symbol) {
  if (symbol.starts_with("__wrap_")) return true;
  if (!symbol.starts_with("_Z")) return false;
  symbol.remove_prefix(std::min(symbol.find_first_not_of('Z', 2), symbol.size()));
  if (!symbol.starts_with('N')) return false;
  symbol.remove_prefix(std::min(symbol.find_first_not_of("rVKRO", 1), symbol.size()));
  return symbol.starts_with("8revenant");
}

std::string line_of(std::uintptr_t instruction) {
  const std::string function = symbol_at(instruction);
  return function.empty() ? fmt::format("{:#x}", instruction) : readable(function);
}

}  // namespace

void VolatileCheck::scan(const PageCopies& copies) {
  found_.clear();
  mappings_.read();
  read_stacks();
  copies.for_each([this](base::PageNumber page, const std::byte* copy) {
    for (std::size_t at = 0; at < base::kPageSize; at += kWordBytes) {
      std::uintptr_t value = 0;
      std::memcpy(&value, copy + at, sizeof value);
      if (mappings_.find(value) != nullptr) look_at(page.address() + at, value);
    }
    clear_below(page);
    return told_.size() + found_.size() < kMostFindings;
  });
}

// Zeroes what of a stack's page no frame uses (I3).
void VolatileCheck::clear_below(base::PageNumber page) const {
  if (!vm::kStackRun.contains(page)) return;
  const auto next = std::ranges::lower_bound(stacks_, page.address(), {}, &Stack::low);
  if (next == stacks_.end() || page.address() < next->lowest) return;
  const std::uintptr_t end = std::min(next->low, (page + base::PageCount{1}).address());
  for (std::uintptr_t at = page.address(); at < end; at += kWordBytes) {
    if (word_at(at) != 0) clear_word(at);
  }
}

void VolatileCheck::read_stacks() {
  stacks_.clear();
  for (const ThreadRecord& thread : RuntimeState::at_home().scheduler.threads.all) {
    if (thread.state != ThreadState::kFinished && thread.context != nullptr) {
      stacks_.push_back(stack_of(thread));
    }
  }
  std::ranges::sort(stacks_, {}, &Stack::low);
}

// By frame pointers: a frame of code that keeps none belongs to the one that called it.
VolatileCheck::Stack VolatileCheck::stack_of(const ThreadRecord& thread) {
  Stack stack{.low = reinterpret_cast<std::uintptr_t>(thread.context),
              .high = reinterpret_cast<std::uintptr_t>(thread.stack_high),
              .lowest = reinterpret_cast<std::uintptr_t>(thread.stack_low),
              .thread = thread.id,
              .name = {thread.name, ::strnlen(thread.name, sizeof thread.name)}};
  std::uintptr_t low = stack.low;
  std::uintptr_t pointer = word_at(low + kSavedFramePointer * kWordBytes);
  std::uintptr_t instruction = word_at(low + kSavedInstruction * kWordBytes);
  while (stack.frames.size() < kMostFrames && instruction != 0) {
    const std::uintptr_t high = pointer + 2 * kWordBytes;
    if (pointer < low || pointer % kWordBytes != 0 || high > stack.high) break;
    stack.frames.push_back({low, high, instruction - 1});
    instruction = word_at(pointer + kWordBytes);
    pointer = word_at(pointer);
    low = high;
  }
  return stack;
}

const VolatileCheck::Stack* VolatileCheck::stack_at(std::uintptr_t place) const {
  const auto after = std::ranges::upper_bound(stacks_, place, {}, &Stack::low);
  if (after == stacks_.begin()) return nullptr;
  const Stack& candidate = *std::prev(after);
  return place < candidate.high ? &candidate : nullptr;
}

void VolatileCheck::look_at(std::uintptr_t place, std::uintptr_t value) {
  if (told_.contains(place)) return;  // I1
  Finding finding{.place = place, .value = value, .memory = describe(*mappings_.find(value))};
  const base::PageNumber page = base::PageNumber::of(place);
  if (vm::kStackRun.contains(page)) {
    const Stack* stack = stack_at(place);
    if (stack == nullptr) return;
    const auto frame = std::ranges::find_if(
        stack->frames, [&](const Frame& each) { return place >= each.low && place < each.high; });
    if (frame == stack->frames.end()) return;
    const auto left = left_.find(place);
    if (left != left_.end() && left->second == value) return;  // I3
    if (is_of_the_runtime(symbol_at(frame->instruction))) {
      left_[place] = value;
      return;  // I2
    }
    finding.thread = stack->thread;
    finding.thread_name = stack->name;
    finding.frame = *frame;
  } else if (vm::kHeapRun.contains(page)) {
    finding.block = heap_.view().resolve(reinterpret_cast<const void*>(place));
    if (!finding.block.has_value()) return;  // free memory, whose words nobody reads
  } else if (vm::kSpaceRun.contains(page)) {
    return;
  }
  found_.push_back(finding);
}

void VolatileCheck::tell(base::Epoch epoch) {
  for (const Finding& finding : found_) {
    const std::string place = describe_place(finding);
    told_.insert(finding.place);
    log_line(
        "check-volatile: snapshot %llu: %s holds the address %#zx in %s, which a restart does "
        "not bring back",
        static_cast<unsigned long long>(epoch.value), place.c_str(), finding.value,
        finding.memory.c_str());
    if (told_.size() == kMostFindings) {
      log_line("check-volatile: %zu places were named; further ones are not", kMostFindings);
    }
  }
}

std::string VolatileCheck::describe_place(const Finding& finding) const {
  if (finding.frame.instruction != 0) {
    return fmt::format("thread {} '{}', in the frame of {}, at {:#x},", finding.thread,
                       finding.thread_name, line_of(finding.frame.instruction), finding.place);
  }
  if (!finding.block.has_value()) {
    const std::string name = symbol_at(finding.place);
    return fmt::format("the persistent global {} at {:#x}",
                       name.empty() ? "(unnamed)" : readable(name), finding.place);
  }
  const objects::Block& block = *finding.block;
  const auto begin = reinterpret_cast<std::uintptr_t>(block.begin);
  std::string text = fmt::format("the object of {} bytes at {:#x}", block.size, begin);
  if (const objects::TypeRecord* type = types_.find(block.type)) {
    text = fmt::format("the {} at {:#x}", type->readable.view(), begin);
  }
  roots_.for_each([&](std::string_view name, const objects::Root& root) {
    if (root.object == block.begin) text += fmt::format(" (root '{}')", name);
  });
  return text + fmt::format(", {} bytes from its beginning,", finding.place - begin);
}

}  // namespace revenant::runtime
