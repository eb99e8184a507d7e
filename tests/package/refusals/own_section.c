int variable __attribute__((section("elsewhere"))) = 3;
