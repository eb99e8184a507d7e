// What goes wrong, as std::system_error.
#pragma once

#include <string>
#include <system_error>

namespace revenant {

enum class errc {
  store_in_use = 1,
  store_damaged,
  not_a_store,
  another_program,
  another_build,
  unsupported_host,
  no_such_revision,
  no_space,
  wrong_type,
  name_taken,
  not_in_green_thread,
  deadlock,
  io_failed,
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(errc code) noexcept;

// code() is in errc. what() is one sentence that names the thing, the cause and the way out.
class error : public std::system_error {
 public:
  error(errc code, const std::string& sentence);
  [[nodiscard]] const char* what() const noexcept override { return sentence_.c_str(); }

 private:
  std::string sentence_;
};

}  // namespace revenant

template <>
struct std::is_error_code_enum<revenant::errc> : std::true_type {};
