# The example's README, from an installation: configure, build, run.
. "$(dirname "$0")/../lib.sh"
example cmake
follow_readme
wasmshare verify build/app
