# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# Pages of docs/ as go-md2man wants them for one man page:
#
#   awk -v name=NAME -v section=N -v what=WORDS -v version=V -v also=PAGES -f docs/man.awk PAGE...
#
# A table becomes a list of terms, which a terminal of any width shows well. A link to another page is
# its text. The contents at the top of a page go: a man page has none.

BEGIN {
    printf "%% %s %s \"\" \"mod_signed_session %s\" \"Apache httpd\"\n\n", toupper(name), section, version
    printf "# NAME\n\n%s - %s\n", name, what
}

# The first page is the man page itself; the next ones are chapters.
FNR == 1 {
    page++
    chapter = ""
    in_head = 1
    sub(/^# /, "")
    if (page > 1) {
        chapter = toupper($0) ": "
        text = text "\n# " toupper($0) "\n"
    }
    next
}

/^```/ { in_code = !in_code }
in_code || /^```/ { text = text $0 "\n"; next }

/^## / { in_head = 0; text = text "# " chapter toupper(substr($0, 4)) "\n"; next }

in_head && /^(\* |  )/ { next }
/^<!--.*-->$/ { next }

# A row: its cells begin and end with a bar; one that belongs to the text has a backslash. The first row has the names
# of the columns, the second one is a line.
/^\|/ {
    gsub(/\\\|/, "\001")
    cells = split($0, cell, / *\| */)
    in_table++
    if (in_table > 2)
        text = text cell[2] "\n: "
    for (i = 3; i < cells; i++) {
        if (in_table == 1)
            named[i] = cells > 4 && cell[i] != "" ? cell[i] ": " : ""
        if (in_table > 2)
            text = text (i > 3 ? "; " : "") named[i] cell[i]
    }
    if (in_table > 2) {
        gsub(/\001/, "|", text)
        text = text "\n\n"
    }
    next
}
{ in_table = 0; text = text $0 "\n" }

END {
    while (match(text, /\[[^]`]+\]\([^):]*\)/)) {
        link = substr(text, RSTART + 1, RLENGTH - 1)
        sub(/\]\(.*/, "", link)
        text = substr(text, 1, RSTART - 1) link substr(text, RSTART + RLENGTH)
    }
    printf "\n%s\n# SEE ALSO\n\n%s\n", text, also
}
