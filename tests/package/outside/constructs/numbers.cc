// Numbers: clocks and calendars, random engines, conversions, the processor's own state.
#include <fmt/format.h>

#include <cfenv>
#include <charconv>
#include <chrono>
#include <complex>
#include <random>
#include <ratio>
#include <valarray>

#include "constructs.h"

namespace constructs {
namespace {

using namespace std::chrono_literals;

std::string clocks() {
  const auto steady = std::chrono::steady_clock::now();
  const auto wall = std::chrono::system_clock::now();
  auto last = steady;
  for (int i = 0; i < 5; ++i) {
    moment();
    const auto now = std::chrono::steady_clock::now();
    REQUIRE(now >= last);  // never back, over any number of deaths
    last = now;
  }
  // Both have counted the time spent dead.
  const auto difference =
      (std::chrono::system_clock::now() - wall) - (std::chrono::steady_clock::now() - steady);
  REQUIRE(std::chrono::abs(difference) < 1s);
  return "steady and wall time agree";
}

std::string calendars() {
  using namespace std::chrono;
  const sys_days leap = 2024y / February / 29;
  moment();
  const year_month_day next(leap + days(1));
  const weekday day(leap);
  moment();
  const auto rounded = floor<hours>(sys_time<seconds>(1709210000s));
  const hh_mm_ss time(45296s);
  moment();
  REQUIRE(next == 2024y / March / 1 && day == Thursday);
  return fmt::format("{} {} {}:{}:{} {}", rounded.time_since_epoch().count(),
                     duration<double, std::ratio<60>>(90s).count(), time.hours().count(),
                     time.minutes().count(), time.seconds().count(),
                     (sys_days(next) - leap).count());
}

std::string random_engines() {
  std::mt19937_64 one(5489);
  std::minstd_rand two(7);
  std::ranlux24 three;
  std::normal_distribution<> normal(10, 2);  // remembers half of what it draws
  std::discrete_distribution<int> discrete({1, 2, 3});
  double sum = 0;
  int drawn = 0;
  for (int i = 0; i < 60; ++i) {
    sum += normal(one);
    drawn += discrete(two);
    three.discard(3);
    if (i % 10 == 0) moment();
  }
  std::mt19937_64 fresh(5489);
  fresh.discard(one == fresh ? 0 : 9999);
  one.seed(5489);
  one.discard(9999);
  REQUIRE(one() == 9981545732273789042ULL && fresh() == 9981545732273789042ULL);
  moment();
  std::vector<int> cards(52);
  for (std::size_t i = 0; i < cards.size(); ++i) cards[i] = static_cast<int>(i);
  std::shuffle(cards.begin(), cards.end(), two);
  return fmt::format("{:.9f} {} {} {} {}", sum, drawn, three(), cards[0], cards[51]);
}

// Draws from the processor or the kernel; what it holds is good in every life.
std::string random_device() {
  std::random_device device;
  unsigned different = 0;
  unsigned last = device();
  for (int i = 0; i < 8; ++i) {
    moment();
    const unsigned next = device();
    different += next != last;
    last = next;
  }
  REQUIRE(different >= 7);
  return "different numbers";
}

std::string conversions() {
  char buffer[64];
  std::string all;
  for (const double number : {0.1, 1e300, -2.5e-10, 12345.678}) {
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    moment();
    double back = 0;
    REQUIRE(std::from_chars(buffer, end, back).ec == std::errc() && back == number);
    all.append(buffer, end).append(" ");
  }
  int number = 0;
  const std::string too_much = "99999999999";
  const auto result = std::from_chars(too_much.data(), too_much.data() + too_much.size(), number);
  REQUIRE(result.ec == std::errc::result_out_of_range);
  return all + std::to_string(std::stoll("-123456789012")) + std::to_string(std::stod("2.25"));
}

// The rounding mode is in the processor: a thread finds the mode it has set, after any switch.
std::string rounding() {
  volatile double one = 1;
  volatile double three = 3;
  volatile const double near = one / three;
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  volatile const double before = one / three;
  moment();
  const int mode = std::fegetround();
  volatile const double after = one / three;
  std::fesetround(FE_TONEAREST);
  return fmt::format("{} {} {}", before > near, mode == FE_UPWARD, before == after);
}

std::string arrays_of_numbers() {
  std::valarray<double> values(100);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const auto even = std::valarray<double>(values[std::slice(0, 50, 2)]);
  moment();
  values += 1.0;
  std::complex<double> turned(1, 0);
  for (int i = 0; i < 8; ++i) {
    turned *= std::polar(1.0, 3.14159265358979323846 / 4);
    if (i % 3 == 0) moment();
  }
  REQUIRE(std::abs(turned - 1.0) < 1e-9);
  return fmt::format("{} {} {}", even.sum(), values.sum(), std::pow(values, 2.0).max());
}

}  // namespace

std::vector<Case> numbers() {
  return {{"clocks", clocks},
          {"calendars", calendars},
          {"random_engines", random_engines},
          {"random_device", random_device},
          {"conversions", conversions},
          {"rounding", rounding},
          {"arrays_of_numbers", arrays_of_numbers}};
}

}  // namespace constructs
