// Classes: virtual, multiple and virtual inheritance, run-time types, pointers to members.
#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <typeinfo>

#include "constructs.h"

namespace constructs {
namespace {

class Shape {
 public:
  virtual ~Shape() = default;
  [[nodiscard]] virtual double area() const = 0;
  [[nodiscard]] virtual std::string name() const { return "shape"; }
};
class Square : public Shape {
 public:
  explicit Square(double side) : side_(side) {}
  [[nodiscard]] double area() const override { return side_ * side_; }
  [[nodiscard]] std::string name() const override { return "square"; }

 private:
  double side_;
};
class Disc final : public Shape {
 public:
  explicit Disc(double radius) : radius_(radius) {}
  [[nodiscard]] double area() const override { return 3 * radius_ * radius_; }

 private:
  double radius_;
};

std::string virtual_functions() {
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 1; i < 8; ++i) {
    if (i % 2 == 0) shapes.push_back(std::make_unique<Square>(i));
    if (i % 2 == 1) shapes.push_back(std::make_unique<Disc>(i));
    moment();
  }
  double area = 0;
  std::string names;
  for (const auto& shape : shapes) {
    area += shape->area();
    names += shape->name() + " ";
  }
  return fmt::format("{} {}", area, names);
}

struct Named {
  virtual ~Named() = default;
  std::string name = "a name that lies in the heap for certain";
};
struct Swimmer : virtual Named {
  virtual int swim() { return 1; }
};
struct Flyer : virtual Named {
  virtual int fly() { return 2; }
};
struct Duck final : Swimmer, Flyer {
  int swim() override { return 10 + weight; }
  int fly() override { return 20 + weight; }
  int weight = 3;
};

std::string multiple_inheritance() {
  const auto duck = std::make_unique<Duck>();
  Swimmer* const swimmer = duck.get();
  Flyer* const flyer = duck.get();
  Named* const named = duck.get();
  moment();
  REQUIRE(static_cast<void*>(swimmer) != static_cast<void*>(flyer));
  named->name += "!";
  moment();
  REQUIRE(swimmer->name == flyer->name && dynamic_cast<Duck*>(named) == duck.get());
  return fmt::format("{} {} {}", swimmer->swim(), flyer->fly(), flyer->name);
}

std::string run_time_types() {
  const std::unique_ptr<Named> named = std::make_unique<Duck>();
  const Named& object = *named;
  const std::type_info& held = typeid(object);
  const std::size_t hash = held.hash_code();
  moment();
  REQUIRE(held == typeid(Duck) && hash == typeid(Duck).hash_code() && held != typeid(Named));
  auto* const sideways = dynamic_cast<Flyer*>(dynamic_cast<Swimmer*>(named.get()));
  moment();
  REQUIRE(sideways != nullptr && dynamic_cast<void*>(sideways) == dynamic_cast<void*>(named.get()));
  bool refused = false;
  const Square square(1);
  const Shape& shape = square;
  try {
    (void)dynamic_cast<const Disc&>(shape);
  } catch (const std::bad_cast&) {
    moment();
    refused = true;
  }
  return fmt::format("{} {}", sideways->fly(), refused);
}

struct Machine {
  int add(int n) { return value += n; }
  int multiply(int n) { return value *= n; }
  [[nodiscard]] virtual int look() const { return value; }
  virtual ~Machine() = default;
  int value = 1;
  int other = 100;
};
struct Loud final : Machine {
  [[nodiscard]] int look() const override { return -value; }
};

std::string pointers_to_members() {
  Loud machine;
  const std::map<std::string, int (Machine::*)(int)> commands = {{"add", &Machine::add},
                                                                 {"multiply", &Machine::multiply}};
  int (Machine::*const look)() const = &Machine::look;  // finds the overriding function
  const std::vector<int Machine::*> members = {&Machine::value, &Machine::other};
  moment();
  for (const char* command : {"add", "multiply", "add", "multiply"}) {
    (machine.*commands.at(command))(5);
    moment();
  }
  machine.*members[1] += 1;
  const auto call = std::mem_fn(look);
  REQUIRE(machine.value == 175);
  return fmt::format("{} {} {}", call(machine), machine.*members[0], machine.other);
}

// Each step of construction and destruction is seen as the type it is of at that time.
struct Step {
  explicit Step(std::vector<std::string>& its_log) : log(its_log) { tell("made"); }
  virtual ~Step() { tell("gone"); }
  [[nodiscard]] virtual const char* what() const { return "step"; }
  void tell(const char* event) const { log.push_back(fmt::format("{} {}", what(), event)); }
  std::vector<std::string>& log;
};
struct LaterStep final : Step {
  explicit LaterStep(std::vector<std::string>& its_log) : Step(its_log) {
    moment();
    tell("made");
  }
  ~LaterStep() override {
    tell("gone");
    moment();
  }
  [[nodiscard]] const char* what() const override { return "later step"; }
};

std::string construction() {
  std::vector<std::string> log;
  {
    const LaterStep step(log);
    moment();
  }
  return fmt::format("{}", log);
}

}  // namespace

std::vector<Case> types() {
  return {{"virtual_functions", virtual_functions},
          {"multiple_inheritance", multiple_inheritance},
          {"run_time_types", run_time_types},
          {"pointers_to_members", pointers_to_members},
          {"construction", construction}};
}

}  // namespace constructs
