# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: where things are, and how the gateway is built.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# build_tree DIR [meson options...]: configures DIR under build/ when it is new, and builds it. What the build
# prints is shown only when it fails.
build_tree() {
	local dir=$top/build/$1 log=$top/build/$1.log
	shift
	mkdir -p "$top/build"
	if ! {
		[ -f "$dir/build.ninja" ] || meson setup "$dir" "$top" "$@"
		ninja -C "$dir"
	} >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		echo "${0##*/}: the build failed; its whole output is in ${log#"$top"/}" >&2
		return 1
	fi
}
