// revenant: the tool.
#include "base/standard_descriptors.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  revenant::base::open_standard_descriptors();
  revenant::cli::CommandLine command_line;
  return command_line.run(argc, argv);
}
