// A libFuzzer target: whatever bytes come in, the library refuses them with an error that names the module,
// or it moves them to something valid. Sanitizers see to the rest.
//
// A module that wabt finds invalid before it is moved may be so afterwards. One that was valid must stay
// valid, and must be readable again when it keeps its relocations.

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <sanitizer/lsan_interface.h>
#include <wabt/binary-reader-ir.h>
#include <wabt/binary-reader.h>
#include <wabt/error.h>
#include <wabt/ir.h>
#include <wabt/validator.h>

#include "runtime/wasmshare_load.h"
#include "wasmshare.h"

namespace {

using Bytes = std::vector<uint8_t>;

[[noreturn]] void fail(const char *what, const std::string &detail = "") {
  std::fprintf(stderr, "%s%s%s\n", what, detail.empty() ? "" : ": ", detail.c_str());
  std::abort();
}

bool read_size(const Bytes &bytes, size_t *at, size_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 35 && *at < bytes.size(); shift += 7) {
    uint8_t byte = bytes[(*at)++];
    *value |= size_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

// wabt 1.0.32 knows no 64-bit tables, and wasm-ld makes one for every wasm64 module. An empty one is as good
// with 32.
void narrow_table(Bytes *bytes) {
  constexpr uint8_t table_section = 4, is_64 = 4;
  for (size_t at = 8, size; at < bytes->size(); at += size) {
    uint8_t id = (*bytes)[at++];
    if (!read_size(*bytes, &at, &size))
      return;
    size_t flags = at + 2; // one table, its type
    if (id == table_section && size > 2 && flags < bytes->size())
      (*bytes)[flags] &= ~is_64;
  }
}

// An imported table cannot be narrowed so easily: what becomes of modules with such a table is not looked at
// where they import it.
bool has_64_bit_table(const uint8_t *data, size_t size) {
  Bytes bytes(data, data + size), narrowed = bytes;
  narrow_table(&narrowed);
  return bytes != narrowed;
}

sigjmp_buf asserted;

// Without custom sections, which may be anything; but wabt reads some of them by how their names begin.
Bytes without_custom(const Bytes &bytes) {
  Bytes kept(bytes.begin(), bytes.begin() + std::min<size_t>(bytes.size(), 8));
  for (size_t at = 8, size; at < bytes.size(); at += size) {
    size_t start = at, name;
    uint8_t id = bytes[at++];
    bool good = read_size(bytes, &at, &size) && size <= bytes.size() - at;
    if (size_t content = at; good && id == 0)
      good = read_size(bytes, &content, &name) && content <= at + size && name <= at + size - content;
    if (!good) {
      kept.insert(kept.end(), bytes.begin() + start, bytes.end());
      break;
    }
    if (id != 0)
      kept.insert(kept.end(), bytes.begin() + start, bytes.begin() + at + size);
  }
  return kept;
}

// Whether the bytes are a valid module; if not, `reason` says why.
bool valid(Bytes bytes, std::string *reason = nullptr) {
  bytes = without_custom(bytes);
  narrow_table(&bytes);
  wabt::Features features;
  features.enable_threads();
  features.enable_memory64();
  features.enable_exceptions();
  features.enable_tail_call();
  constexpr bool read_names = false, stop_at_first_error = true, custom_sections_must_be_good = true;
  wabt::ReadBinaryOptions options(features, nullptr, read_names, stop_at_first_error,
                                  custom_sections_must_be_good);
  wabt::Errors errors;
  wabt::Module module;
  // wabt asserts something of its own about some code that is not valid; what it had allocated by then is lost.
  __lsan_disable();
  auto *handler = std::signal(SIGABRT, [](int) { siglongjmp(asserted, 1); });
  volatile bool good = false;
  if (sigsetjmp(asserted, 1) == 0)
    good = Succeeded(wabt::ReadBinaryIr("module", bytes.data(), bytes.size(), options, &errors, &module)) &&
           Succeeded(wabt::ValidateModule(&module, &errors, wabt::ValidateOptions(features)));
  std::signal(SIGABRT, handler);
  __lsan_enable();
  if (!good && reason && !errors.empty())
    *reason = errors[0].message;
  return good;
}

void check_error(const ws_error &error) {
  char line[2048];
  ws_error_format(&error, line, sizeof line);
  if (std::strncmp(line, "fuzz.wasm: ", 11) != 0 && std::strncmp(line, "beside.wasm: ", 13) != 0)
    fail("an error does not name its file", line);
  if (std::strchr(line, '\n'))
    fail("an error is longer than a line", line);
  if (error.message[0] == '\0')
    fail("an error without a message", line);
}

bool append(void *context, const void *bytes, size_t size) {
  auto *output = static_cast<Bytes *>(context);
  auto *start = static_cast<const uint8_t *>(bytes);
  output->insert(output->end(), start, start + size);
  return true;
}

template <typename Options> Options defaults() {
  Options options = {};
  options.size = sizeof options;
  return options;
}

struct Module {
  ws_module *module;
  ws_error error;
  Module(const uint8_t *data, size_t size, const ws_read_options &options, const char *name = "fuzz.wasm")
      : module(ws_module_read(name, data, size, &options, &error)) {}
  Module(const Module &) = delete;
  ~Module() { ws_module_free(module); }
};

struct Link {
  ws_link *link;
  explicit Link(const ws_link_options &options) {
    ws_error error;
    link = ws_link_new(&options, &error);
    if (!link)
      fail("no link", error.message);
  }
  Link(const Link &) = delete;
  ~Link() { ws_link_free(link); }
};

// The module that run.mjs has every input combined with; itself, if there is none.
Bytes beside;

// What is done with the input is up to its own hash, so that a run can be repeated from the input alone.
class Choices {
  uint64_t state = 14695981039346656037u;

public:
  Choices(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; ++i)
      state = (state ^ data[i]) * 1099511628211u;
  }
  uint64_t below(uint64_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
  }
  bool toss() { return below(2); }
};

// A run that moves nothing tests little: run.mjs looks at these numbers.
unsigned long moved_modules, moved_valid_modules;

// Writes a module of a link, as it was planned, and reads it again.
void write(const Link &link, size_t index, const struct ws_module_info &info, bool keep_relocs,
           bool was_valid) {
  Bytes output;
  ws_error error;
  if (!ws_link_write(link.link, index, {append, &output}, &error))
    return check_error(error);
  ++moved_modules;
  if (!was_valid)
    return;
  ++moved_valid_modules;
  std::string reason;
  if (!valid(output, &reason))
    fail("a valid module became an invalid one", reason);

  auto as_placed = defaults<ws_read_options>();
  as_placed.placed = true;
  as_placed.trust_pic = true;
  Module again(output.data(), output.size(), as_placed);
  bool kept = keep_relocs && info.has_relocations;
  if (!again.module) {
    check_error(again.error);
    if (kept)
      fail("a module that kept its relocations cannot be read", again.error.message);
    return;
  }
  const auto &again_info = *ws_module_info(again.module);
  if (kept && !again_info.exact)
    fail("a module that kept its relocations cannot be moved again", again_info.inexact.message);
  std::vector<ws_binding> bindings;
  for (ws_binding binding; ws_link_binding(link.link, index, bindings.size(), &binding);)
    bindings.push_back(binding);
  // A name that is not true in both of the sections that have it makes this fail: no matter, as long as it
  // says so.
  if (!ws_check_placed(again.module, ws_link_placement(link.link, index), bindings.data(), bindings.size(),
                       &error))
    check_error(error);
}

// What two modules import from each other, and in which order they must be instantiated.
bool resolve(const Link &link) {
  ws_error error;
  if (!ws_link_resolve(link.link, &error)) {
    check_error(error);
    return false;
  }
  const size_t *order = ws_link_order(link.link);
  if (order[0] + order[1] != 1)
    fail("an order without every module", "");
  ws_import_info import;
  for (size_t i = 0; ws_link_import(link.link, 0, i, &import); ++i)
    if (import.from != WS_HOST && !ws_link_import_matches(link.link, 0, i, import.from))
      fail("an import that does not match what it was resolved to", import.name);
  return true;
}

// What was made one and what was not: texts that can be read.
void read_merged(const Link &link) {
  size_t length = 0;
  ws_merged merged;
  for (size_t i = 0; ws_link_merged(link.link, i, &merged); ++i)
    length += std::strlen(merged.name);
  ws_kept kept;
  for (size_t i = 0; ws_link_kept(link.link, i, &kept); ++i)
    length += std::strlen(kept.name) + std::strlen(kept.reason);
  ws_divided divided;
  for (size_t i = 0; ws_link_divided(link.link, i, &divided); ++i)
    length += std::strlen(divided.name);
  if (length == SIZE_MAX)
    std::abort();
}

// What the seeds import of the host.
const char *const functions_of_host[] = {"env.print", "env.up"};

bool add(const Link &link, const ws_module *module, const char *name) {
  ws_error error;
  bool added = ws_link_add(link.link, module, name, &error);
  if (!added)
    check_error(error);
  return added;
}

// Moves the module by itself.
bool move_one(const ws_module *module, Choices *choices, bool plain, bool keep_relocs, bool was_valid) {
  const struct ws_module_info &info = *ws_module_info(module);
  auto options = defaults<ws_link_options>();
  options.keep_relocs = keep_relocs;
  Link link(options);
  uint64_t offset = choices->below(plain ? 2 : 1 << 24) * info.alignment;
  uint64_t heap_base = info.heap_base + offset + choices->below(1u << 24);
  if (!add(link, module, "one"))
    return false;
  ws_error error;
  if (!ws_link_shift(link.link, offset, choices->below(16), plain || choices->toss() ? nullptr : &heap_base,
                     &error)) {
    check_error(error);
    return false;
  }
  write(link, 0, info, keep_relocs, was_valid);
  return true;
}

// Moves two modules, which may be the same, or one that is there twice.
bool move_two(const ws_module *one, const ws_module *other, Choices *choices, ws_link_options options,
              bool was_valid) {
  const struct ws_module_info *infos[] = {ws_module_info(one), ws_module_info(other)};
  const char *const hosts[] = {"env"}, *const preferred[] = {"one"};
  options.prefer = preferred;
  options.prefer_count = choices->toss();
  options.host_imports = functions_of_host;
  options.host_import_count = std::size(functions_of_host);
  options.host_modules = hosts;
  options.host_module_count = choices->toss();
  options.report = [](void *, const ws_error *problem) { check_error(*problem); };
  Link link(options);
  if (!add(link, one, "one") || !add(link, other, "other"))
    return false;
  if (!resolve(link) && options.one_program)
    return false;
  read_merged(link);
  auto plan_options = defaults<ws_plan_options>();
  const ws_heap_claim claims[] = {{"other", ws_heap_class(choices->below(WS_HEAP_CLASSES))},
                                  {"one", ws_heap_class(choices->below(WS_HEAP_CLASSES))}};
  plan_options.heap_claims = claims;
  plan_options.heap_claim_count = choices->toss() ? choices->below(3) : 0;
  plan_options.base = choices->below(1 << 12);
  plan_options.extra_stack = choices->below(1 << 8);
  plan_options.heap_size = choices->below(1 << 12);
  plan_options.heap_owner = choices->toss() ? "other" : nullptr;
  plan_options.threads = infos[0]->shared && options.share_stack ? choices->below(3) : 0;
  ws_error error;
  if (!ws_link_plan(link.link, &plan_options, &error)) {
    check_error(error);
    return false;
  }
  for (size_t i = 0; i < 2; ++i)
    write(link, i, *infos[i], options.keep_relocs, was_valid);
  return true;
}

// What was told of the merged module is in it. Names that are not true may make reading it fail.
void read_single(const Bytes &output, const ws_single_info &told) {
  Module module(output.data(), output.size(), defaults<ws_read_options>());
  if (!module.module)
    return check_error(module.error);
  const struct ws_module_info *info = ws_module_info(module.module);
  if (info->memory64 != told.plan.memory64 || info->memory_minimum != told.plan.pages ||
      info->imports_memory != (told.memory_name != nullptr))
    fail("a merged module has another memory than was told");
  Link link(defaults<ws_link_options>());
  if (!add(link, module.module, "merged"))
    return;
  ws_import_info import;
  size_t count = 0;
  for (; ws_link_import(link.link, 0, count, &import); ++count)
    if (count >= told.import_count || import.kind != told.imports[count].kind ||
        std::strcmp(import.module, told.imports[count].module) != 0 ||
        std::strcmp(import.name, told.imports[count].name) != 0)
      fail("a merged module imports something else than was told", import.name);
  if (count != told.import_count)
    fail("a merged module does not import all that was told");
  if (told.constructors && !ws_link_exports(link.link, 0, WS_FUNCTION, told.constructors))
    fail("a merged module does not export what runs constructors", told.constructors);
}

// Makes one module of the module, or of it and another.
bool merge(const ws_module *one, const ws_module *other, Choices *choices, bool was_valid) {
  auto options = defaults<ws_link_options>();
  const char *const hosts[] = {"env"}, *const preferred[] = {"one"};
  options.single = true;
  options.host_imports = functions_of_host;
  options.host_import_count = std::size(functions_of_host);
  options.prefer = preferred;
  options.prefer_count = choices->below(4) != 0;
  options.host_modules = hosts;
  options.host_module_count = choices->below(4) != 0;
  options.report = [](void *, const ws_error *problem) { check_error(*problem); };
  Link link(options);
  if (!add(link, one, "one") || (other && !add(link, other, "other")))
    return false;
  ws_error error;
  if (!ws_link_resolve(link.link, &error)) {
    check_error(error);
    return false;
  }
  read_merged(link);
  auto plan_options = defaults<ws_plan_options>();
  plan_options.base = choices->below(1 << 12);
  plan_options.heap_size = choices->below(1 << 12);
  auto single_options = defaults<ws_single_options>();
  single_options.import_memory = choices->toss();
  single_options.strip_debug = choices->below(4) == 0;
  const ws_single_info *told = nullptr;
  single_options.context = &told;
  single_options.described = [](void *context, const ws_single_info *info) {
    *static_cast<const ws_single_info **>(context) = info;
    return true;
  };
  Bytes output;
  if (!ws_link_write_single(link.link, &plan_options, &single_options, {append, &output}, &error)) {
    check_error(error);
    return false;
  }
  ++moved_modules;
  moved_valid_modules += was_valid;
  std::string reason;
  if (was_valid && !valid(output, &reason))
    fail("valid modules became an invalid one", reason);
  if (was_valid)
    read_single(output, *told);
  return true;
}

// Moves the module, alone or two of it. `plain` is the way that refuses least. False if it is refused.
bool move(const uint8_t *data, size_t size, Choices *choices, bool plain, bool was_valid) {
  bool shift = plain || choices->toss();
  auto read_options = defaults<ws_read_options>();
  read_options.trust_pic = plain || choices->toss();
  auto options = defaults<ws_link_options>();
  options.keep_relocs = !plain && choices->toss();
  options.share_stack = !shift && choices->below(4) == 0;
  options.share_table = !shift && choices->below(4) == 0;
  options.one_program = !shift && !options.keep_relocs && choices->toss();
  bool single = !plain && choices->below(3) == 0;
  const Bytes &other = beside.empty() ? Bytes(data, data + size) : beside;
  if ((has_64_bit_table(data, size) || has_64_bit_table(other.data(), other.size())) &&
      (options.share_table || options.one_program || single))
    was_valid = false; // see narrow_table
  Module module(data, size, read_options);
  if (!module.module) {
    check_error(module.error);
    return false;
  }
  if (!ws_module_info(module.module)->exact)
    check_error(ws_module_info(module.module)->inexact);
  if (shift && !single)
    return move_one(module.module, choices, plain, options.keep_relocs, was_valid);
  Module again(data, size, read_options), second(other.data(), other.size(), read_options, "beside.wasm");
  const ws_module *others[] = {module.module, again.module, second.module};
  if (!second.module)
    fail("the module beside cannot be read", second.error.message);
  if (single)
    return merge(module.module, choices->below(4) ? others[1 + choices->toss()] : nullptr, choices,
                 was_valid);
  return move_two(module.module, others[choices->below(3)], choices, options, was_valid);
}

// Gives a prepared module that was mutated the digest that it should have, so that more of it is looked at
// than that. Nothing says then that its pointers are where they are said to be. False if there is no such
// section.
bool seal(Bytes *bytes) {
  static const char name[] = "\x09wasmshare";
  for (size_t at = 8, size, id; at < bytes->size(); at += size) {
    id = (*bytes)[at++];
    if (!read_size(*bytes, &at, &size) || size > bytes->size() - at)
      return false;
    size_t digest = at + 11, end = at + size, covered, covered_at = digest + 8;
    if (id != 0 || size < 27 || std::memcmp(&(*bytes)[at], name, 10) != 0)
      continue;
    if (!read_size(*bytes, &covered_at, &covered) || covered < 8 || covered > bytes->size())
      return false;
    ws_load_sum sum = ws_load_add({0, 0}, bytes->data(), covered);
    sum = ws_load_add(sum, bytes->data() + digest + 8, end - digest - 8);
    for (int i = 0; i < 8; ++i)
      (*bytes)[digest + i] = uint8_t(sum.value >> 8 * i);
    return true;
  }
  return false;
}

// What a native host does at load time, with whatever it was given. The buffer has just the size that was
// said.
void load(const Bytes &bytes, Choices *choices) {
  ws_load_module module;
  if (ws_load_open(&module, bytes.data(), bytes.size()) != WS_LOAD_OK)
    return;
  ws_load_placement placement;
  ws_load_shift(&module, choices->below(1 << 24), choices->below(1u << 31), &placement);
  placement.share_stack = choices->toss();
  placement.share_table = choices->toss();
  placement.table_end = placement.share_table ? choices->below(1 << 20) : 0;
  Bytes output(ws_load_size(&module, &placement));
  ws_load_place(&module, &placement, output.data(), output.size());
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  const char *path = std::getenv("FUZZ_BESIDE");
  std::ifstream file(path ? path : "", std::ios::binary);
  beside.assign(std::istreambuf_iterator<char>(file), {});
  if (path && beside.empty())
    fail("FUZZ_BESIDE names no module");
  return std::atexit([] {
    std::fprintf(stderr, "moved %lu modules, of which %lu were valid before\n", moved_modules,
                 moved_valid_modules);
  });
}

// An input that returns -1 is not mutated further: it is enough to have many that were never valid modules,
// and most of those that are refused would be refused again. The seed, which comes after an empty input, is.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned inputs;
  Choices choices(data, size);
  bool was_valid = valid(Bytes(data, data + size));
  Bytes sealed(data, data + size);
  bool prepared = seal(&sealed);
  if (prepared && choices.toss()) {
    load(sealed, &choices);
    move(sealed.data(), size, &choices, choices.toss(), false);
  }
  // Hardly any mutation of a prepared module has the right digest: what does is moved in several ways.
  bool moved = false;
  for (int ways = prepared && was_valid ? 8 : 1; ways > 0; --ways)
    moved |= move(data, size, &choices, false, was_valid) || move(data, size, &choices, true, was_valid);
  return (moved && (was_valid || has_64_bit_table(data, size))) || inputs++ < 2 || choices.below(8) == 0 ? 0
                                                                                                         : -1;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

// Most bytes that libFuzzer inserts or erases make nonsense of the section sizes. So most mutations change
// some bytes in place, and sometimes one byte is copied over another: indices, counts and sizes that exist
// elsewhere.
struct Range {
  size_t start, size;
};

// A section of a module, so that small ones are changed as often as large ones.
static Range random_section(const uint8_t *data, size_t size, std::minstd_rand &random) {
  Bytes bytes(data, data + size);
  std::vector<Range> sections = {{0, size}};
  for (size_t at = 8, length; at < size; at += length) {
    size_t start = at++;
    if (!read_size(bytes, &at, &length) || length > size - at)
      break;
    sections.push_back({start, at + length - start});
  }
  return sections[random() % sections.size()];
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  if (size == 0 || random() % 4 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
    Range range = random_section(data, size, random);
    uint8_t &byte = data[range.start + random() % range.size];
    switch (random() % 4) {
    case 0:
      byte ^= uint8_t(1 << random() % 8);
      break;
    case 1:
      byte = uint8_t(byte + (random() % 2 ? 1 : -1));
      break;
    case 2:
      byte = uint8_t(random());
      break;
    case 3:
      byte = data[random() % size];
      break;
    }
  }
  return size;
}
