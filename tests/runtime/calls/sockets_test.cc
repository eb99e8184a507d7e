// Sockets and waiting for several descriptors, from green threads.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Sockets : public ProgramTest {
 protected:
  template <class F>
  void expect_well(F main) {
    ProgramTest::expect_well(run_to_end(store(), main));
  }
};

TEST_F(Sockets, AServerAndItsClientShareOneWorker) {
  expect_well([] {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    auto address = std::make_unique<sockaddr_in>();
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(address.get());
    socklen_t size = sizeof *address;
    EXPECT_IN_CHILD(::bind(listener, generic, size) == 0 && ::listen(listener, 8) == 0);
    EXPECT_IN_CHILD(::getsockname(listener, generic, &size) == 0 && address->sin_port != 0);
    std::string received(1 << 20, '\0');
    ssize_t count = 0;
    thread server([&] {
      const int stream = ::accept(listener, nullptr, nullptr);
      count = ::recv(stream, received.data(), received.size(), MSG_WAITALL);
      ::send(stream, "bye", 3, 0);
      ::close(stream);
    });
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_IN_CHILD(::connect(client, generic, sizeof *address) == 0);
    const std::string sent(received.size(), 'x');
    EXPECT_IN_CHILD(::send(client, sent.data(), sent.size(), 0) == 1 << 20);
    char answer[4] = {};
    EXPECT_IN_CHILD(::recv(client, answer, 3, MSG_WAITALL) == 3 && answer == std::string("bye"));
    server.join();
    EXPECT_IN_CHILD(count == 1 << 20 && received == sent);
    EXPECT_IN_CHILD(::recv(client, answer, 1, 0) == 0);
    return 0;
  });
}

TEST_F(Sockets, MessagesAndTheirDescriptorsArrive) {
  expect_well([] {
    int pair[2];
    int ends[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && ::pipe(ends) == 0);
    std::string head = "head";
    std::string tail = "tail";
    iovec parts[] = {{head.data(), 4}, {tail.data(), 4}};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{.msg_iov = parts,
                   .msg_iovlen = 2,
                   .msg_control = control,
                   .msg_controllen = sizeof control};
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    *rights = {
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    std::memcpy(CMSG_DATA(rights), &ends[1], sizeof(int));
    EXPECT_IN_CHILD(::sendmsg(pair[0], &message, 0) == 8);
    head = tail = "....";
    EXPECT_IN_CHILD(::recvmsg(pair[1], &message, 0) == 8 && head == "head" && tail == "tail");
    int passed = -1;
    std::memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    EXPECT_IN_CHILD(passed != ends[1] && ::write(passed, "x", 1) == 1);
    char byte = 0;
    EXPECT_IN_CHILD(::read(ends[0], &byte, 1) == 1 && byte == 'x');
    return 0;
  });
}

TEST_F(Sockets, ASocketsOwnTimeoutCounts) {
  expect_well([] {
    int pair[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    const timeval timeout{.tv_sec = 0, .tv_usec = 20'000};
    EXPECT_IN_CHILD(::setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
    char byte = 0;
    EXPECT_IN_CHILD(::recv(pair[0], &byte, 1, 0) == -1 && errno == EAGAIN);
    return 0;
  });
}

TEST_F(Sockets, PollSelectAndEpollWaitForOtherThreads) {
  expect_well([] {
    int ends[2];
    EXPECT_IN_CHILD(::pipe(ends) == 0);
    const int epoll = ::epoll_create1(0);
    epoll_event event{.events = EPOLLIN, .data = {.fd = 77}};
    EXPECT_IN_CHILD(::epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
    for (int turn = 0; turn < 3; ++turn) {
      thread writer([&] {
        this_thread::sleep_for(10ms);
        ::write(ends[1], "x", 1);
      });
      pollfd polled[] = {{ends[0], POLLIN, 0}, {-1, POLLIN, 7}};
      fd_set set;
      FD_ZERO(&set);
      FD_SET(ends[0], &set);
      epoll_event found{};
      if (turn == 0) EXPECT_IN_CHILD(::poll(polled, 2, -1) == 1 && polled[0].revents == POLLIN);
      if (turn == 1) EXPECT_IN_CHILD(::select(ends[0] + 1, &set, nullptr, nullptr, nullptr) == 1);
      if (turn == 2)
        EXPECT_IN_CHILD(::epoll_wait(epoll, &found, 1, -1) == 1 && found.data.fd == 77);
      EXPECT_IN_CHILD(FD_ISSET(ends[0], &set));
      char byte = 0;
      EXPECT_IN_CHILD(::read(ends[0], &byte, 1) == 1);
    }
    pollfd nothing{ends[0], POLLIN, 0};
    EXPECT_IN_CHILD(::poll(&nothing, 1, 15) == 0);
    EXPECT_IN_CHILD(::epoll_wait(epoll, &event, 1, 15) == 0);
    pollfd foreign{900, POLLIN, 0};
    EXPECT_IN_CHILD(::poll(&foreign, 1, -1) == 1 && foreign.revents == POLLNVAL);
    return 0;
  });
}

// Sends as much as fits, and no more.
void fill(int socket) {
  const std::string part(4096, 'x');
  while (::send(socket, part.data(), part.size(), MSG_DONTWAIT) > 0) {
  }
}

TEST_F(Sockets, ADescriptorPolledTwiceReportsBothEvents) {
  expect_well([] {
    int pair[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fill(pair[0]);
    thread drain([&] {
      this_thread::sleep_for(10ms);
      char part[4096];
      while (::recv(pair[1], part, sizeof part, MSG_DONTWAIT) > 0) {
      }
    });
    pollfd polled[] = {{pair[0], POLLIN, 0}, {pair[0], POLLOUT, 0}};
    const auto start = std::chrono::steady_clock::now();
    EXPECT_IN_CHILD(::poll(polled, 2, 20'000) == 1);
    EXPECT_IN_CHILD(std::chrono::steady_clock::now() - start < 10s);
    EXPECT_IN_CHILD(polled[0].revents == 0 && polled[1].revents == POLLOUT);
    return 0;
  });
}

TEST_F(Sockets, PollWaitsAlsoForWhatEpollRefuses) {
  expect_well([] {
    int ends[2];
    EXPECT_IN_CHILD(::pipe(ends) == 0);
    const int directory = ::open("/", O_RDONLY | O_DIRECTORY);
    pollfd polled[] = {{directory, POLLPRI, 0}, {ends[0], POLLIN, 0}};
    EXPECT_IN_CHILD(::poll(polled, 2, 15) == 0);
    thread writer([&] {
      this_thread::sleep_for(10ms);
      ::write(ends[1], "x", 1);
    });
    EXPECT_IN_CHILD(::poll(polled, 2, -1) == 1 && polled[1].revents == POLLIN);
    return 0;
  });
}

TEST_F(Sockets, APeekForAllWaitsAndSeesTheBeginning) {
  expect_well([] {
    int pair[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    thread sender([&] {
      for (const char* part : {"abc", "de", "fgh", "xyz"}) {
        ::send(pair[1], part, std::strlen(part), 0);
        this_thread::sleep_for(5ms);
      }
      ::close(pair[1]);
    });
    std::string seen(8, '.');
    EXPECT_IN_CHILD(::recv(pair[0], seen.data(), 8, MSG_PEEK | MSG_WAITALL) == 8);
    EXPECT_IN_CHILD(seen == "abcdefgh");
    seen.assign(8, '.');
    EXPECT_IN_CHILD(::recv(pair[0], seen.data(), 8, MSG_WAITALL) == 8 && seen == "abcdefgh");
    EXPECT_IN_CHILD(::recv(pair[0], seen.data(), 8, MSG_PEEK | MSG_WAITALL) == 3);
    EXPECT_IN_CHILD(seen.substr(0, 3) == "xyz");
    return 0;
  });
}

TEST_F(Sockets, ADatagramIsAllThereIsToWaitFor) {
  expect_well([] {
    int pair[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    EXPECT_IN_CHILD(::send(pair[1], "one", 3, 0) == 3 && ::send(pair[1], "two", 3, 0) == 3);
    char seen[6] = {};
    EXPECT_IN_CHILD(::recv(pair[0], seen, sizeof seen, MSG_PEEK | MSG_WAITALL) == 3);
    EXPECT_IN_CHILD(::recv(pair[0], seen, sizeof seen, MSG_WAITALL) == 3);
    return 0;
  });
}

// Receives to the end; counts the descriptors that came along.
struct Received {
  std::string data;
  int descriptors = 0;

  void take_all(int socket) {
    std::vector<char> part(70'000);
    for (ssize_t got = 1; got > 0;) {
      iovec into{part.data(), part.size()};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
      msghdr message{.msg_iov = &into,
                     .msg_iovlen = 1,
                     .msg_control = control,
                     .msg_controllen = sizeof control};
      got = ::recvmsg(socket, &message, 0);
      if (CMSG_FIRSTHDR(&message) != nullptr) ++descriptors;
      if (got > 0) data.append(part.data(), static_cast<std::size_t>(got));
    }
  }
};

TEST_F(Sockets, ALargeMessageIsSentWhole) {
  expect_well([] {
    int pair[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    Received received;
    thread receiver([&] { received.take_all(pair[1]); });
    std::string head(1'000'000, 'h');
    std::string tail(2'000'003, 't');
    iovec parts[] = {{head.data(), head.size()}, {nullptr, 0}, {tail.data(), tail.size()}};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    const msghdr message{.msg_iov = parts,
                         .msg_iovlen = 3,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    *rights = {
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    std::memcpy(CMSG_DATA(rights), &pair[0], sizeof(int));
    const ssize_t sent = ::sendmsg(pair[0], &message, 0);
    EXPECT_IN_CHILD(::shutdown(pair[0], SHUT_WR) == 0);
    receiver.join();
    EXPECT_IN_CHILD(sent == 3'000'003);
    EXPECT_IN_CHILD(parts[0].iov_len == head.size() && parts[2].iov_base == tail.data());
    EXPECT_IN_CHILD(received.data == head + tail && received.descriptors == 1);
    return 0;
  });
}

TEST_F(Sockets, TimeoutsLongerThanTheClockCountsAreForEver) {
  expect_well([] {
    int pair[2];
    EXPECT_IN_CHILD(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    constexpr long kLongS = 10'000'000'000;
    const timeval timeout{.tv_sec = kLongS, .tv_usec = 0};
    EXPECT_IN_CHILD(::setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
    thread sender([&] {
      for (int i = 0; i < 3; ++i) {
        this_thread::sleep_for(10ms);
        ::send(pair[1], "x", 1, 0);
      }
    });
    char byte = 0;
    EXPECT_IN_CHILD(::recv(pair[0], &byte, 1, 0) == 1);
    const timespec left{.tv_sec = kLongS, .tv_nsec = 0};
    pollfd polled{pair[0], POLLIN, 0};
    EXPECT_IN_CHILD(::ppoll(&polled, 1, &left, nullptr) == 1);
    EXPECT_IN_CHILD(::recv(pair[0], &byte, 1, 0) == 1);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    EXPECT_IN_CHILD(::pselect(pair[0] + 1, &set, nullptr, nullptr, &left, nullptr) == 1);
    return 0;
  });
}

}  // namespace
}  // namespace revenant::testing
