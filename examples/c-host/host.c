// A C program that runs both modules, translated to C by wabt's wasm2c, on one memory, one table and one stack.

#include <assert.h>
#include <stdio.h>

#include "layout.h"
#include "sort.h"
#include "stock.h"

// What the layout has for all modules, which they import from `env`.
struct Z_env_instance_t {
  wasm_rt_memory_t memory;
  wasm_rt_funcref_table_t table;
  u32 stack_pointer;
};

// What is ours, which they import from `host`.
struct Z_host_instance_t {
  const struct Z_env_instance_t *env;
};

wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *env) {
  return &env->memory;
}

wasm_rt_funcref_table_t *Z_envZ___indirect_function_table(struct Z_env_instance_t *env) {
  return &env->table;
}

u32 *Z_envZ___stack_pointer(struct Z_env_instance_t *env) {
  return &env->stack_pointer;
}

// An address in the modules' memory is an offset into ours.
static const char *text_at(const struct Z_env_instance_t *env, u32 address) {
  return (const char *)env->memory.data + address;
}

void Z_hostZ_report(struct Z_host_instance_t *host, u32 name, u32 price) {
  printf("%-8s %2u\n", text_at(host->env, name), price);
}

static_assert(LAYOUT_HEAP_END == LAYOUT_PAGES * LAYOUT_PAGE_SIZE, "all that the modules need at the start");

int main(void) {
  struct Z_env_instance_t env = {.stack_pointer = LAYOUT_STACK_POINTER};
  struct Z_host_instance_t host = {&env};
  Z_sort_instance_t sort;
  Z_stock_instance_t stock;

  wasm_rt_init();
  wasm_rt_allocate_memory(&env.memory, LAYOUT_PAGES, 65536);
  wasm_rt_allocate_funcref_table(&env.table, LAYOUT_TABLE_SIZE, LAYOUT_TABLE_SIZE);

  // layout.h says in which order: sort, stock
  Z_sort_init_module();
  Z_sort_instantiate(&sort, &env);
  Z_stock_init_module();
  Z_stock_instantiate(&stock, &env, &host, &sort);
  // constructors, of which these modules have none yet
  Z_sortZ___wasm_call_ctors(&sort);
  Z_stockZ___wasm_call_ctors(&stock);

  Z_stockZ_report_stock(&stock);
  u32 cheapest = Z_stockZ_cheapest(&stock);
  printf("cheapest: %s, at %u, in the data of stock (%lu to %lu)\n", text_at(&env, cheapest), cheapest,
         LAYOUT_STOCK_DATA_BASE, LAYOUT_STOCK_DATA_END);

  Z_stock_free(&stock);
  Z_sort_free(&sort);
  wasm_rt_free_funcref_table(&env.table);
  wasm_rt_free_memory(&env.memory);
  wasm_rt_free();
}
