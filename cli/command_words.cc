#include "cli/command_words.h"

#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/command_line.h"

namespace revenant::cli {
namespace {

// Validators of listed values describe themselves as "{auto,always,never}".
std::vector<std::string> choices_in(const std::string& type_name) {
  std::vector<std::string> choices;
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::istringstream listed(type_name.substr(open + 1, close - open - 1));
  for (std::string choice; std::getline(listed, choice, ',');) choices.push_back(choice);
  return choices;
}

FlagWords words_of(const CLI::Option& option) {
  FlagWords words;
  for (const std::string& name : option.get_snames()) words.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) words.names.push_back("--" + name);
  words.description = option.get_description();
  words.environment = option.get_envname();
  const std::string type_name = option.get_type_name();
  words.choices = choices_in(type_name);
  if (words.names.empty()) {
    words.value = option.get_single_name();
  } else if (option.get_items_expected_max() > 0) {
    words.value = type_name.substr(0, type_name.find(':'));
  }
  return words;
}

}  // namespace

std::vector<FlagWords> flags_of(const CLI::App& parser) {
  std::vector<FlagWords> flags;
  for (const CLI::Option* option : parser.get_options()) flags.push_back(words_of(*option));
  return flags;
}

std::vector<VerbWords> verbs_of(const CLI::App& parser) {
  std::vector<VerbWords> verbs;
  for (const CLI::App* verb : parser.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb->get_group() == kUnavailable) continue;
    verbs.push_back({verb->get_name(), verb->get_description(), flags_of(*verb)});
  }
  return verbs;
}

}  // namespace revenant::cli
