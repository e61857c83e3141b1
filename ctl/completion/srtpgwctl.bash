# SPDX-License-Identifier: Apache-2.0
# bash completion for srtpgwctl: the program itself knows what may come next.

_srtpgwctl()
{
	local line=${COMP_LINE:0:COMP_POINT} words word candidate
	local current=${COMP_WORDS[COMP_CWORD]}

	# Words as the program sees them: bash cuts at ':' and '=', which paths contain.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	word=${words[-1]}
	[[ $current == [:=] ]] && current=""
	COMPREPLY=()
	while IFS= read -r candidate; do
		if [[ $candidate == :files ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			compopt -o filenames 2>/dev/null
			return
		fi
		# bash replaces only what it takes for the word.
		COMPREPLY+=("${candidate#"${word%"$current"}"}")
		[[ $candidate == */ ]] && compopt -o nospace 2>/dev/null
	done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}

complete -F _srtpgwctl srtpgwctl
