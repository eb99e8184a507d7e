// CLI11's parser by name, for those who pass it on: its own headers take seconds to compile.
#pragma once

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
class ParseError;
}  // namespace CLI
