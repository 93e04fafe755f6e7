# SPDX-License-Identifier: MIT
# bash completion for converge(1). Commands, subcommands and options are read from --help, so that
# they are always those of the converge that is installed.

_converge_commands() { "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *[^ ].*/\1/p'; }

# The words in lower case that follow the command in its synopsis: notary add, enable openssl ...
_converge_operands() {
    "$1" "$2" --help 2>/dev/null |
        sed -n "s/^\(Usage:\|      \) converge $2 \([a-z][a-z-]*\).*/\2/p" | sort -u
}

_converge_options() { "$1" "$2" --help 2>/dev/null | grep -oE -e '(^|[^-a-z])--[a-z][a-z-]*' | tr -d ' [|'; }

_converge_values() { # program command previous-word current-word
    case $2:$3 in
        *:--file) compgen -f -- "$4" ;;
        *:--mode | mode:mode) compgen -W 'monitor augment replace' -- "$4" ;;
        notary:add | notary:suggest) compgen -f -X '!*.notary' -- "$4"; compgen -d -- "$4" ;;
        notary:remove | notary:test | notary:update)
            compgen -W "$("$1" notary list 2>/dev/null | awk '/^[^ ]+$/')" -- "$4" ;;
        why:why | check:check | cache:forget | log:--host | watch:--host)
            compgen -W "$("$1" cache list 2>/dev/null | awk '{ sub(/:[0-9]+$/, "", $1); print $1 }')" \
                -- "$4" ;;
    esac
}

_converge() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-}
    local previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_converge_commands "$program") --help --version" -- "$current")
        return
    fi
    case $command in
        run | doctor)
            if [[ $current != -* ]]; then
                mapfile -t COMPREPLY < <(compgen -c -- "$current")
                return
            fi ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_converge_options "$program" "$command")" -- "$current")
        return
    fi
    mapfile -t COMPREPLY < <(_converge_values "$program" "$command" "$previous" "$current")
    [ ${#COMPREPLY[@]} -eq 0 ] && [ "$COMP_CWORD" -eq 2 ] &&
        mapfile -t COMPREPLY < <(compgen -W "$(_converge_operands "$program" "$command")" -- "$current")
}
complete -F _converge converge
