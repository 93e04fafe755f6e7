# SPDX-License-Identifier: MIT
# Makes the list of keys of converge.conf(5) out of doc/converge.conf, which has each with its
# default and what is allowed: blocks of comment, then keys, then an empty line. The file's first
# two blocks are its introduction.

function flush_block(    i) {
    if (count > 0) {
        for (i = 1; i <= count; i++)
            printf "%sCm %s%s", (i == 1 ? ".It " : ""), key[i], (i < count ? " , " : "\n")
        gsub(/\. /, ".\n", comment)
        print comment
        for (i = 1; i <= count; i++) {
            if (count > 1)
                printf ".br\n.Cm %s :\n", key[i]
            else
                print ".br"
            if (allowed[i] ~ /^for example/)
                printf "%s.\n", "None unless set; " allowed[i]
            else
                printf "%s%s.\n", (allowed[i] == "" ? "" : allowed[i] "; "), (value[i] == "" ? "none" : value[i]) " unless set"
        }
    }
    count = 0
    comment = ""
}

/^$/ { flush_block(); next }
/^#/ { sub(/^# ?/, ""); comment = comment (comment == "" ? "" : "\n") $0; next }
/^[a-z_]+ =/ {
    count++
    key[count] = $1
    line = $0
    sub(/^[a-z_]+ = */, "", line)
    allowed[count] = ""
    if (match(line, /#/)) {
        allowed[count] = substr(line, RSTART + 1)
        sub(/^ +/, "", allowed[count])
        line = substr(line, 1, RSTART - 1)
    }
    sub(/ +$/, "", line)
    value[count] = line
}
END { flush_block() }
