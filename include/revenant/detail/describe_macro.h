// The preprocessor's part of REVENANT_DESCRIBE: something for each of up to 64 arguments.
#pragma once

// Four passes of rescanning, three times nested: enough for 64 arguments, an error above.
#define REVENANT_DETAIL_EXPAND(...) \
  REVENANT_DETAIL_EXPAND3(          \
      REVENANT_DETAIL_EXPAND3(REVENANT_DETAIL_EXPAND3(REVENANT_DETAIL_EXPAND3(__VA_ARGS__))))
#define REVENANT_DETAIL_EXPAND3(...) \
  REVENANT_DETAIL_EXPAND2(           \
      REVENANT_DETAIL_EXPAND2(REVENANT_DETAIL_EXPAND2(REVENANT_DETAIL_EXPAND2(__VA_ARGS__))))
#define REVENANT_DETAIL_EXPAND2(...) \
  REVENANT_DETAIL_EXPAND1(           \
      REVENANT_DETAIL_EXPAND1(REVENANT_DETAIL_EXPAND1(REVENANT_DETAIL_EXPAND1(__VA_ARGS__))))
#define REVENANT_DETAIL_EXPAND1(...) __VA_ARGS__

#define REVENANT_DETAIL_PARENTHESES ()
#define REVENANT_DETAIL_EACH(what, ...) \
  __VA_OPT__(REVENANT_DETAIL_EXPAND(REVENANT_DETAIL_EACH_STEP(what, __VA_ARGS__)))
#define REVENANT_DETAIL_EACH_STEP(what, first, ...) \
  what(first) __VA_OPT__(REVENANT_DETAIL_EACH_AGAIN REVENANT_DETAIL_PARENTHESES(what, __VA_ARGS__))
#define REVENANT_DETAIL_EACH_AGAIN() REVENANT_DETAIL_EACH_STEP

#define REVENANT_DETAIL_ONE(member) +1
#define REVENANT_DETAIL_COUNT(...) \
  (0 __VA_OPT__(REVENANT_DETAIL_EACH(REVENANT_DETAIL_ONE, __VA_ARGS__)))

#define REVENANT_DETAIL_MEMBER(member)                                     \
  ::revenant::member_description{                                          \
      #member, __builtin_offsetof(revenant_described, member),             \
      ::revenant::detail::size_or_zero<                                    \
          ::revenant::detail::member_type<&revenant_described::member>>(), \
      &::revenant::describe<::revenant::detail::member_type<&revenant_described::member>>},

// offsetof in types that are not of standard layout: every compiler the house is built with answers
// it as long as there are no virtual bases.
#define REVENANT_DETAIL_OFFSETS_BEGIN \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"")
#define REVENANT_DETAIL_OFFSETS_END _Pragma("GCC diagnostic pop")
