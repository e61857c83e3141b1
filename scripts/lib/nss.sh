# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts/deps: NSS 3.110, which DTLS 1.3 needs. Nothing here makes scripts/deps fail.

nss_packages=(libnss3 libnss3-dev)
nss_oldest=2:3.110
nss_source=/etc/apt/sources.list.d/srtpgw-libnss3.sources
nss_pin=/etc/apt/preferences.d/srtpgw-libnss3

nss_is_there() {
	local p version
	for p in "${nss_packages[@]}"; do
		version=$(dpkg-query -W -f '${Version}' "$p" 2>/dev/null) || return 1
		dpkg --compare-versions "$version" ge $nss_oldest || return 1
	done
}

# nss_mirror CODENAME: where this machine gets that suite from.
nss_mirror() {
	apt-get update --print-uris 2>/dev/null | sed -n "s,^'\\(.*\\)/dists/$1/InRelease'.*,\\1,p" | head -n 1 | grep .
}

# Debian 13 as a source for these two packages; of everything else in it apt sees nothing that it would install.
nss_add_source() {
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg main security
	main=$(nss_mirror bookworm) && security=$(nss_mirror bookworm-security) || return 1
	# The pin first: apt must never see the source without it.
	cat >$nss_pin <<PIN || return 1
# Written by srtpgw's scripts/deps: from Debian 13 only NSS.
Package: *
Pin: release n=trixie
Pin-Priority: -1

Package: *
Pin: release n=trixie-security
Pin-Priority: -1

Package: ${nss_packages[*]}
Pin: release n=trixie
Pin-Priority: 990

Package: ${nss_packages[*]}
Pin: release n=trixie-security
Pin-Priority: 990
PIN
	cat >$nss_source <<SOURCE
# Written by srtpgw's scripts/deps: libnss3 for DTLS 1.3. See also preferences.d/srtpgw-libnss3.
Types: deb
URIs: $main
Suites: trixie
Components: main
Signed-By: $keys

Types: deb
URIs: $security
Suites: trixie-security
Components: main
Signed-By: $keys
SOURCE
}

nss_get() {
	if [ "$(. /etc/os-release && echo "${ID:-}${VERSION_ID:-}")" = debian12 ]; then
		# The pin alone, before the source is there, harms nobody; the other way round it would.
		nss_add_source || return 1
		apt-get update -o Dir::Etc::sourcelist=$nss_source -o Dir::Etc::sourceparts=- \
			-o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any || return 1
	fi
	apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "${nss_packages[@]}" && nss_is_there
}

nss_install() {
	local log
	log=$(mktemp)
	echo "scripts/deps: installing ${nss_packages[*]} of Debian 13, for DTLS 1.3 (--no-dtls13 leaves them out)"
	if nss_get >"$log" 2>&1; then
		rm -f "$log"
		return
	fi
	rm -f $nss_source $nss_pin # apt is as it was
	echo "scripts/deps: NSS 3.110 cannot be had, so there will be no DTLS 1.3; apt-get's output is in $log" >&2
}
