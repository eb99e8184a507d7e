#include "store/tag_name.h"

#include <algorithm>
#include <string>

#include "store/format.h"

namespace revenant::store {
namespace {

base::Status refused(const char* why) {
  return base::Error{base::ErrorCode::kUsage, std::string("a tag's name ") + why};
}

bool is_digit(unsigned char letter) { return letter >= '0' && letter <= '9'; }
bool is_control(unsigned char letter) { return letter < 0x20 || letter == 0x7f; }

}  // namespace

base::Status check_tag_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return refused("has 1 to 255 bytes");
  if (std::ranges::any_of(name, is_control)) return refused("has no control characters");
  if (std::ranges::all_of(name, is_digit)) return refused("is no number: revisions are");
  if (name.front() == '@') return refused("does not begin with @: ages do");
  if (name.find('~') != std::string_view::npos) return refused("has no ~: that counts back");
  if (name == "latest" || name == "live") {
    return refused("is neither `latest` nor `live`: those are revisions of their own");
  }
  return {};
}

}  // namespace revenant::store
