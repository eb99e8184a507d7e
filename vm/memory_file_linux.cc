#include "vm/memory_file_linux.h"

#include <sys/mman.h>

#include <cerrno>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace revenant::vm {

int make_memory_file(const char* name) {
  const int file = ::memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  if (file >= 0 || errno != EINVAL) return file;
  return ::memfd_create(name, MFD_CLOEXEC);  // before Linux 6.3
}

}  // namespace revenant::vm
