# The example's README, from an installation.
. "$(dirname "$0")/../lib.sh"
example make
follow_readme
wasmshare verify build/app
