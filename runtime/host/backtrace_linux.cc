#include "runtime/host/backtrace_linux.h"

#include <cxxabi.h>
#include <unwind.h>

#include <cstdlib>

extern "C" {

// libbacktrace's, as gcc installs it; its header lies where only gcc finds it.
struct backtrace_state;
using backtrace_error_callback = void (*)(void* data, const char* message, int error);
using backtrace_full_callback = int (*)(void* data, std::uintptr_t pc, const char* file, int line,
                                        const char* function);
using backtrace_syminfo_callback = void (*)(void* data, std::uintptr_t pc, const char* symbol,
                                            std::uintptr_t value, std::uintptr_t size);
backtrace_state* backtrace_create_state(const char* file, int threaded,
                                        backtrace_error_callback on_error, void* data);
int backtrace_pcinfo(backtrace_state* state, std::uintptr_t pc, backtrace_full_callback callback,
                     backtrace_error_callback on_error, void* data);
int backtrace_syminfo(backtrace_state* state, std::uintptr_t pc,
                      backtrace_syminfo_callback callback, backtrace_error_callback on_error,
                      void* data);

}  // extern "C"

namespace revenant::runtime {
namespace {

struct Walk {
  Backtrace* result;
  std::uintptr_t first;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  int before_instruction = 0;
  std::uintptr_t pc = _Unwind_GetIPInfo(context, &before_instruction);
  if (pc == 0) return _URC_END_OF_STACK;
  if (pc == walk.first) walk.result->count = 0;
  // A return address may belong to the line after the call.
  if (before_instruction == 0) --pc;
  walk.result->frames[walk.result->count++] = pc;
  return walk.result->count == Backtrace::kMaxFrames ? _URC_END_OF_STACK : _URC_NO_REASON;
}

// Where the descriptions of one frame go; inlined functions make several lines of it.
struct Frame {
  ReportText* text;
  std::size_t number;
  bool described = false;
};

void add_line(Frame& frame, std::uintptr_t pc, const char* symbol, const char* file, int line) {
  int failure = 0;
  char* readable = abi::__cxa_demangle(symbol, nullptr, nullptr, &failure);
  frame.text->add("    #%-2zu 0x%012zx %.600s", frame.number, pc,
                  readable != nullptr ? readable : symbol);
  if (file != nullptr) frame.text->add(" at %.600s:%d", file, line);
  frame.text->add("\n");
  std::free(readable);
  frame.described = true;
}

int on_line(void* data, std::uintptr_t pc, const char* file, int line, const char* function) {
  if (function != nullptr) add_line(*static_cast<Frame*>(data), pc, function, file, line);
  return 0;
}

void on_symbol(void* data, std::uintptr_t pc, const char* symbol, std::uintptr_t, std::uintptr_t) {
  if (symbol != nullptr) add_line(*static_cast<Frame*>(data), pc, symbol, nullptr, 0);
}

// Without debug information the address has to do.
void ignore_error(void*, const char*, int) {}

backtrace_state* debug_information() {
  static backtrace_state* const state = backtrace_create_state(nullptr, 0, ignore_error, nullptr);
  return state;
}

void keep_symbol(void* data, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
  if (symbol != nullptr) *static_cast<std::string*>(data) = symbol;
}

}  // namespace

__attribute__((noinline)) Backtrace capture_backtrace(std::uintptr_t first) {
  Backtrace result;
  Walk walk{&result, first};
  _Unwind_Backtrace(note_frame, &walk);
  return result;
}

void describe(const Backtrace& backtrace, ReportText& text) {
  backtrace_state* const state = debug_information();
  for (std::size_t i = 0; i < backtrace.count;) {
    const std::uintptr_t pc = backtrace.frames[i];
    Frame frame{&text, i};
    if (state != nullptr) backtrace_pcinfo(state, pc, on_line, ignore_error, &frame);
    if (state != nullptr && !frame.described) {
      backtrace_syminfo(state, pc, on_symbol, ignore_error, &frame);
    }
    if (!frame.described) text.add("    #%-2zu 0x%012zx\n", i, pc);
    const std::size_t first = i;
    while (i < backtrace.count && backtrace.frames[i] == pc) ++i;
    if (i - first > 1) text.add("         (and %zu times more)\n", i - first - 1);
  }
}

std::string symbol_at(std::uintptr_t address) {
  std::string symbol;
  backtrace_state* const state = debug_information();
  if (state != nullptr) backtrace_syminfo(state, address, keep_symbol, ignore_error, &symbol);
  return symbol;
}

std::string readable(const std::string& symbol) {
  int failure = 0;
  char* demangled = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &failure);
  std::string name = demangled != nullptr ? demangled : symbol;
  std::free(demangled);
  return name;
}

}  // namespace revenant::runtime
