// Only variables for others.
int table[4] = {10, 20, 30, 40};
__attribute__((export_name("table_address"))) int *table_address(void) { return table; }
