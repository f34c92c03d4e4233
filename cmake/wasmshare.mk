# WasmShare for GNU Make (>= 4.3): WebAssembly modules that share one linear memory, as a build step.
#
#     include $(shell wasmshare --makefile)
#     all: app
#     $(eval $(call wasmshare_combine,app,build/app,build/common.wasm build/a.wasm))
#
# $(eval $(call wasmshare_combine,NAME,DIR,MODULES[,OPTIONS]))
#
#   Makes the phony target NAME: the files that `wasmshare combine` writes into DIR, for each module and the layout.
#   Their list is $(NAME_OUTPUTS). They are made again when a module has changed, or WasmShare itself.
#
#   MODULES  paths of .wasm files, in layout order; a module is named after its file unless written as name=path
#   OPTIONS  options of `wasmshare combine`, such as --extra-stack 64K, or --link, which makes the modules one program; the files of
#            --map and --env are outputs. With --single FILE.wasm, that is the only one.
#
# $(eval $(call wasmshare_prepare,NAME,DIR,MODULES[,OPTIONS]))
#
#   The same for `wasmshare prepare`, which makes modules placeable when they are loaded: there is no layout.
#
# WASMSHARE_LDFLAGS: what to link modules with, by clang (CC), for exact placing. For linking alone, not for compiling and
#   linking in one: it can have -O0 in it. With -nostdlib, link with -Wl,--export-if-defined=__wasm_call_ctors as well: else
#   the functions of a module that has constructors run them all again, each time. A program of WASI's runs its own.
# WASMSHARE: the command; `wasmshare` in PATH unless set before the include.
ifeq ($(filter grouped-target,$(.FEATURES)),)
  $(error wasmshare.mk needs GNU Make 4.3 or later)
endif

WASMSHARE ?= wasmshare
_wasmshare_command := $(shell command -v $(WASMSHARE) 2>/dev/null)

# clang runs wasm-opt, if there is one, on what it links with -O: that makes the linker's relocations stale. Newer ones can
# be told not to (clang 19 has the option too, but then does not link at all); the others only by linking with -O0, which
# leaves what was compiled as it is.
WASMSHARE_LDFLAGS = -Wl,--emit-relocs -Wl,--import-memory $(_wasmshare_no_wasm_opt)
_wasmshare_no_wasm_opt = $(if $(findstring wasm-ld,$(shell \
  $(CC) --target=wasm32 --no-wasm-opt '-###' -x c - 2>&1)),--no-wasm-opt,-O0)

# The name that a module is given: what is in front of its first =, unless that has a / in it and so belongs to the path.
_wasmshare_first = $(firstword $(subst =, ,$1))
_wasmshare_given = $(if $(findstring =,$1),$(filter $(notdir $(_wasmshare_first)),$(_wasmshare_first)))
_wasmshare_path = $(patsubst $(_wasmshare_given)=%,%,$1)
_wasmshare_name = $(or $(_wasmshare_given),$(basename $(notdir $1)))

# The value of an option, written with a space or with a =.
_wasmshare_option = $(lastword $(patsubst --$1=%,%,$(filter --$1=%,$(subst --$1 ,--$1=,$(strip $2)))))

# In front of a rule's prerequisites, a = would make them the value of a variable.
_wasmshare_equals := =

# The outputs for modules, and those of them that are modules themselves.
_wasmshare_placed = $(foreach module,$2,$(strip $1)/$(call _wasmshare_name,$(module)).wasm)
_wasmshare_overwritten = $(filter \
  $(abspath $(foreach module,$2,$(call _wasmshare_path,$(module)))),$(abspath $(_wasmshare_placed)))

# DIR,MODULES,OPTIONS: what is written without --single.
_wasmshare_layout = $(call _wasmshare_placed,$1,$2) \
  $(addprefix $(strip $1)/$(or $(call _wasmshare_option,name,$3),layout).,h mjs d.mts json) \
  $(call _wasmshare_option,map,$3) $(call _wasmshare_option,env,$3)

# -o and --depfile, however short, and --name and --single if they are short: where the outputs are is known from DIR and these.
_wasmshare_refused = $(filter -o% --o% --d%,$1) $(filter-out --name --name=% --single --single=%,$(filter --n% --si%,$1))

# When that was done last: outputs that would not change keep their time. NAME,DIR
_wasmshare_stamp = $(strip $2)/.$(strip $1).combined

# FUNCTION,NAME,DIR,MODULES,OPTIONS: what is wrong with a call of it.
_wasmshare_check = $(strip \
  $(if $(strip $(call _wasmshare_refused,$5)),$(error $1: $(strip $2): OPTIONS cannot have $(strip $(call _wasmshare_refused,$5)))) \
  $(if $(if $(call _wasmshare_option,single,$5),,$(call _wasmshare_overwritten,$3,$4)),$(error $1: $(strip $2): would overwrite an input: choose another directory than $(strip $3))))

define wasmshare_combine
$(call _wasmshare_check,wasmshare_combine,$1,$2,$3,$4)
$(strip $1)_OUTPUTS := $(or $(call _wasmshare_option,single,$4),$(call _wasmshare_layout,$2,$3,$4))
$(call _wasmshare_rule,combine,$1,$2,$3,$4)
endef

define wasmshare_prepare
$(call _wasmshare_check,wasmshare_prepare,$1,$2,$3,$4)
$(strip $1)_OUTPUTS := $(call _wasmshare_placed,$2,$3)
$(call _wasmshare_rule,prepare,$1,$2,$3,$4)
endef

# COMMAND,NAME,DIR,MODULES,OPTIONS
define _wasmshare_rule
.PHONY: $(strip $2)
$(strip $2): $$($(strip $2)_OUTPUTS)
$$($(strip $2)_OUTPUTS): $(call _wasmshare_stamp,$2,$3) ;
$(call _wasmshare_stamp,$2,$3): $$(if $$(filter-out $$(wildcard $$($(strip $2)_OUTPUTS)),$$($(strip $2)_OUTPUTS)),_wasmshare_lost)
$(call _wasmshare_stamp,$2,$3): $(subst =,$$(_wasmshare_equals),$(foreach module,$4,$(call _wasmshare_path,$(module)))) $(_wasmshare_command)
	@mkdir -p $(strip $3)
	$(WASMSHARE) $1 $(if $(call _wasmshare_option,single,$5),,-o $(strip $3)) $5 $4
	@touch $$@
endef
.PHONY: _wasmshare_lost
