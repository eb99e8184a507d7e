// A stand-in for the ledger, with a fault of choice: what kill_driver must find, made on purpose.
//
// Its state is a count in STORE/count, replaced by rename, so that it survives SIGKILL; its lock is
// an flock. The fault shows in the third life or later of a store, except for the ones at start.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct State {
  std::uint64_t generation = 0;
  std::uint64_t count = 0;
};

State load(const fs::path& store) {
  State state;
  std::ifstream(store / "count") >> state.generation >> state.count;
  return state;
}

void save(const fs::path& store, const State& state) {
  const fs::path next = store / ("count." + std::to_string(::getpid()));
  std::ofstream(next) << state.generation << ' ' << state.count;
  fs::rename(next, store / "count");
}

void say(const std::string& line) {
  const std::string whole = line + "\n";
  if (::write(STDOUT_FILENO, whole.data(), whole.size()) < 0) ::_exit(1);
}

// In the space of a real program, above where position-independent ones lie.
void take_pages(std::size_t bytes) {
  void* const place = reinterpret_cast<void*>(std::uintptr_t{0x567000000000});
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE;
  if (::mmap(place, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != place) ::_exit(1);
}

void misbehave(const std::string& fault, State& state) {
  if (fault == "violation") say("violation: the total is 99999");
  if (fault == "garbage") say("synced twelve");
  if (fault == "crash") {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit code of it
    ::raise(SIGSEGV);
  }
  if (fault == "exit") ::_exit(0);
  if (fault == "back") state.count /= 2;
  while (fault == "hang") ::pause();
  if (fault == "greedy") take_pages(std::size_t{32} << 20);
}

// False if another process has the store.
bool take_lock(const fs::path& store, const std::string& fault) {
  const int lock = ::open((store / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return fault == "two-owners" || ::flock(lock, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  fs::path store;
  std::string fault;
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == std::string("--store")) store = argv[i + 1];
    if (argv[i] == std::string("--fault")) fault = argv[i + 1];
  }
  std::signal(
      SIGTERM, fault == "deaf" ? SIG_IGN : [](int) { ::_exit(0); });
  fs::create_directories(store);
  if (!take_lock(store, fault)) {
    std::fputs(fault == "wordy" ? "in use\nreally\n" : "the store is in use\n", stderr);
    return fault == "wrong-code" ? 1 : 11;
  }
  State state = load(store);
  if (++state.generation >= 3) misbehave(fault, state);
  save(store, state);
  if (state.generation > 1 && fault != "unchecked") {
    say("checked " + std::to_string(state.generation) + " " + std::to_string(state.count) + " ok");
  }
  for (;;) {
    ++state.count;
    save(store, state);
    say("synced " + std::to_string(state.count) + " " + std::to_string(state.count));
    std::this_thread::sleep_for(1ms);
  }
}
