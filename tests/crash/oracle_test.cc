// The oracles, rule by rule, the plan's promises, and what counts as a program's pages.
#include "tests/crash/oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/crash/lives.h"
#include "tests/crash/resident.h"

namespace revenant::crash {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Optional;

class CounterOracleTest : public ::testing::Test {
 protected:
  std::optional<std::string> say(int number) {
    return oracle_->judge(std::to_string(number) + " of " + std::to_string(number + 1));
  }
  const std::unique_ptr<Oracle> oracle_ = make_oracle("counter");
};

TEST_F(CounterOracleTest, AcceptsRestoresWithinWhatWasShown) {
  oracle_->life_begins();
  EXPECT_EQ(say(0), std::nullopt);
  EXPECT_EQ(say(1), std::nullopt);
  oracle_->life_begins();
  EXPECT_EQ(say(1), std::nullopt);
  oracle_->life_begins();
  EXPECT_EQ(say(2), std::nullopt);
}

TEST_F(CounterOracleTest, RefusesATornInstant) {
  oracle_->life_begins();
  EXPECT_THAT(oracle_->judge("3 of 3"), Optional(HasSubstr("C1")));
  EXPECT_THAT(oracle_->judge("3 of 4 and more"), Optional(HasSubstr("something else")));
}

TEST_F(CounterOracleTest, RefusesAGap) {
  oracle_->life_begins();
  EXPECT_EQ(say(0), std::nullopt);
  EXPECT_THAT(say(2), Optional(HasSubstr("C2")));
}

TEST_F(CounterOracleTest, RefusesALifeFromTheFuture) {
  oracle_->life_begins();
  EXPECT_EQ(say(0), std::nullopt);
  oracle_->life_begins();
  EXPECT_THAT(say(2), Optional(HasSubstr("C3")));
}

TEST_F(CounterOracleTest, RefusesALifeBehindAnEarlierRestore) {
  oracle_->life_begins();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(say(i), std::nullopt);
  oracle_->life_begins();
  EXPECT_EQ(say(4), std::nullopt);
  oracle_->life_begins();
  EXPECT_THAT(say(3), Optional(HasSubstr("C3")));
}

TEST_F(CounterOracleTest, RefusesALifeBehindACommittedLine) {
  oracle_->life_begins();
  EXPECT_EQ(say(0), std::nullopt);
  EXPECT_EQ(say(1), std::nullopt);
  oracle_->revision_seen(10);
  EXPECT_EQ(say(2), std::nullopt);
  oracle_->revision_seen(12);
  oracle_->life_begins();
  EXPECT_THAT(say(0), Optional(HasSubstr("C4")));
}

TEST_F(CounterOracleTest, ANewStoreBeginsAnew) {
  oracle_->life_begins();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(say(i), std::nullopt);
  oracle_->store_renewed();
  oracle_->life_begins();
  EXPECT_THAT(say(1), Optional(HasSubstr("C3")));
  oracle_->store_renewed();
  oracle_->life_begins();
  EXPECT_EQ(say(0), std::nullopt);
}

TEST(LedgerOracle, AcceptsUnsyncedLoss) {
  const auto oracle = make_oracle("ledger");
  oracle->life_begins();
  EXPECT_EQ(oracle->judge("synced 5 100"), std::nullopt);
  EXPECT_EQ(oracle->judge("checked 1 250 ok"), std::nullopt);
  oracle->life_begins();
  EXPECT_EQ(oracle->judge("checked 2 120 ok"), std::nullopt);
  EXPECT_EQ(oracle->judge("synced 6 120"), std::nullopt);
}

TEST(LedgerOracle, RefusesEachBrokenRule) {
  const auto oracle = make_oracle("ledger");
  oracle->life_begins();
  EXPECT_EQ(oracle->judge("synced 5 100"), std::nullopt);
  EXPECT_THAT(oracle->judge("synced 5 101"), Optional(HasSubstr("L1")));
  EXPECT_THAT(oracle->judge("synced 4 100"), Optional(HasSubstr("L1")));
  EXPECT_EQ(oracle->judge("checked 3 100 ok"), std::nullopt);
  EXPECT_THAT(oracle->judge("checked 4 100 ok"), Optional(HasSubstr("L2")));
  EXPECT_THAT(oracle->judge("checked 3 99 ok"), Optional(HasSubstr("L3")));
  EXPECT_THAT(oracle->judge("violation: total"), Optional(HasSubstr("L5")));
  oracle->life_begins();
  EXPECT_THAT(oracle->judge("synced 9 200"), Optional(HasSubstr("L4")));
  EXPECT_THAT(oracle->judge("checked 3 200 ok"), Optional(HasSubstr("L2")));
}

// The space, once of a file, the pool of frames and, as large, a table and the map of a file.
TEST(ResidentBytes, AreThoseOfTheSpaceAndOfItsPool) {
  std::istringstream smaps(
      "00400000-00452000 r-xp 00000000 fe:00 12  /usr/bin/ledger\nRss: 300 kB\nVmFlags: rd ex mr\n"
      "557fc0000000-55ffc0000000 rw-p 00000000 00:00 0\nSize: 9 kB\nRss: 16 kB\nVmFlags: rd nr nh\n"
      "560000000000-560000002000 rw-p 00000000 00:00 0 \nRss: 8 kB\nVmFlags: rd wr um nr nh \n"
      "560000002000-568000000000 rw-s 00000000 00:01 7  /memfd:space\nRss: 4 kB\nVmFlags: rd wr\n"
      "7e0000000000-7e8000000000 rw-p 00000000 00:00 0 \nRss: 64 kB\nVmFlags: rd wr nr hg \n"
      "7e8000000000-7f0000000000 r--s 00000000 fe:00 13  /srv/data.mdb\nRss: 40 kB\nVmFlags: rd "
      "nh\n"
      "7fff00000000-7fff00021000 rw-p 00000000 00:00 0  [stack]\nRss: 12 kB\nVmFlags: rd wr\n");
  EXPECT_EQ(resident_bytes(smaps), 24u * 1024);
}

TEST(MakeOracle, KnowsNoOthers) { EXPECT_EQ(make_oracle("death"), nullptr); }

TEST(LifePlan, TheSameSeedGivesTheSameLives) {
  LifePlan one(99, std::nullopt, std::nullopt);
  LifePlan two(99, std::nullopt, std::nullopt);
  for (int i = 0; i < 1000; ++i) {
    const Life a = one.next();
    const Life b = two.next();
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.length, b.length);
    EXPECT_EQ(a.cadence, b.cadence);
    EXPECT_EQ(a.fresh_store, b.fresh_store);
  }
}

TEST(LifePlan, EveryKindComesInAThousandLives) {
  LifePlan plan(1, std::nullopt, std::nullopt);
  EXPECT_TRUE(plan.next().fresh_store);
  std::array<int, kLifeKinds> seen{};
  for (int i = 0; i < 1000; ++i) {
    const Life life = plan.next();
    ++seen[static_cast<std::size_t>(life.kind)];
    if (life.kind == LifeKind::kLong) {
      EXPECT_EQ(life.cadence, 1ms);
    }
    EXPECT_LE(life.length, 60s);
  }
  for (int count : seen) EXPECT_GE(count, 5);
}

TEST(LifePlan, BoundsHold) {
  LifePlan plan(3, LifeBounds{5ms, 20ms}, Microseconds(7ms));
  for (int i = 0; i < 500; ++i) {
    const Life life = plan.next();
    EXPECT_EQ(life.cadence, 7ms);
    if (life.kind == LifeKind::kProof) continue;
    EXPECT_GE(life.length, 5ms);
    EXPECT_LE(life.length, 20ms);
  }
}

class LifeOracleTest : public ::testing::Test {
 protected:
  void SetUp() override { oracle_->life_begins(); }
  const std::unique_ptr<Oracle> oracle_ = make_oracle("life");
};

// A blinker, and one that crosses the torus' edge.
TEST_F(LifeOracleTest, KnowsWhatFollows) {
  EXPECT_EQ(oracle_->judge("generation 0: ...../..#../..#../..#../....."), std::nullopt);
  EXPECT_EQ(oracle_->judge("generation 1: ...../...../.###./...../....."), std::nullopt);
  oracle_->life_begins();
  EXPECT_EQ(oracle_->judge("redrawn 1: ...../...../.###./...../....."), std::nullopt);
  EXPECT_EQ(oracle_->judge("generation 2: ...../..#../..#../..#../....."), std::nullopt);
  oracle_->store_renewed();
  EXPECT_EQ(oracle_->judge("generation 0: #..../#..../...../...../#...."), std::nullopt);
  EXPECT_EQ(oracle_->judge("generation 1: ##..#/...../...../...../....."), std::nullopt);
}

TEST_F(LifeOracleTest, RefusesWhatDoesNot) {
  EXPECT_THAT(oracle_->judge("generation 1: .#."), Optional(HasSubstr("G1")));
  EXPECT_THAT(oracle_->judge("begins"), Optional(HasSubstr("something else")));
  EXPECT_EQ(oracle_->judge("generation 0: ...../..#../..#../..#../....."), std::nullopt);
  EXPECT_THAT(oracle_->judge("generation 1: ...../...../.##../...../....."),
              Optional(HasSubstr("G2")));
  EXPECT_THAT(oracle_->judge("redrawn 0: ...../..#../..#../...../....."),
              Optional(HasSubstr("G3")));
}

TEST_F(LifeOracleTest, CountsGenerationsAsTheCounterDoes) {
  const std::string board = ": ..../.##./.##./....";
  EXPECT_EQ(oracle_->judge("generation 0" + board), std::nullopt);
  EXPECT_EQ(oracle_->judge("generation 1" + board), std::nullopt);
  EXPECT_THAT(oracle_->judge("generation 1" + board), Optional(HasSubstr("C2")));
}

TEST(PagewalkOracle, HoldsEachWalkerToItsWay) {
  const auto oracle = make_oracle("pagewalk");
  oracle->life_begins();
  EXPECT_EQ(oracle->judge("walker 0 lap 0: 00000000000000aa"), std::nullopt);
  EXPECT_EQ(oracle->judge("walker 1 lap 0: 00000000000000bb"), std::nullopt);
  EXPECT_EQ(oracle->judge("walker 0 lap 1: 00000000000000cc"), std::nullopt);
  oracle->life_begins();
  EXPECT_EQ(oracle->judge("walker 0 lap 1: 00000000000000cc"), std::nullopt);
  EXPECT_THAT(oracle->judge("walker 1 lap 0: 00000000000000ab"), Optional(HasSubstr("P2")));
  EXPECT_THAT(oracle->judge("walker 0 lap 3: 00000000000000dd"), Optional(HasSubstr("C2")));
  EXPECT_THAT(oracle->judge("walker 1 lap 2: 00000000000000ee"), Optional(HasSubstr("C3")));
  EXPECT_THAT(oracle->judge("all 16 pages checked"), Optional(HasSubstr("P1")));
}

TEST(PagewalkOracle, WaitsForEveryWalker) {
  const auto oracle = make_oracle("pagewalk");
  oracle->life_begins();
  EXPECT_FALSE(oracle->has_gone_on());
  EXPECT_EQ(oracle->judge("walker 1 lap 0: 00000000000000bb"), std::nullopt);
  for (int lap = 0; lap < 4; ++lap) {
    EXPECT_FALSE(oracle->has_gone_on());
    const std::string line = "walker 0 lap " + std::to_string(lap) + ": 0123456789abcdef";
    EXPECT_EQ(oracle->judge(line), std::nullopt);
  }
  EXPECT_FALSE(oracle->has_gone_on());
  oracle->store_renewed();
  EXPECT_FALSE(oracle->has_gone_on());
}

TEST(GraphOracle, KnowsTheUnkilledRun) {
  const auto oracle = make_oracle("graph", {"drawn", "level", "digest"});
  EXPECT_TRUE(oracle->ends());
  oracle->life_begins();
  EXPECT_EQ(oracle->judge("drawn"), std::nullopt);
  EXPECT_EQ(oracle->judge("level"), std::nullopt);
  oracle->life_begins();
  EXPECT_THAT(oracle->judge("dig"), Optional(HasSubstr("R1")));
  EXPECT_EQ(oracle->judge("level"), std::nullopt);
  EXPECT_FALSE(oracle->complete());
  EXPECT_EQ(oracle->judge("digest"), std::nullopt);
  EXPECT_TRUE(oracle->complete());
  oracle->life_begins();
  EXPECT_THAT(oracle->judge("drawn"), Optional(HasSubstr("C3")));
  oracle->store_renewed();
  EXPECT_FALSE(oracle->complete());
  oracle->life_begins();
  EXPECT_THAT(oracle->judge("digest"), Optional(HasSubstr("C3")));
}

}  // namespace
}  // namespace revenant::crash
