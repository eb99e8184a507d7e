// Thread-specific data by pthread's names: see specific_values.h.
#include <cerrno>

#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/threads/specific_values.h"

using namespace revenant::runtime;

extern "C" {

int __wrap_pthread_key_create(pthread_key_t* key, KeyDestructor destructor) {
  if (green_caller() != nullptr && is_persistent(key)) return make_own_key(*key, destructor);
  const int error = __real_pthread_key_create(key, destructor);
  if (error == 0) libc_made_key(*key, destructor);
  return error;
}

int __wrap_pthread_key_delete(pthread_key_t key) {
  if (key >= kFirstOwn) return green_caller() != nullptr ? delete_own_key(key) : EINVAL;
  libc_deletes_key(key);
  return __real_pthread_key_delete(key);
}

void* __wrap_pthread_getspecific(pthread_key_t key) {
  const GreenThread* self = green_caller();
  return self == nullptr ? __real_pthread_getspecific(key) : specific_value(*self, key);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void* value) {
  GreenThread* self = green_caller();
  return self == nullptr ? __real_pthread_setspecific(key, value)
                         : set_specific_value(*self, key, value);
}

}  // extern "C"
