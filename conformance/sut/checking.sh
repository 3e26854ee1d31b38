# What the scripts that check other people's servers and clients have in common. They say what they are in `label`, and
# how one subject is checked in `run NAME OPTION...`, whose standard output is the report for people.
# shellcheck shell=bash disable=SC2154

# Builds the harness. SELECTION holds more options of `turncoat check`.
prepare() {
    read -r -a selection <<<"${SELECTION:-}"
    cargo build --quiet --locked --release -p turncoat-conformance
    turncoat=${CARGO_TARGET_DIR:-target}/release/turncoat
    failed=()
}

# Checks one subject against FOLDER/expected/NAME.toml, and keeps what is reported for machines beside it.
checked() {
    local name=$1
    run "$name" --baseline "$folder/expected/$name.toml" "${selection[@]}" --report "json=$into/$name.json" --report human=-
}

alone() {
    local name=$1
    printf '%s: %s\n' "$label" "$name"
    checked "$name" || failed+=("$name ($?)")
}

# Checks several subjects, two at a time.
in_pairs() {
    local pids pair name index
    while [ $# -gt 0 ]; do
        pids=()
        pair=("${@:1:2}")
        shift "${#pair[@]}"
        for name in "${pair[@]}"; do
            checked "$name" >"$into/$name.txt" 2>&1 &
            pids+=("$!")
        done
        for index in "${!pair[@]}"; do
            name=${pair[index]}
            wait "${pids[index]}" || failed+=("$name ($?)")
            printf '%s: %s\n' "$label" "$name"
            cat "$into/$name.txt"
        done
    done
}

conclude() {
    [ ${#failed[@]} -eq 0 ] && return
    printf '%s: not as expected: %s\n' "$label" "${failed[*]}" >&2
    exit 1
}
