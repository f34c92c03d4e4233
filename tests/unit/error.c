// src/error.h: an error is one line that can be shown, whatever the input was called and held.
#include "unit.h"

#include <ctype.h>

static const char *line_of(const struct ws_error *error) {
  static char line[1024];
  ws_error_format(error, line, sizeof line);
  return line;
}

static const char *printable(const char *from, size_t size) {
  static char shown[64];
  assert_true(size <= sizeof shown);
  return ws_printable(text(from), shown, size);
}

static void failing_returns_false_and_fills_everything_in(void **state) {
  (void)state;
  struct ws_error error;
  memset(&error, 'x', sizeof error);
  assert_false(ws_fail(&error, "a.wasm", "CODE", 0x1f, "%s is %d", "it", 7));
  assert_string_equal(error.file, "a.wasm");
  assert_string_equal(error.section, "CODE");
  assert_int_equal(error.offset, 0x1f);
  assert_string_equal(error.message, "it is 7");
  assert_false(ws_fail_memory(&error, "b.wasm"));
  assert_string_equal(line_of(&error), "b.wasm: out of memory");
}

static void a_line_leaves_out_what_the_error_does_not_have(void **state) {
  (void)state;
  struct ws_error error;
  ws_fail(&error, "a.wasm", "reloc.DATA", 0x1f, "message");
  assert_string_equal(line_of(&error), "a.wasm: section reloc.DATA at 0x1f: message");
  ws_fail(&error, "a.wasm", "linking", WS_NO_OFFSET, "message");
  assert_string_equal(line_of(&error), "a.wasm: section linking: message");
  ws_fail(&error, "a.wasm", NULL, 0, "message");
  assert_string_equal(line_of(&error), "a.wasm: at 0x0: message");
  ws_fail(&error, "a.wasm", NULL, WS_NO_OFFSET, "message");
  assert_string_equal(line_of(&error), "a.wasm: message");
  ws_fail(&error, "", NULL, WS_NO_OFFSET, "message");
  assert_string_equal(line_of(&error), "message");
}

static void control_characters_become_question_marks(void **state) {
  (void)state;
  assert_string_equal(printable("two\nlines\r\x1b[31m\x7f\t", 64), "two?lines??[31m??");
  assert_string_equal(printable("caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\xa6\x80", 64),
                      "caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\xa6\x80");
}

static void what_is_not_utf8_becomes_question_marks(void **state) {
  (void)state;
  assert_string_equal(printable("a\xff z", 64), "a? z");
  assert_string_equal(printable("\x9b[m", 64), "?[m");       // an 8-bit terminal's escape sequence
  assert_string_equal(printable("\xc2\x9b[m", 64), "??[m");  // the same, encoded: a control character
  assert_string_equal(printable("\xe0\x80\xaf", 64), "???"); // overlong
  assert_string_equal(printable("\xf0\x80\x80\xaf", 64), "????");
  assert_string_equal(printable("\xed\xa0\x80", 64), "???");      // a surrogate
  assert_string_equal(printable("\xf4\x90\x80\x80", 64), "????"); // beyond Unicode
  assert_string_equal(printable("\xc0\xaf", 64), "??");           // overlong
  assert_string_equal(printable("\xe2\x86", 64), "??");           // cut off
}

static void a_long_name_is_cut_between_characters(void **state) {
  (void)state;
  assert_string_equal(printable("0123456789", 8), "0123456");
  assert_string_equal(printable("0123456\xc3\xa9", 9), "0123456");
}

// The name and what the module holds come from outside; messages quote both.
static void every_part_of_an_error_stays_one_line_without_control_characters(void **state) {
  (void)state;
  struct ws_error error;
  ws_fail(&error, "evil\n\x1b[2J.wasm", "evil\n\x1b section", 1, "quotes %s", "a\r\nb\x1b[2J\t\x7f");
  const char *line = line_of(&error);
  for (const char *at = line; *at; at++)
    if (iscntrl((unsigned char)*at))
      fail_msg("character 0x%02x in \"%s\"", (unsigned)*at, line);
}

static void long_parts_are_cut_to_fit(void **state) {
  (void)state;
  char many[4096];
  memset(many, 'm', sizeof many - 1);
  many[sizeof many - 1] = '\0';
  struct ws_error error;
  ws_fail(&error, many, many, UINT64_MAX - 1, "%s", many);
  assert_int_equal(strlen(error.file), sizeof error.file - 1);
  assert_int_equal(strlen(error.section), sizeof error.section - 1);
  assert_int_equal(strlen(error.message), sizeof error.message - 1);
  char line[100];
  ws_error_format(&error, line, sizeof line);
  assert_int_equal(strlen(line), sizeof line - 1);
}

static void an_offset_is_counted_from_the_start_of_the_file(void **state) {
  (void)state;
  static const uint8_t bytes[16];
  struct ws_module module = {.file = "a.wasm", .bytes = {bytes, sizeof bytes}};
  struct ws_error error;
  assert_false(ws_module_fail(&module, &error, "CODE", bytes + 5, "message %d", 1));
  assert_string_equal(line_of(&error), "a.wasm: section CODE at 0x5: message 1");
  assert_false(ws_module_fail(&module, &error, "CODE", bytes + sizeof bytes, "at the end"));
  assert_int_equal(error.offset, sizeof bytes);
  // What the library made itself has no place in the file.
  uint8_t elsewhere = 0;
  assert_false(ws_module_fail(&module, &error, NULL, &elsewhere, "message"));
  assert_int_equal(error.offset, WS_NO_OFFSET);
  assert_false(ws_module_fail(&module, &error, NULL, NULL, "message"));
  assert_int_equal(error.offset, WS_NO_OFFSET);
}

static void the_first_reason_to_refuse_a_module_stays(void **state) {
  (void)state;
  struct ws_module module = {.file = "a.wasm", .info = {.exact = true}};
  ws_module_refuse(&module, "linking", WS_UNKNOWN_POINTER, "the %s reason", "first");
  ws_module_refuse(&module, "GLOBAL", WS_NO_MEMORY, "the second");
  assert_false(module.info.exact);
  assert_string_equal(line_of(&module.info.inexact), "a.wasm: section linking: the first reason");
  assert_int_equal(module.info.refusal, WS_UNKNOWN_POINTER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(failing_returns_false_and_fills_everything_in),
      cmocka_unit_test(a_line_leaves_out_what_the_error_does_not_have),
      cmocka_unit_test(control_characters_become_question_marks),
      cmocka_unit_test(what_is_not_utf8_becomes_question_marks),
      cmocka_unit_test(a_long_name_is_cut_between_characters),
      cmocka_unit_test(every_part_of_an_error_stays_one_line_without_control_characters),
      cmocka_unit_test(long_parts_are_cut_to_fit),
      cmocka_unit_test(an_offset_is_counted_from_the_start_of_the_file),
      cmocka_unit_test(the_first_reason_to_refuse_a_module_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
