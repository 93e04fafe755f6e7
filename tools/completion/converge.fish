# SPDX-License-Identifier: MIT
# fish completion for converge(1). Commands, subcommands and options are read from --help, so that
# they are always those of the converge that is installed.

function __converge_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; and echo $words[2]
end

function __converge_help
    set -l words (commandline -opc)
    $words[1] $argv --help 2>/dev/null
end

function __converge_commands
    __converge_help | sed -n 's/^  \([a-z][a-z-]*\)  *\([^ ].*\)/\1\t\2/p'
end

function __converge_operands
    set -l command (__converge_command)
    __converge_help $command |
        sed -n "s/^\(Usage:\|      \) converge $command \([a-z][a-z-]*\).*/\2/p" | sort -u
end

function __converge_options
    __converge_help (__converge_command) | grep -oE -e '(^|[^-a-z])--[a-z][a-z-]*' | tr -d ' [|' | sort -u
end

function __converge_values
    set -l words (commandline -opc)
    switch "$words[2]:$words[-1]"
        case '*:--mode' mode:mode
            printf '%s\n' monitor augment replace
        case notary:remove notary:test notary:update
            $words[1] notary list 2>/dev/null | awk '/^[^ ]+$/'
        case why:why check:check cache:forget '*:--host'
            $words[1] cache list 2>/dev/null | awk '{ sub(/:[0-9]+$/, "", $1); print $1 }' | sort -u
    end
end

complete -c converge -f
complete -c converge -n 'test (count (commandline -opc)) -eq 1' -a '(__converge_commands)'
complete -c converge -n 'test (count (commandline -opc)) -eq 2' -a '(__converge_operands)'
complete -c converge -n 'test (count (commandline -opc)) -ge 2; and string match -q -- "-*" (commandline -ct)' \
    -a '(__converge_options)'
complete -c converge -n 'test (count (commandline -opc)) -ge 2' -a '(__converge_values)'
complete -c converge -n 'contains -- (__converge_command) run doctor' -a '(__fish_complete_command)'
complete -c converge -n 'string match -q -- "--file" (commandline -opc)[-1]' -F
complete -c converge -n 'string match -qr "^(add|suggest)\$" -- (commandline -opc)[-1]' -F
