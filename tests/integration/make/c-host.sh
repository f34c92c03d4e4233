# The example with a C host, which follows its README, from an installation.
. "$(dirname "$0")/../lib.sh"
example c-host
follow_readme
wasmshare verify build/app

# What the host gives must be named.
sed -i 's/ --host-imports host//' Makefile
touch stock.cpp
refuses "stock.wasm: imports the function host.report" make
