#include "vm/page_state.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

namespace revenant::vm {
namespace {

constexpr std::array kStates = {
    PageState::kUntouched, PageState::kStored,  PageState::kParked,   PageState::kInTransit,
    PageState::kActive,    PageState::kStandby, PageState::kModified,
};

struct DrawnEdge {
  const char* name;
  PageEdge edge;
  PageState from;
  PageState to;
};

// The drawing of page_state.h, written a second time.
constexpr std::array kDrawing = {
    DrawnEdge{"touch", touch, PageState::kUntouched, PageState::kActive},
    DrawnEdge{"load", load, PageState::kStored, PageState::kActive},
    DrawnEdge{"unpark", unpark, PageState::kParked, PageState::kActive},
    DrawnEdge{"trim_clean", trim_clean, PageState::kActive, PageState::kStandby},
    DrawnEdge{"trim_modified", trim_modified, PageState::kActive, PageState::kModified},
    DrawnEdge{"rescue_standby", rescue_standby, PageState::kStandby, PageState::kActive},
    DrawnEdge{"drop_standby", drop_standby, PageState::kStandby, PageState::kStored},
    DrawnEdge{"rescue_modified", rescue_modified, PageState::kModified, PageState::kActive},
    DrawnEdge{"commit_modified", commit_modified, PageState::kModified, PageState::kStandby},
    DrawnEdge{"begin_parking", begin_parking, PageState::kModified, PageState::kInTransit},
    DrawnEdge{"abandon_parking", abandon_parking, PageState::kInTransit, PageState::kModified},
    DrawnEdge{"end_parking", end_parking, PageState::kInTransit, PageState::kParked},
    DrawnEdge{"commit_parked", commit_parked, PageState::kParked, PageState::kStored},
    DrawnEdge{"discard_active", discard_active, PageState::kActive, PageState::kUntouched},
    DrawnEdge{"discard_stored", discard_stored, PageState::kStored, PageState::kUntouched},
    DrawnEdge{"discard_parked", discard_parked, PageState::kParked, PageState::kUntouched},
    DrawnEdge{"discard_standby", discard_standby, PageState::kStandby, PageState::kUntouched},
    DrawnEdge{"discard_modified", discard_modified, PageState::kModified, PageState::kUntouched},
};

TEST(PageState, EveryEdgeLeadsWhereItIsDrawn) {
  for (const DrawnEdge& drawn : kDrawing) EXPECT_EQ(drawn.edge(drawn.from), drawn.to) << drawn.name;
}

TEST(PageState, EveryEdgeFromAnyOtherStateIsABug) {
  // The test is single-threaded up to here, so that a plain fork will do: there are 108 of them.
  GTEST_FLAG_SET(death_test_style, "fast");
  for (const DrawnEdge& drawn : kDrawing) {
    for (const PageState found : kStates) {
      if (found == drawn.from) continue;
      const std::string sentence =
          std::string("a page that is ") + name_of(found) + " cannot take the edge " + drawn.name;
      EXPECT_DEATH(static_cast<void>(drawn.edge(found)), sentence);
    }
  }
  GTEST_FLAG_SET(death_test_style, "threadsafe");
}

TEST(PageState, NoTwoEdgesJoinTheSameStates) {
  std::set<std::pair<PageState, PageState>> joined;
  for (const DrawnEdge& drawn : kDrawing) {
    EXPECT_TRUE(joined.emplace(drawn.from, drawn.to).second) << drawn.name;
  }
}

TEST(PageState, EveryStateCanBeReachedFromEveryOther) {
  for (const PageState start : kStates) {
    std::set<PageState> reached = {start};
    for (std::size_t round = 0; round < kStates.size(); ++round) {
      for (const DrawnEdge& drawn : kDrawing) {
        if (reached.contains(drawn.from)) reached.insert(drawn.to);
      }
    }
    EXPECT_EQ(reached.size(), kStates.size()) << name_of(start);
  }
}

}  // namespace
}  // namespace revenant::vm
