# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# Makes docs/reference.conf of docs/directives.md: each directive with its first sentences, as a line that may be taken out of
# its comment. Where a directive has no default, its line is left out.

# REUSE-IgnoreStart
BEGIN {
    print "# SPDX-License-Identifier: Apache-2.0"
    print "# Copyright the mod_signed_session authors"
    print "#"
    print "# Every directive of mod_signed_session, with what holds where it is not written. Nothing here is"
    print "# on: take a line out of its comment to change it. docs/directives.md says more; this file is made"
    print "# from it (make reference)."
}
# REUSE-IgnoreEnd

# Markdown to plain text: links keep their words, code its letters.
function plain(text) {
    while (match(text, /\[[^]]*\]\([^)]*\)/)) {
        link = substr(text, RSTART, RLENGTH)
        words = substr(link, 2, index(link, "](") - 2)
        text = substr(text, 1, RSTART - 1) words substr(text, RSTART + RLENGTH)
    }
    gsub(/`|\*\*/, "", text)
    gsub(/\\\|/, "|", text)
    return text
}

# Filled to 100 columns, behind "# ".
function say(text, count, words, line, i) {
    count = split(plain(text), words, / +/)
    line = "#"
    for (i = 1; i <= count; i++) {
        if (length(line) + length(words[i]) >= 100) {
            print line
            line = "#"
        }
        line = line " " words[i]
    }
    print line
}

function end_directive() {
    if (name == "") {
        return
    }
    print ""
    if (text ~ /:$/) {
        sub(/\. [^.]*:$/, ".", text) # what leads to a table
    }
    say(text)
    say("Syntax: " syntax)
    say("Context: " context)
    if (match(def, /^`[^`]*`/)) {
        print "#" substr(def, 2, RLENGTH - 2)
        rest = substr(def, RLENGTH + 1)
        sub(/^; */, "", rest)
        if (rest != "") {
            say("(" rest ")")
        }
    }
    else {
        say("Default: " def)
    }
    name = text = ""
}

function cell(line) {
    line = substr(line, index(substr(line, 2), "|") + 2)
    sub(/^ +/, "", line)
    sub(/ *\|$/, "", line)
    return line
}

/^## / {
    end_directive()
    section = $0
    sub(/^## /, "", section)
}

/^### SignedSession/ {
    end_directive()
    if (section != said) {
        printf "\n#\n# %s\n#\n", section
        said = section
    }
    name = $2
    state = "table"
    next
}

/^### / { end_directive() }

name == "" { next }

/^\| Syntax/ { syntax = cell($0) }
/^\| Default/ { def = cell($0) }
/^\| Context/ { context = cell($0); state = "before"; next }

state == "before" && $0 != "" { state = "text" }
state == "text" && ($0 == "" || /^(\||```|\* |<)/) { state = "done" }
state == "text" { text = text (text == "" ? "" : " ") $0 }

END { end_directive() }
