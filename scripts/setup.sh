#!/usr/bin/env bash
# Prepares what the targets of the Makefile need, each piece only when it is missing:
#
#   scripts/setup.sh packages    Debian packages for the tests (needs root or sudo)
#   scripts/setup.sh venv        .cache/venv with e2e/requirements.txt
#   scripts/setup.sh venv5       .cache/venv5 with e2e/requirements-5.txt: JupyterHub 5, for old databases
#   scripts/setup.sh plugins     .cache/venv-plugins with e2e/requirements-plugins.txt: authenticators and spawners from PyPI
#   scripts/setup.sh projects    .cache/venv-projects with e2e/requirements-projects.txt: projects that talk to a hub, and one's own tests
#   scripts/setup.sh wheel       .cache/venv-wheel with python/requirements-build.txt: what builds the Python wheel
#   scripts/setup.sh tools       .cache/tools with e2e/requirements-tools.txt: schemathesis
#   scripts/setup.sh old         .cache/venv0 to .cache/venv4: JupyterHub 0.9 to 4, for databases that are older still
#   scripts/setup.sh sdist       .cache/sdist, JupyterHub's source distribution, for its examples
#   scripts/setup.sh npm         .cache/npm with configurable-http-proxy (benchmark and oracle runs)
#   scripts/setup.sh npm-clients .cache/npm-clients with OAuth clients (e2e/node)
#   scripts/setup.sh npm-axe     .cache/npm-axe with axe-core (e2e/browser), which looks for barriers in pages
#
# Everything below .cache can be deleted at any time. A piece is made anew when the file that describes it
# changes: its stamp is named after the checksum.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache
mkdir -p "$cache"
exec 9>"$cache/.setup.lock"
flock 9 # two runs at once would write into the same folders

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# as_root runs a command as root, or says how to go on when it cannot.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		sudo "$@"
	else
		die "not root and sudo asks for a password; run this yourself, then start again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${wanted[*]}"
	fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# install_missing installs the named Debian packages which are not there yet.
install_missing() {
	wanted=()
	for package in "$@"; do installed "$package" || wanted+=("$package"); done
	[ ${#wanted[@]} = 0 ] && return 0
	command -v apt-get >/dev/null || die "these Debian packages are missing and there is no apt-get: ${wanted[*]}"
	say "installing Debian packages: ${wanted[*]}"
	as_root apt-get update -q
	if [[ " ${wanted[*]} " == *" slapd "* ]]; then # the tests start their own: none may be left running on port 389
		echo "slapd slapd/no_configuration boolean true" | as_root debconf-set-selections
	fi
	without_services as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${wanted[@]}"
}

# without_services runs a command while policy-rc.d (Debian policy 9.3.3.1) forbids that packages start services: the tests start
# what they need themselves, and ports such as 80 stay free.
without_services() {
	local policy=/usr/sbin/policy-rc.d code=0
	if [ -e $policy ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
	as_root chmod 755 $policy
	"$@" || code=$?
	as_root rm -f $policy
	return $code
}

packages() {
	install_missing gcc libc6-dev libpam0g-dev postgresql chromium wrk curl fonts-dejavu-core slapd ldap-utils \
		docker.io iproute2 iptables sudo systemd procps slurmctld slurmd slurm-client munge nginx
}

checksum() { cat "$@" | sha256sum | cut -c1-16; }

# has_venv tells whether python3 can make a virtual environment with pip: Debian splits ensurepip off.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# make_venv makes .cache/NAME with the packages of a requirements file.
make_venv() {
	local dir=$cache/$1 requirements=$2
	command -v python3 >/dev/null || die "python3 is missing"
	local stamp="$dir/.stamp-$(checksum "$requirements")"
	[ -f "$stamp" ] && return 0
	has_venv || install_missing python3-venv
	has_venv || die "python3 ($(command -v python3)) has no ensurepip: install its venv package"
	say "making .cache/$1 (the first time takes a minute or two)"
	rm -rf "$dir"
	python3 -m venv "$dir"
	"$dir/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements"
	"$dir/bin/python" -m compileall -q "$dir/lib" >/dev/null || true
	touch "$stamp"
}

venv() { make_venv venv e2e/requirements.txt; }

venv5() { make_venv venv5 e2e/requirements-5.txt; }

tools() { make_venv tools e2e/requirements-tools.txt; }

# old makes .cache/venv0 to .cache/venv4 side by side. Each only writes one database: their requirements are
# complete, so nothing is resolved, compiled ahead or given a pip of its own.
old() {
	venv # its pip installs into the others
	local version jobs=()
	for version in 0 1 2 3 4; do
		old_venv $version &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do wait "$job" || die "an old JupyterHub could not be installed; see above"; done
}

old_venv() {
	local dir=$cache/venv$1 requirements=e2e/requirements-$1.txt
	local stamp="$dir/.stamp-$(checksum "$requirements")"
	[ -f "$stamp" ] && return 0
	say "making .cache/venv$1"
	rm -rf "$dir"
	python3 -m venv --without-pip "$dir"
	"$cache/venv/bin/python" -m pip --python "$dir/bin/python" install -q --disable-pip-version-check --no-deps --no-compile -r "$requirements"
	touch "$stamp"
}

wheel() { make_venv venv-wheel python/requirements-build.txt; }

plugins() { make_venv venv-plugins e2e/requirements-plugins.txt; }

projects() {
	make_venv venv-projects e2e/requirements-projects.txt
	local requirement
	requirement=$(grep '^jupyterhub-idle-culler==' e2e/requirements-projects.txt)
	local dir=$cache/projects/${requirement/==/-}
	[ -f "$dir/.stamp" ] && return 0
	say "fetching the tests of $requirement, which are in its source distribution"
	rm -rf "$cache/projects"
	mkdir -p "$dir"
	"$cache/venv-projects/bin/python" -m pip download -q --disable-pip-version-check --no-deps --no-binary jupyterhub-idle-culler \
		-d "$cache/projects" "$requirement"
	tar -xzf "$cache/projects"/*.tar.gz -C "$dir" --strip-components=1
	touch "$dir/.stamp"
}

sdist() {
	venv
	local requirement version
	requirement=$(grep '^jupyterhub==' e2e/requirements.txt)
	version=${requirement#jupyterhub==}
	[ -f "$cache/sdist/jupyterhub-$version/.stamp" ] && return 0
	say "fetching the source distribution of $requirement"
	rm -rf "$cache/sdist"
	mkdir -p "$cache/sdist"
	"$cache/venv/bin/python" -m pip download -q --disable-pip-version-check --no-deps --no-binary jupyterhub \
		-d "$cache/sdist" "$requirement"
	tar -xzf "$cache/sdist/jupyterhub-$version.tar.gz" -C "$cache/sdist"
	touch "$cache/sdist/jupyterhub-$version/.stamp"
}

# make_npm makes .cache/NAME with the packages of a package.json; WHAT is for the message.
make_npm() {
	local dir=$cache/$1 package=$2 what=$3
	local stamp="$dir/.stamp-$(checksum "$package")"
	[ -f "$stamp" ] && return 0
	command -v npm >/dev/null || install_missing nodejs npm
	say "installing $what into .cache/$1"
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$package" "$dir/"
	(cd "$dir" && npm install --silent --no-audit --no-fund)
	touch "$stamp"
}

npm_packages() { make_npm npm e2e/package.json configurable-http-proxy; }

npm_clients() { make_npm npm-clients e2e/node/package.json "OAuth clients"; }

npm_axe() { make_npm npm-axe e2e/browser/package.json axe-core; }

[ $# -gt 0 ] || die "say what to prepare: packages, venv, venv5, old, plugins, projects, wheel, tools, sdist, npm, npm-clients, npm-axe"
for piece in "$@"; do
	case $piece in
	packages | venv | venv5 | old | plugins | projects | wheel | tools | sdist) $piece ;;
	npm) npm_packages ;;
	npm-clients) npm_clients ;;
	npm-axe) npm_axe ;;
	*) die "unknown piece '$piece': packages, venv, venv5, old, plugins, projects, wheel, tools, sdist, npm, npm-clients and npm-axe are known" ;;
	esac
done
