#include "object.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Core.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Object.h>

struct ws_object {
  struct ws_buffer view;
  LLVMMemoryBufferRef buffer;
  LLVMBinaryRef binary;
  LLVMSectionIteratorRef sections;
  size_t section; // that `sections` is at
  LLVMRelocationIteratorRef relocations;
};

// report_fatal_error does not return; the handler has to leave LLVM by itself, and gets no context. What LLVM
// had allocated by then is lost.
static _Thread_local jmp_buf *fatal_return;
static _Thread_local char fatal_reason[256];

static void on_fatal_error(const char *reason) {
  snprintf(fatal_reason, sizeof fatal_reason, "%s", reason);
  longjmp(*fatal_return, 1);
}

static LLVMBinaryRef create_binary(LLVMMemoryBufferRef buffer, char **message) {
  jmp_buf here;
  LLVMBinaryRef volatile binary = NULL; // changed between setjmp and longjmp
  fatal_return = &here;
  LLVMInstallFatalErrorHandler(on_fatal_error);
  if (setjmp(here) == 0)
    binary = LLVMCreateBinary(buffer, NULL, message);
  LLVMResetFatalErrorHandler();
  fatal_return = NULL;
  return binary;
}

bool ws_object_sees(const struct ws_section *section) {
  return section->id != WS_SECTION_CUSTOM || ws_slice_is(section->name, "linking") ||
         ws_slice_is(section->name, "reloc.CODE") || ws_slice_is(section->name, "reloc.DATA");
}

// The module as libObject is shown it: hidden sections are there, so that indices hold, but empty.
static bool make_view(const struct ws_module *module, struct ws_buffer *view) {
  size_t size = 8;
  for (size_t i = 0; i < module->section_count; i++)
    size += ws_object_sees(&module->sections[i]) ? module->sections[i].content.size + 32 : 4;
  view->data = malloc(size);
  view->capacity = view->data ? size : 0;
  view->failed = !view->data;
  ws_put_bytes(view, module->bytes.data, 8);
  for (size_t i = 0; i < module->section_count; i++) {
    const struct ws_section *section = &module->sections[i];
    ws_put_u8(view, section->id);
    if (!ws_object_sees(section)) {
      ws_put_bytes(view, "\2\1.", 3);
      continue;
    }
    bool custom = section->id == WS_SECTION_CUSTOM;
    ws_put_uleb(view,
                section->content.size + (custom ? ws_uleb_size(section->name.size) + section->name.size : 0));
    if (custom)
      ws_put_name(view, section->name);
    ws_put_slice(view, section->content);
  }
  return !view->failed;
}

struct ws_object *ws_object_open(const struct ws_module *module, struct ws_error *error) {
  struct ws_object *object = calloc(1, sizeof *object);
  if (!object || !make_view(module, &object->view)) {
    ws_object_close(object);
    ws_fail_memory(error, module->file);
    return NULL;
  }
  object->buffer =
      LLVMCreateMemoryBufferWithMemoryRange((const char *)object->view.data, object->view.size, "module", 0);
  char *message = NULL;
  fatal_reason[0] = '\0';
  object->binary = create_binary(object->buffer, &message);
  if (!object->binary || LLVMBinaryGetType(object->binary) != LLVMBinaryTypeWasm) {
    ws_module_fail(module, error, NULL, NULL, "LLVM's reader refuses it: %s",
                   message           ? message
                   : fatal_reason[0] ? fatal_reason
                                     : "not a WebAssembly object");
    LLVMDisposeMessage(message);
    ws_object_close(object);
    return NULL;
  }
  object->sections = LLVMObjectFileCopySectionIterator(object->binary);
  return object;
}

void ws_object_close(struct ws_object *object) {
  if (!object)
    return;
  if (object->relocations)
    LLVMDisposeRelocationIterator(object->relocations);
  if (object->sections)
    LLVMDisposeSectionIterator(object->sections);
  if (object->binary)
    LLVMDisposeBinary(object->binary);
  if (object->buffer)
    LLVMDisposeMemoryBuffer(object->buffer);
  ws_buffer_free(&object->view);
  free(object);
}

bool ws_object_select(struct ws_object *object, size_t section) {
  while (object->section < section &&
         !LLVMObjectFileIsSectionIteratorAtEnd(object->binary, object->sections)) {
    LLVMMoveToNextSection(object->sections);
    object->section++;
  }
  if (object->section != section || LLVMObjectFileIsSectionIteratorAtEnd(object->binary, object->sections))
    return false;
  if (object->relocations)
    LLVMDisposeRelocationIterator(object->relocations);
  object->relocations = LLVMGetRelocations(object->sections);
  return true;
}

bool ws_object_next(struct ws_object *object, uint64_t *type, uint64_t *offset) {
  if (LLVMIsRelocationIteratorAtEnd(object->sections, object->relocations))
    return false;
  *type = LLVMGetRelocationType(object->relocations);
  *offset = LLVMGetRelocationOffset(object->relocations);
  LLVMMoveToNextRelocation(object->relocations);
  return true;
}
