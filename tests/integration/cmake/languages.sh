# What keeps the compiler from running wasm-opt is asked of the C and of the C++ compiler, and given to each when it links.
. "$(dirname "$0")/../lib.sh"
example cmake
clangxx=$(type -P "$(compgen -c clang++- | grep -x 'clang++-[0-9]*' | sort -V | tail -1)")
cat >old-clang++ <<END
#!/bin/sh
case " \$* " in *' --no-wasm-opt '*) echo 'unknown argument: --no-wasm-opt' >&2; exit 1 ;; esac
exec $clangxx "\$@"
END
chmod +x old-clang++
cat >other.cpp <<'END'
extern "C" __attribute__((export_name("one"))) int one() { return 1; }
END
sed -i 's/^project(.*/project(languages C CXX)/' CMakeLists.txt
cat >>CMakeLists.txt <<'END'
add_executable(other other.cpp)
wasmshare_combine(both MODULES greeting other OUTPUT_DIRECTORY both ALL)
END
cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake" \
    -DCMAKE_CXX_COMPILER="$PWD/old-clang++"
cmake --build build -v | tee build.log
wasmshare verify build/both
grep -e '-o greeting.wasm' build.log >c.log
expect ' --no-wasm-opt' c.log
expect_no ' -O0' c.log
grep -e '-o other.wasm' build.log >cxx.log
expect ' -O0' cxx.log
expect_no ' --no-wasm-opt' cxx.log
