#include "tests/support/temporary_directory.h"

#include <stdlib.h>

#include <string>
#include <system_error>

#include "base/check.h"

namespace revenant::testing {
namespace {

std::filesystem::path make_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "revenant-test-XXXXXX").string();
  REVENANT_CHECK(::mkdtemp(name.data()) != nullptr, "mkdtemp of %s", name.c_str());
  return name;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() : path_(make_directory()) {}

TemporaryDirectory::~TemporaryDirectory() {
  // What a killed child still writes may reappear; a test does not fail for what it left in /tmp.
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace revenant::testing
