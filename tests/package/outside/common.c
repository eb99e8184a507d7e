// A tentative definition, which only the linker gives a place (COMMON).
int table[1000];

int* common_table(void) { return table; }
