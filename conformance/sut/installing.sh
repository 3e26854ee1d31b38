# What the scripts that install other people's servers and clients have in common. They say what they are in `label`,
# where they are in `here`, and where things go in `into`.
# shellcheck shell=bash disable=SC2154

# The packages of a folder NAME, which has a lock file, under that name.
npm_packages() {
    local name=$1 stamp
    stamp=$(node --version; cat "$here/$name/package.json" "$here/$name/package-lock.json")
    if matches "$name" "$stamp"; then return; fi
    step "$name: installing"
    rm -rf "${into:?}/$name"
    mkdir "$into/$name"
    cp "$here/$name/package.json" "$here/$name/package-lock.json" "$into/$name/"
    # No package here needs its install scripts, and a test bed has no business running them.
    npm ci --prefix "$into/$name" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || fail "npm ci for $name failed"
    printf %s "$stamp" >"$into/$name/.stamp"
}

# A virtual environment with exactly the packages of requirements-NAME.txt.
venv() {
    local name=$1 requirements=$here/pypi/requirements-$1.txt stamp python
    python=$(python_with_venv)
    stamp=$("$python" --version; cat "$requirements")
    if matches "$name" "$stamp"; then return; fi
    step "$name: installing"
    rm -rf "${into:?}/$name"
    "$python" -m venv "$into/$name" || fail "$python -m venv failed"
    # The list is complete, so nothing is resolved; and wheels only, so that no package's own code runs to install it.
    "$into/$name/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --requirement "$requirements" >&2 || fail "pip install for $name failed"
    "$into/$name/bin/python" -m pip check --quiet --disable-pip-version-check >&2 || fail "requirements-$name.txt is incomplete"
    printf %s "$stamp" >"$into/$name/.stamp"
}

# Debian keeps what a virtual environment needs in a package of its own.
python_with_venv() {
    if python3 -c 'import ensurepip, venv' 2>/dev/null; then
        command -v python3
        return
    fi
    if ! /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            fail "python3 cannot make virtual environments: install python3-venv"
        fi
        step "python3-venv: installing" >&2
        { apt-get update && apt-get install --yes --no-install-recommends python3-venv; } >&2 || fail "apt-get could not install python3-venv"
    fi
    echo /usr/bin/python3
}

# Writes bin/NAME, which becomes the given command behind these variables, in an environment that has no others.
write_command() {
    local name=$1 environment=$2
    shift 2
    {
        echo '#!/bin/sh'
        printf 'exec env -i PATH=/usr/bin:/bin HOME=/nonexistent%s' "$environment"
        printf ' %q' "$@"
        # shellcheck disable=SC2016 # for the script that is written, not for this one
        echo ' "$@"'
    } >"$into/bin/$name.new"
    chmod +x "$into/bin/$name.new"
    mv "$into/bin/$name.new" "$into/bin/$name"
}

matches() {
    if [ -f "$into/$1/.stamp" ] && [ "$(cat "$into/$1/.stamp")" = "$2" ]; then
        step "$1: up to date"
        return 0
    fi
    return 1
}

step() { echo "$label: $*"; }

fail() {
    echo "$label: error: $*" >&2
    exit 1
}
