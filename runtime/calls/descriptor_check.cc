#include "runtime/calls/descriptor_check.h"

#include <fcntl.h>

#include <cerrno>

#include "runtime/calls/green_caller.h"
#include "runtime/host/descriptor_table.h"

namespace revenant::runtime {

bool check_descriptor(int descriptor) {
  if (DescriptorTable::instance().usable(descriptor)) return true;
  errno = EBADF;
  return false;
}

bool check_directory(int descriptor) {
  return descriptor == AT_FDCWD || check_descriptor(descriptor);
}

bool caller_may_use(int descriptor) {
  return green_caller() == nullptr || check_descriptor(descriptor);
}

bool caller_may_use_directory(int descriptor) {
  return descriptor == AT_FDCWD || caller_may_use(descriptor);
}

}  // namespace revenant::runtime
