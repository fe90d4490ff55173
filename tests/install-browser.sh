#!/bin/sh
# What the tests of the teaching page need of the system: a browser, and Node with npm. Installs what
# is missing where apt-get can; elsewhere says so and goes on, since those tests are then skipped with
# their reason (in CI they fail). Says and does nothing when all is there.
set -u

have() { command -v "$1" >/dev/null 2>&1; }

browser() { have chromium || have chromium-browser || have google-chrome; }

# The driver of the browser, which comes with .venv, needs a library that Debian may be without.
driver() { ! have dpkg-query || dpkg-query --show libatomic1 >/dev/null 2>&1; }

missing() {
	browser || printf ' chromium'
	have node || printf ' nodejs'
	have npm || printf ' npm'
	driver || printf ' libatomic1'
}

give_up() {
	echo "Tests of the teaching page will be skipped, for want of$(missing): $1" >&2
	exit 0
}

[ -n "$(missing)" ] || exit 0
have apt-get || give_up "there is no apt-get here to install them"
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif have sudo && sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	give_up "please install them (neither root nor sudo without a password)"
fi

apt() { # what fails it says on stderr
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq --option DPkg::Lock::Timeout=300 "$@" >/dev/null </dev/null
}

echo "Installing for the tests of the teaching page:$(missing)" >&2
apt update || echo "apt-get update failed; trying with the lists that are here" >&2
for package in $(missing); do
	# One by one, so that one that cannot be had keeps no other away.
	apt install --yes --no-install-recommends "$package" || case $package in
	chromium) apt install --yes --no-install-recommends chromium-browser ;;  # Ubuntu's name
	esac
done
[ -z "$(missing)" ] || give_up "apt-get could not install them"
