// Which descriptors a caller may name: a green thread those of this start only
// (descriptor_table.h), everybody else any.
#pragma once

namespace revenant::runtime {

// What a call returns that was not made; errno says why.
inline constexpr int kRefused = -1;

// Whether a green thread may use `descriptor`; sets errno to EBADF if not.
bool check_descriptor(int descriptor);
// The same of a call's directory, which may be AT_FDCWD.
bool check_directory(int descriptor);

// The same of whoever calls.
bool caller_may_use(int descriptor);
bool caller_may_use_directory(int descriptor);

}  // namespace revenant::runtime
