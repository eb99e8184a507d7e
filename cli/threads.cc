#include "cli/threads.h"

#include <cstring>

#include "base/duration.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/world_image.h"

namespace revenant::cli {
namespace {

using base::Result;
using runtime::ThreadRecord;
using runtime::ThreadState;
using runtime::WaitKind;

const char* state_name(ThreadState state) {
  switch (state) {
    case ThreadState::kReady:
      return "ready";
    case ThreadState::kRunning:
      return "running";
    case ThreadState::kWaiting:
      return "waiting";
    case ThreadState::kInCall:
      return "in a call";
    case ThreadState::kFinished:
      return "finished";
  }
  return "?";
}

const char* wait_name(WaitKind kind) {
  switch (kind) {
    case WaitKind::kNone:
      return "";
    case WaitKind::kSleep:
      return "sleep";
    case WaitKind::kMutex:
      return "mutex";
    case WaitKind::kCondition:
      return "condition";
    case WaitKind::kJoin:
      return "join";
    case WaitKind::kSync:
      return "sync";
    case WaitKind::kCall:
      return "system call";
  }
  return "?";
}

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

std::string name_of(const ThreadRecord& thread) {
  return {thread.name, ::strnlen(thread.name, sizeof thread.name)};
}

// From the saved stack pointer to the stack's top; 0 where the record makes no sense of them.
std::uint64_t stack_used(const ThreadRecord& thread) {
  const bool sane = address_of(thread.stack_low) <= address_of(thread.context) &&
                    address_of(thread.context) <= address_of(thread.stack_high);
  return sane ? address_of(thread.stack_high) - address_of(thread.context) : 0;
}

std::uint64_t stack_size(const ThreadRecord& thread) {
  const bool sane = address_of(thread.stack_low) <= address_of(thread.stack_high);
  return sane ? address_of(thread.stack_high) - address_of(thread.stack_low) : 0;
}

// What the thread waits for, in words: "mutex 0x560200001000".
std::string wait_of(const ThreadRecord& thread) {
  if (thread.state != ThreadState::kWaiting && thread.state != ThreadState::kInCall) return "";
  std::string words = wait_name(thread.waits_for);
  if (thread.wait_object != nullptr) words += " " + hex_address(address_of(thread.wait_object));
  const bool at_wall_time = thread.wall_deadline != 0 && thread.deadline_ns != runtime::kNoDeadline;
  if (at_wall_time) words += " until " + utc_time(thread.deadline_ns);
  return words;
}

void print_as_json(const ThreadRecord& thread) {
  Json json = {{"id", thread.id},
               {"name", name_of(thread)},
               {"state", state_name(thread.state)},
               {"stack_used", stack_used(thread)},
               {"stack_size", stack_size(thread)},
               {"stack_pointer", hex_address(address_of(thread.context))},
               {"generation", thread.created_in_generation}};
  if (!wait_of(thread).empty()) json["waits_for"] = wait_name(thread.waits_for);
  if (thread.wait_object != nullptr) {
    json["wait_object"] = hex_address(address_of(thread.wait_object));
  }
  if (thread.deadline_ns != runtime::kNoDeadline) {
    json["deadline_ns"] = thread.deadline_ns;
    json["deadline_clock"] = thread.wall_deadline != 0 ? "wall" : "program";
  }
  print_json(json);
}

}  // namespace

int list_threads(const Context& context, const std::string& revision) {
  return with_snapshot(
      context, revision,
      [&](const store::StoreReader&, const store::SnapshotView& view) -> Result<int> {
        const SnapshotImage image(view);
        REVENANT_ASSIGN(const auto threads, WorldImage(image).threads());
        Table table({{"ID", Align::kRight},
                     {"NAME"},
                     {"STATE"},
                     {"STACK", Align::kRight},
                     {"OF", Align::kRight},
                     {"WAITS FOR"}});
        for (const auto& thread : threads) {
          if (context.json) {
            print_as_json(*thread);
            continue;
          }
          table.add({std::to_string(thread->id), printable(name_of(*thread)),
                     state_name(thread->state), human_bytes(stack_used(*thread)),
                     human_bytes(stack_size(*thread)), wait_of(*thread)});
        }
        if (!context.json) table.print(context.color);
        return base::kWell;
      });
}

}  // namespace revenant::cli
