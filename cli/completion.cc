#include "cli/completion.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "cli/command_words.h"

namespace revenant::cli {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string all;
  for (const std::string& word : words) {
    if (!all.empty()) all += separator;
    all += word;
  }
  return all;
}

bool names_directory(const FlagWords& flag) { return flag.value == "DIR"; }

// In single quotes, as all three shells read them; `inside` is what stands for a quote.
std::string quoted(std::string_view text, std::string_view inside) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += inside;
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::vector<std::string> names_of(const std::vector<VerbWords>& verbs) {
  std::vector<std::string> names;
  names.reserve(verbs.size());
  for (const VerbWords& verb : verbs) names.push_back(verb.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<FlagWords>& flags) {
  std::vector<std::string> names;
  for (const FlagWords& flag : flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

std::string bash_values(const std::vector<VerbWords>& verbs) {
  std::string cases;
  std::vector<std::string> seen;
  for (const VerbWords& verb : verbs) {
    for (const FlagWords& flag : verb.flags) {
      const std::string names = joined(flag.names, "|");
      if (flag.value.empty() || names.empty()) continue;
      if (std::find(seen.begin(), seen.end(), names) != seen.end()) continue;
      seen.push_back(names);
      cases += "    " + names + ")";
      if (names_directory(flag)) {
        cases += " mapfile -t COMPREPLY < <(compgen -d -- \"$word\");";
        cases += " compopt -o filenames 2>/dev/null";
      }
      if (!flag.choices.empty()) {
        cases += " COMPREPLY=($(compgen -W '" + joined(flag.choices, " ") + "' -- \"$word\"))";
      }
      cases += names_directory(flag) || !flag.choices.empty() ? "; return ;;\n" : " return ;;\n";
    }
  }
  return cases;
}

std::string zsh_flag(const FlagWords& flag) {
  std::string out = "'(" + joined(flag.names, " ") + ")'";
  if (flag.names.size() == 1) {
    out += flag.names[0];
  } else {
    out += "{" + joined(flag.names, ",") + "}";
  }
  std::string about = "[" + flag.description + "]";
  if (!flag.value.empty()) about += ":" + flag.value + ":";
  if (names_directory(flag)) about += "_directories";
  if (!flag.choices.empty()) about += "(" + joined(flag.choices, " ") + ")";
  return out + quoted(about, "'\\''");
}

std::string fish_flag(const std::string& condition, const FlagWords& flag) {
  std::string out = "complete -c revenant " + condition;
  for (const std::string& name : flag.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!flag.value.empty()) out += " -r";
  if (names_directory(flag)) out += " -a '(__fish_complete_directories)'";
  if (!flag.choices.empty()) out += " -a " + quoted(joined(flag.choices, " "), "\\'");
  return out + " -d " + quoted(flag.description, "\\'") + "\n";
}

}  // namespace

std::string bash_completion(const CLI::App& parser) {
  const std::vector<VerbWords> verbs = verbs_of(parser);
  std::string out =
      "_revenant() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} verb= i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case ${COMP_WORDS[i]} in " +
      joined(names_of(verbs), "|") +
      ") verb=${COMP_WORDS[i]}; break ;; esac\n"
      "  done\n"
      "  case ${COMP_WORDS[COMP_CWORD - 1]} in\n" +
      bash_values(verbs) + "  esac\n  case $verb in\n";
  for (const VerbWords& verb : verbs) {
    out += "    " + verb.name + ") COMPREPLY=($(compgen -W '" + joined(names_of(verb.flags), " ") +
           "' -- \"$word\")) ;;\n";
  }
  return out + "    *) COMPREPLY=($(compgen -W '" + joined(names_of(verbs), " ") + " " +
         joined(names_of(flags_of(parser)), " ") +
         "' -- \"$word\")) ;;\n  esac\n}\ncomplete -F _revenant revenant\n";
}

std::string zsh_completion(const CLI::App& parser) {
  std::string verbs;
  std::string cases;
  for (const VerbWords& verb : verbs_of(parser)) {
    verbs += "    " + quoted(verb.name + ":" + verb.description, "'\\''") + "\n";
    cases += "    " + verb.name + ") _arguments";
    for (const FlagWords& flag : verb.flags) {
      cases += " \\\n      " + (flag.names.empty() ? "'::" + flag.value + ":'" : zsh_flag(flag));
    }
    cases += " ;;\n";
  }
  return "#compdef revenant\n_revenant() {\n  local -a verbs=(\n" + verbs +
         "  )\n  if (( CURRENT == 2 )); then\n    _describe verb verbs\n    return\n  fi\n"
         "  local verb=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $verb in\n" +
         cases + "  esac\n}\n_revenant \"$@\"\n";
}

std::string fish_completion(const CLI::App& parser) {
  std::string out = "complete -c revenant -f\n";
  for (const FlagWords& flag : flags_of(parser)) {
    out += fish_flag("-n __fish_use_subcommand", flag);
  }
  for (const VerbWords& verb : verbs_of(parser)) {
    out += "complete -c revenant -n __fish_use_subcommand -a " + verb.name + " -d " +
           quoted(verb.description, "\\'") + "\n";
    for (const FlagWords& flag : verb.flags) {
      if (flag.names.empty()) continue;
      out += fish_flag("-n '__fish_seen_subcommand_from " + verb.name + "'", flag);
    }
  }
  return out;
}

}  // namespace revenant::cli
