// A library of C from an archive of the system's, in the middle of its work.
#include <fmt/format.h>
#define ZLIB_CONST
#include <zlib.h>

#include "constructs.h"

namespace constructs {
namespace {

std::string sample() {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += fmt::format("{} ", i * i % 1009);
  return text;
}

// Compresses and expands by small pieces: both streams are half-way when the program dies.
std::string compression() {
  const std::string text = sample();
  z_stream packing{};
  z_stream unpacking{};
  REQUIRE(deflateInit(&packing, 9) == Z_OK && inflateInit(&unpacking) == Z_OK);
  std::string packed;
  std::string back;
  Bytef buffer[512];
  packing.next_in = reinterpret_cast<const Bytef*>(text.data());
  packing.avail_in = static_cast<uInt>(text.size());
  int state = Z_OK;
  for (int piece = 0; state != Z_STREAM_END; ++piece) {
    packing.next_out = buffer;
    packing.avail_out = sizeof buffer;
    state = deflate(&packing, Z_FINISH);
    if (piece % 4 == 0) moment();
    packed.append(reinterpret_cast<char*>(buffer), sizeof buffer - packing.avail_out);
  }
  unpacking.next_in = reinterpret_cast<const Bytef*>(packed.data());
  unpacking.avail_in = static_cast<uInt>(packed.size());
  state = Z_OK;
  for (int piece = 0; state != Z_STREAM_END; ++piece) {
    unpacking.next_out = buffer;
    unpacking.avail_out = sizeof buffer;
    state = inflate(&unpacking, Z_NO_FLUSH);
    if (piece % 10 == 0) moment();
    back.append(reinterpret_cast<char*>(buffer), sizeof buffer - unpacking.avail_out);
  }
  REQUIRE(deflateEnd(&packing) == Z_OK && inflateEnd(&unpacking) == Z_OK && back == text);
  const auto* const bytes = reinterpret_cast<const Bytef*>(packed.data());
  return fmt::format("{} of {}, {:x}", packed.size(), text.size(),
                     crc32(0, bytes, static_cast<uInt>(packed.size())));
}

}  // namespace

std::vector<Case> archives() {
// As in c_library.cc: there the library is a shared one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)compression;
  return {};
#else
  return {{"compression", compression}};
#endif
}

}  // namespace constructs
