// What a campaign came to, for a person or as one JSON object.
#pragma once

#include <string>

#include "tests/crash/campaign.h"

namespace revenant::crash {

std::string text_report(const CampaignOptions& options, const CampaignFigures& figures,
                        const std::optional<Violation>& violation);
std::string json_report(const CampaignOptions& options, const CampaignFigures& figures,
                        const std::optional<Violation>& violation);

}  // namespace revenant::crash
