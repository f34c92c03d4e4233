# Tests of the wasmshare command. Each is one file: the input, the commands to run (RUN:), and what they must print.
# LLVM's tools (clang, wasm-ld, llvm-mc, FileCheck, not, split-file, ...) and wasmshare are called by their plain names.

import os

import lit.formats

config.name = "command"
config.test_format = lit.formats.ShTest(execute_external=False)
config.test_source_root = os.path.dirname(__file__)
config.suffixes = [".test", ".s", ".c", ".cpp", ".wat"]
config.excludes = ["inputs"]

path = [os.path.dirname(config.wasmshare), os.path.dirname(config.wasmshare_shared_c), config.llvm_tools,
        os.path.dirname(config.node), os.environ["PATH"]]
config.environment["PATH"] = os.pathsep.join(path)

if not config.sanitized:
    config.available_features.add("malloc-replaceable")

# What a sanitizer finds must not look like one of wasmshare's own errors, which exit with 1.
config.environment["ASAN_OPTIONS"] = "exitcode=99"
config.environment["UBSAN_OPTIONS"] = "exitcode=99:print_stacktrace=1"
