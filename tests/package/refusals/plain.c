int variable = 3;
