// The rule of segments whose tickets are kept in the table: where there is none, nothing was ever
// given out.
#pragma once

#include "vm/ticket.h"
#include "vm/ticket_table.h"

namespace revenant::vm {

class KeptTickets final : public TicketRule {
 public:
  explicit KeptTickets(const TicketTable& table) : table_(table) {}

  [[nodiscard]] Ticket ticket_of(base::PageNumber page) const noexcept override {
    return table_.find(page).value_or(Ticket::forbidden(ForbiddenReason::kUnmapped));
  }

 private:
  const TicketTable& table_;
};

}  // namespace revenant::vm
