#!/usr/bin/env bash
# Makes .venv with the bus and its development tools; installs what the machine lacks where it may (root or sudo
# without password), otherwise says what to install. Does nothing when everything is there and up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.installed

say() { printf '%s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

may_install() {
  command -v apt-get >/dev/null 2>&1 || return 1
  [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }
}

# The Python that is new enough (3.11, for which pyproject.toml asks) and can make environments.
find_python() {
  local candidate
  for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

java_is_new_enough() {
  local major
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [ -n "$major" ] && [ "$major" -ge 17 ]
}

missing=()
if [ ! -x "$venv/bin/python" ] && ! find_python >/dev/null; then missing+=(python3 python3-venv); fi
if ! java_is_new_enough; then missing+=(default-jre-headless); fi
if ! command -v mvn >/dev/null 2>&1; then missing+=(maven); fi

# Tests of the register's database run on a PostgreSQL server of their own; nothing else needs it.
has_postgres() {
  local program
  for program in /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$program" ] && return 0
  done
  command -v initdb >/dev/null 2>&1
}

if ! has_postgres; then
  if may_install; then
    missing+=(postgresql)
    # Debian's package makes a cluster of its own and starts it with the machine, on PostgreSQL's port. Nobody here asked
    # for a service, so it is told not to before it comes.
    as_root mkdir -p /etc/postgresql-common/createcluster.d
    printf 'create_main_cluster = false\n' |
      as_root tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
  else
    say "without a PostgreSQL server some tests cannot run: sudo apt-get install postgresql"
  fi
fi

# Tests of rules and boards run on a Prometheus of their own, with promtool; nothing else needs it.
policy=/usr/sbin/policy-rc.d
our_policy=
forget_policy() { [ -z "$our_policy" ] || as_root rm -f "$policy"; }
trap forget_policy EXIT

if ! command -v prometheus >/dev/null 2>&1 || ! command -v promtool >/dev/null 2>&1; then
  if may_install; then
    missing+=(prometheus)
    # Debian's package starts a server at once and with the machine, which scrapes itself on port 9090: nobody here asked
    # for one, and Docker Compose wants that port. The mask holds systemd off for good (an administrator's own unit of
    # that name is left alone), the policy whatever else starts services, for the time of the installation.
    if [ ! -e /etc/systemd/system/prometheus.service ] && [ ! -L /etc/systemd/system/prometheus.service ]; then
      as_root mkdir -p /etc/systemd/system
      as_root ln -s /dev/null /etc/systemd/system/prometheus.service
    fi
    if [ ! -e "$policy" ]; then
      our_policy=yes
      printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
      as_root chmod 755 "$policy"
    fi
  else
    say "without Prometheus some tests cannot run: sudo apt-get install prometheus"
  fi
fi

if [ "${#missing[@]}" -gt 0 ]; then
  if ! may_install; then
    say "missing: ${missing[*]}"
    say "install them, for example: sudo apt-get install ${missing[*]}"
    exit 2
  fi
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

# Half an environment (a run that was killed) has no python that answers: start over.
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  python=$(find_python) || { say "Python 3.11 or later with venv is needed: apt-get install python3 python3-venv"; exit 2; }
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi

# The dependencies are installed again only when pyproject.toml has changed since.
wanted=$(sha256sum pyproject.toml | cut -d ' ' -f 1)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ] || [ ! -x "$venv/bin/bus" ]; then
  say "installing the bus and its tools into $venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
  printf '%s\n' "$wanted" >"$stamp"
fi
