// Reading by stdio: getchar, fgets, getline, fread, scanf and their kin, and std::cin through them.
//
// libc reads while it holds the stream's lock, which is the OS thread's, and with its place in the
// stream in volatile memory: a green thread parked in there would hold up the others, and could not
// be brought back. So it waits here, before libc is called:
//
//   enough in the buffer, or a regular file --> libc's own function
//   otherwise --> wait for input --> one character by libc, which fills the buffer --> what the
//                 buffer holds --> wait ...
//
// What has been read so far lies in the green thread's memory and survives a restart.
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstring>
#include <string>

#include "runtime/calls/blocking.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

constexpr int kNoStop = -1;

std::size_t buffered(const FILE& stream) {
  return static_cast<std::size_t>(
      std::max<std::ptrdiff_t>(stream._IO_read_end - stream._IO_read_ptr, 0));
}

// While characters pushed back are read, libc keeps the buffer proper aside.
bool has_input(const FILE& stream) {
  constexpr int kReadsPushedBack = 0x100;  // _IO_IN_BACKUP
  const bool aside = (stream._flags & kReadsPushedBack) != 0;
  return buffered(stream) != 0 || (aside && stream._IO_save_base < stream._IO_save_end);
}

bool may_block(FILE* stream) {
  const int descriptor = ::fileno(stream);
  return descriptor >= 0 && !never_blocks(descriptor);
}

// As libc does before it reads from a terminal: a prompt is seen before its answer is waited for.
void show_prompt() {
  if (::__flbf(stdout) != 0) ::fflush(stdout);
}

// Waits until libc can read without blocking, or has an end or an error to tell.
void await_input(FILE* stream) {
  if (has_input(*stream) || ::feof(stream) != 0 || !may_block(stream)) return;
  show_prompt();
  wait_until_ready(::fileno(stream), POLLIN);
}

int next_character(FILE* stream) {
  await_input(stream);
  return __real_getc(stream);
}

// How many of the buffered characters are wanted: at most `room`, and none beyond `stop`.
std::size_t wanted(const FILE& stream, std::size_t room, int stop) {
  const std::size_t size = std::min(buffered(stream), room);
  if (stop == kNoStop || size == 0) return size;
  const void* found = std::memchr(stream._IO_read_ptr, stop, size);
  if (found == nullptr) return size;
  return static_cast<std::size_t>(static_cast<const char*>(found) - stream._IO_read_ptr) + 1;
}

bool ends_with(const char* text, std::size_t size, int stop) {
  return size != 0 && stop != kNoStop && text[size - 1] == static_cast<char>(stop);
}

// Whether libc can serve a request without reading more, or may read as it likes.
bool is_libcs(FILE* stream, std::size_t room, int stop) {
  if (green_caller() == nullptr) return true;
  const std::size_t size = wanted(*stream, room, stop);
  return size == room || ends_with(stream->_IO_read_ptr, size, stop) || !may_block(stream);
}

std::size_t take_buffered(FILE* stream, char* target, std::size_t room, int stop) {
  ::flockfile(stream);
  const std::size_t size = wanted(*stream, room, stop);
  if (size != 0) std::memcpy(target, stream->_IO_read_ptr, size);
  stream->_IO_read_ptr += size;
  ::funlockfile(stream);
  return size;
}

// Reads until there are `room` characters, `stop`, an end or an error; returns how many.
std::size_t read_waiting(FILE* stream, char* target, std::size_t room, int stop) {
  std::size_t done = 0;
  while (done < room && !ends_with(target, done, stop)) {
    const std::size_t taken = take_buffered(stream, target + done, room - done, stop);
    done += taken;
    if (taken != 0) continue;
    const int character = next_character(stream);
    if (character == EOF) break;
    target[done++] = static_cast<char>(character);
  }
  return done;
}

// A line of any length, in *line, which grows.
ssize_t read_line(char** line, std::size_t* capacity, int stop, FILE* stream) {
  constexpr std::size_t kFirstBytes = 120;
  std::size_t done = 0;
  for (;;) {
    if (*line == nullptr || *capacity < done + 2) {
      const std::size_t larger = std::max(kFirstBytes, 2 * *capacity);
      auto* grown = static_cast<char*>(std::realloc(*line, larger));
      if (grown == nullptr) return -1;
      *line = grown;
      *capacity = larger;
    }
    const std::size_t room = *capacity - done - 1;
    const std::size_t got = read_waiting(stream, *line + done, room, stop);
    done += got;
    if (got < room || ends_with(*line, done, stop)) break;
  }
  (*line)[done] = '\0';
  return done == 0 ? -1 : static_cast<ssize_t>(done);
}

// scanf over a text that may be the beginning of the input only.
struct Scan {
  int result = EOF;
  bool hit_end = true;
  std::size_t consumed = 0;

  Scan(std::string& text, const char* format, va_list arguments) {
    FILE* memory = text.empty() ? nullptr : ::fmemopen(text.data(), text.size(), "r");
    if (memory == nullptr) return;
    va_list copy;
    va_copy(copy, arguments);
    result = __real___isoc99_vfscanf(memory, format, copy);
    va_end(copy);
    hit_end = ::feof(memory) != 0;
    consumed = static_cast<std::size_t>(std::max(::ftell(memory), 0L));
    ::fclose(memory);
  }
};

// Adds what the buffer holds to `text` without taking it; false at an end or an error.
bool peek(FILE* stream, std::string& text) {
  await_input(stream);
  if (buffered(*stream) == 0) {
    const int character = __real_getc(stream);
    if (character == EOF) return false;
    ::ungetc(character, stream);
  }
  ::flockfile(stream);
  text.append(stream->_IO_read_ptr, buffered(*stream));
  ::funlockfile(stream);
  return true;
}

// Scans what has come so far, again from its beginning each time more has come, until the scan ends
// before the text does.
int scan_waiting(FILE* stream, const char* format, va_list arguments) {
  std::string text;
  for (;;) {
    const std::size_t taken = text.size();
    const bool more = peek(stream, text);
    const Scan scan(text, format, arguments);
    const std::size_t done = scan.hit_end ? text.size() : scan.consumed;
    ::flockfile(stream);
    if (done > taken) stream->_IO_read_ptr += done - taken;
    ::funlockfile(stream);
    if (!scan.hit_end || !more) return scan.result;
  }
}

int scan_for_caller(FILE* stream, const char* format, va_list arguments) {
  if (green_caller() == nullptr || !may_block(stream)) {
    return __real___isoc99_vfscanf(stream, format, arguments);
  }
  return scan_waiting(stream, format, arguments);
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_getc(FILE* stream) {
  return green_caller() == nullptr ? __real_getc(stream) : next_character(stream);
}
int __wrap_fgetc(FILE* stream) { return __wrap_getc(stream); }
int __wrap_getchar() { return __wrap_getc(stdin); }

char* __wrap_fgets(char* target, int size, FILE* stream) {
  if (size <= 1 || is_libcs(stream, static_cast<std::size_t>(size) - 1, '\n')) {
    return __real_fgets(target, size, stream);
  }
  const std::size_t got = read_waiting(stream, target, static_cast<std::size_t>(size) - 1, '\n');
  if (got == 0 || ::ferror(stream) != 0) return nullptr;
  target[got] = '\0';
  return target;
}

ssize_t __wrap_getdelim(char** line, std::size_t* capacity, int stop, FILE* stream) {
  if (line == nullptr || capacity == nullptr || is_libcs(stream, SIZE_MAX, stop)) {
    return __real_getdelim(line, capacity, stop, stream);
  }
  return read_line(line, capacity, stop, stream);
}
ssize_t __wrap___getdelim(char** line, std::size_t* capacity, int stop, FILE* stream) {
  return __wrap_getdelim(line, capacity, stop, stream);
}
ssize_t __wrap_getline(char** line, std::size_t* capacity, FILE* stream) {
  return __wrap_getdelim(line, capacity, '\n', stream);
}

std::size_t __wrap_fread(void* target, std::size_t size, std::size_t count, FILE* stream) {
  const std::size_t bytes = size * count;
  if (bytes == 0 || is_libcs(stream, bytes, kNoStop)) {
    return __real_fread(target, size, count, stream);
  }
  return read_waiting(stream, static_cast<char*>(target), bytes, kNoStop) / size;
}

// The names that headers give scanf's family since C99.
int __wrap___isoc99_vfscanf(FILE* stream, const char* format, va_list arguments) {
  return scan_for_caller(stream, format, arguments);
}
int __wrap___isoc99_vscanf(const char* format, va_list arguments) {
  return scan_for_caller(stdin, format, arguments);
}
int __wrap___isoc99_fscanf(FILE* stream, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = scan_for_caller(stream, format, arguments);
  va_end(arguments);
  return result;
}
int __wrap___isoc99_scanf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = scan_for_caller(stdin, format, arguments);
  va_end(arguments);
  return result;
}

}  // extern "C"
