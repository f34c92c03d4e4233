#include "read/llvm.h"

#include "read/relocation_entries.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Core.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Object.h>
#include <llvm/Config/llvm-config.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable()
#define __lsan_enable()
#endif

const char ws_object_reader[] = "LLVM " LLVM_VERSION_STRING;

// report_fatal_error does not return; the handler has to leave LLVM by itself, and gets no context. What LLVM
// had allocated by then is lost.
static _Thread_local jmp_buf *fatal_return;
static _Thread_local char fatal_reason[256];

static void on_fatal_error(const char *reason) {
  if (!fatal_return) // somebody else's LLVM: it will exit, as it would have done
    return;
  snprintf(fatal_reason, sizeof fatal_reason, "%s", reason);
  longjmp(*fatal_return, 1);
}

// There is one handler for the whole process. It is ours as long as any thread is reading.
static void use_handler(int readers) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static int count;
  pthread_mutex_lock(&lock);
  if (count == 0)
    LLVMInstallFatalErrorHandler(on_fatal_error);
  count += readers;
  if (count == 0)
    LLVMResetFatalErrorHandler();
  pthread_mutex_unlock(&lock);
}

static LLVMBinaryRef create_binary(LLVMMemoryBufferRef buffer, char **message) {
  jmp_buf here;
  LLVMBinaryRef volatile binary = NULL; // changed between setjmp and longjmp
  fatal_return = &here;
  use_handler(1);
  __lsan_disable();
  if (setjmp(here) == 0)
    binary = LLVMCreateBinary(buffer, NULL, message);
  __lsan_enable();
  use_handler(-1);
  fatal_return = NULL;
  return binary;
}

// DWARF and names are most of a large module, and libObject has no use for them here.
static bool has_relocations(const struct ws_section *section) {
  return section->id == WS_SECTION_CUSTOM &&
         (ws_slice_is(section->name, "reloc.CODE") || ws_slice_is(section->name, "reloc.DATA"));
}
static bool is_shown(const struct ws_section *section) {
  return section->id != WS_SECTION_CUSTOM || ws_slice_is(section->name, "linking") ||
         has_relocations(section);
}

// Linking.md: of the subsections of "linking", the ones that relocations need.
static void put_linking(struct ws_buffer *view, struct ws_slice linking) {
  struct ws_reader reader = ws_reader(linking);
  ws_put_uleb(view, ws_read_uleb32(&reader));
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_slice part = ws_read_name(&reader);
    if (kind != WASM_SEGMENT_INFO && kind != WASM_SYMBOL_TABLE)
      continue;
    ws_put_u8(view, kind);
    ws_put_name(view, part);
  }
}

// When libObject refuses a relocation, it quotes the name of the symbol, and does not look first whether
// there is one (badReloc, in WasmObjectFile::parseRelocSection).
static bool is_in_range(const struct ws_module *module, const struct ws_section *target,
                        const struct ws_relocation *relocation) {
  bool is_type = relocation->type == R_WASM_TYPE_INDEX_LEB && relocation->index < module->type_count &&
                 target->id == WS_SECTION_CODE && (uint64_t)relocation->offset + 5 <= target->content.size;
  return relocation->index < module->symbol_count || relocation->index == WS_NO_SYMBOL || is_type;
}

// libObject does not know of relocations without a symbol, nor of fewer than are counted: see WS_NO_SYMBOL.
// False if one cannot be shown to it.
static bool put_relocations(const struct ws_module *module, struct ws_buffer *view,
                            struct ws_slice relocations) {
  struct ws_reader reader = ws_reader(relocations);
  uint32_t target = ws_read_uleb32(&reader), counted = ws_read_uleb32(&reader), count = 0, unknown = 0;
  struct ws_slice rest = {reader.at, ws_read_left(&reader)};
  if (target >= module->section_count)
    return false;
  for (; !reader.bad && reader.at < reader.end; count++) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    if (!is_in_range(module, &module->sections[target], &relocation))
      return false;
    unknown += relocation.index == WS_NO_SYMBOL;
  }
  ws_put_uleb(view, target);
  // More than are counted is for libObject to refuse.
  uint32_t shown = count < counted ? count : counted;
  ws_put_uleb(view, shown > unknown ? shown - unknown : 0);
  if (!unknown)
    ws_put_slice(view, rest);
  for (reader = ws_reader(rest); unknown && !reader.bad && reader.at < reader.end;) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    if (relocation.index != WS_NO_SYMBOL)
      ws_put_relocation(view, &relocation);
  }
  return !reader.bad;
}

// libObject counts functions and checks that relocations lie within the code section, but does not look into
// bodies. So it is shown as many functions and as large a section, but empty bodies: the last one is zero
// pages, never touched.
static void put_code(const struct ws_module *module, struct ws_buffer *view, size_t size) {
  size_t end = view->size + size;
  ws_put_uleb(view, module->function_count);
  for (uint32_t i = 0; i + 1 < module->function_count; i++)
    ws_put_bytes(view, "\2\0\13", 3); // no locals, end
  if (module->function_count) {
    uint8_t padded[5];
    ws_operand_put(padded, WS_LEB32, end - view->size - 5);
    ws_put_bytes(view, padded, 5);
  }
  view->size = end;
}

// Whether what put_code writes fits in the code section: bodies of two bytes are the smallest there are, so
// only a section of next to nothing is too small for it.
static bool can_empty(const struct ws_module *module, const struct ws_section *section) {
  return section->id == WS_SECTION_CODE && section->content.size >= 16 + (uint64_t)module->function_count * 3;
}

// libObject does not look whether the symbols come before their relocations, and the section of a section
// symbol before that.
static bool check_order(const struct ws_module *module, struct ws_error *error) {
  const struct ws_section *linking = ws_custom_section(module, "linking");
  char name[64];
  for (const struct ws_section *section = module->sections; section < linking; section++)
    if (has_relocations(section))
      return ws_module_fail(module, error, ws_section_name(section, name, sizeof name), section->content.data,
                            "has no linking section before it");
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (module->symbols[i].kind == WS_SYMBOL_SECTION &&
        &module->sections[module->symbols[i].index] >= linking)
      return ws_module_fail(module, error, "linking", linking->content.data,
                            "symbol %u is of a section that comes later", i);
  return true;
}

// The module as libObject is shown it: hidden sections are there, so that indices hold, but empty.
static bool make_view(const struct ws_module *module, struct ws_buffer *view, struct ws_error *error) {
  size_t size = 8;
  for (size_t i = 0; i < module->section_count; i++)
    size += is_shown(&module->sections[i]) ? module->sections[i].content.size + 32 : 4;
  view->data = calloc(1, size);
  view->capacity = view->data ? size : 0;
  view->failed = !view->data;
  ws_put_bytes(view, module->bytes.data, 8);
  for (size_t i = 0; i < module->section_count && !view->failed; i++) {
    const struct ws_section *section = &module->sections[i];
    bool custom = section->id == WS_SECTION_CUSTOM;
    ws_put_u8(view, section->id);
    if (!is_shown(section)) {
      ws_put_bytes(view, "\2\1.", 3);
    } else if (can_empty(module, section)) {
      ws_put_uleb(view, section->content.size);
      put_code(module, view, section->content.size);
    } else if (custom && ws_slice_is(section->name, "linking")) {
      size_t start = view->size;
      ws_put_bytes(view, "\0\0\0\0\0", 5); // its size, once that is known
      ws_put_name(view, section->name);
      put_linking(view, section->content);
      if (!view->failed)
        ws_operand_put(view->data + start, WS_LEB32, view->size - start - 5);
    } else if (custom) {
      size_t start = view->size;
      ws_put_bytes(view, "\0\0\0\0\0", 5);
      ws_put_name(view, section->name);
      char name[64];
      if (!put_relocations(module, view, section->content))
        return ws_module_fail(module, error, ws_section_name(section, name, sizeof name),
                              section->content.data, "has a relocation of a symbol that does not exist");
      if (!view->failed)
        ws_operand_put(view->data + start, WS_LEB32, view->size - start - 5);
    } else {
      ws_put_name(view, section->content);
    }
  }
  return !view->failed || ws_fail_memory(error, module->file);
}

static bool disagrees(const struct ws_module *module, const struct ws_section *section,
                      struct ws_error *error) {
  char name[64];
  return ws_module_fail(module, error, ws_section_name(section, name, sizeof name), NULL,
                        "LLVM's reader finds other relocations here");
}

// Compares type and offset of every relocation of one section.
static bool compare_section(const struct ws_module *module, const struct ws_section *section,
                            LLVMSectionIteratorRef target, struct ws_error *error) {
  struct ws_reader reader = ws_reader(section->content);
  LLVMRelocationIteratorRef theirs = LLVMGetRelocations(target);
  ws_read_uleb32(&reader); // the section that they are for
  ws_read_uleb32(&reader); // how many there are
  bool same = true;
  while (reader.at < reader.end && same) {
    struct ws_relocation ours = ws_read_relocation(&reader);
    if (ours.index == WS_NO_SYMBOL)
      continue;
    same = !LLVMIsRelocationIteratorAtEnd(target, theirs) && LLVMGetRelocationType(theirs) == ours.type &&
           LLVMGetRelocationOffset(theirs) == ours.offset;
    if (same)
      LLVMMoveToNextRelocation(theirs);
  }
  same = same && LLVMIsRelocationIteratorAtEnd(target, theirs);
  LLVMDisposeRelocationIterator(theirs);
  return same || disagrees(module, section, error);
}

static bool compare(const struct ws_module *module, LLVMBinaryRef binary, struct ws_error *error) {
  bool same = true;
  for (size_t i = 0; i < module->section_count && same; i++) {
    const struct ws_section *section = &module->sections[i];
    if (!has_relocations(section))
      continue;
    struct ws_reader reader = ws_reader(section->content);
    uint32_t target = ws_read_uleb32(&reader);
    LLVMSectionIteratorRef sections = LLVMObjectFileCopySectionIterator(binary);
    for (uint32_t k = 0; k < target && !LLVMObjectFileIsSectionIteratorAtEnd(binary, sections); k++)
      LLVMMoveToNextSection(sections);
    same = LLVMObjectFileIsSectionIteratorAtEnd(binary, sections)
               ? disagrees(module, section, error)
               : compare_section(module, section, sections, error);
    LLVMDisposeSectionIterator(sections);
  }
  return same;
}

bool ws_object_agrees(const struct ws_module *module, struct ws_error *error) {
  struct ws_buffer view = {0};
  if (!check_order(module, error))
    return false;
  if (!make_view(module, &view, error)) {
    ws_buffer_free(&view);
    return false;
  }
  LLVMMemoryBufferRef buffer =
      LLVMCreateMemoryBufferWithMemoryRange((const char *)view.data, view.size, "module", 0);
  char *message = NULL;
  fatal_reason[0] = '\0';
  LLVMBinaryRef binary = create_binary(buffer, &message);
  bool same = binary && LLVMBinaryGetType(binary) == LLVMBinaryTypeWasm;
  if (!same)
    ws_module_fail(module, error, NULL, NULL, "LLVM's reader refuses it: %s",
                   message           ? message
                   : fatal_reason[0] ? fatal_reason
                                     : "not a WebAssembly object");
  same = same && compare(module, binary, error);
  LLVMDisposeMessage(message);
  if (binary)
    LLVMDisposeBinary(binary);
  LLVMDisposeMemoryBuffer(buffer);
  ws_buffer_free(&view);
  return same;
}
