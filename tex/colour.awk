# colour.awk: a noweb filter that colours the code chunks of mlp.nw.
#
#     noweave -delay -index -filter 'awk -v document=mlp.nw -f tex/colour.awk' mlp.nw
#
# It runs after -index, so a line of code comes as several @text pieces with
# cross-references between them.  Only those pieces are cut further; between the
# cuts go the lines "@literal {\nwkey{}" and "@literal }", which noweave copies
# to the TeX file.  No character of the code is added, dropped or moved, but that
# in a comment a label, as in (eq:softmax), becomes its number.
# The macros \nwkey, \nwtyp, \nwstr, \nwcom, \nwpre, \nwtail are in report.sty.
#
# state: "" outside, or what we are inside of: "string", "comment" (to the end of
# the line), "block" (a C comment), "pre" (a preprocessor line).  `closer' is the
# text that ends a string.  A group is open in TeX exactly when `open' is 1.

BEGIN {
    set(key, "C", "auto break case const continue default do else enum extern " \
        "for goto if inline register restrict return sizeof static struct " \
        "switch typedef union volatile while")
    set(typ, "C", "void bool char short int long float double signed unsigned " \
        "real size_t uint8_t uint32_t uint64_t int32_t int64_t FILE GError " \
        "GQuark GRand gboolean gchar gint gint64 guint guint8 guint32 gpointer")
    set(key, "python", "and as assert break class continue def del elif else " \
        "except finally for from global if import in is lambda not or pass " \
        "raise return try while with yield None True False")
    set(key, "shell", "if then elif else fi for in do done while until case " \
        "esac set export local return exit")
    set(key, "gnuplot", "set unset plot splot do for in if else eval array " \
        "stats using with title notitle")
    # Which chunk uses which: a chunk is in the language of the root that uses it.
    while ((getline line < document) > 0) {
        if (line ~ /^<<.*>>=$/) user_now = substr(line, 3, length(line) - 5)
        else if (line ~ /^@( |$)/) user_now = ""
        else if (user_now != "" && match(line, /<<.*>>/))
            user[substr(line, RSTART + 2, RLENGTH - 4)] = user_now
    }
}
function set(table, lang, words,    n, i, w) {
    n = split(words, w, " ")
    for (i = 1; i <= n; i++) table[lang, w[i]] = 1
}

# The language of a root follows from its file name.  Make is read as shell.
function language(name) {
    while (name in user) name = user[name]
    if (name ~ /\.py\]\]$/) return "python"
    if (name ~ /\.(sh|mk|bash|sbatch)\]\]$/) return "shell"
    if (name ~ /\.gp\]\]$/) return "gnuplot"
    if (name ~ /\.awk\]\]$/) return "awk" # only its strings and comments
    if (name ~ /manual\.(head|tail)\]\]$/) return "text"
    return "C"
}

# The lines of a chunk are held back until its end: only then is it known where its
# last three lines begin, which \nwtail keeps on one page.
function out(s)       { held[++n_held] = s; if (s == "@nl") n_lines++ }
function flush_chunk(    i, line) {
    for (i = 1; i <= n_held; i++) {
        print held[i]
        if (held[i] == "@nl" && ++line == n_lines - 3) print "@literal \\nwtail{}"
    }
    n_held = n_lines = 0
}
function text(s)      { if (s != "") out("@text " s) }
function begin(macro) { if (!open) { out("@literal {\\" macro "{}"); open = 1 } }
function end()        { if (open) { out("@literal }"); open = 0 } }
function enter(s, macro) { state = s; begin(macro) }
function leave()         { end(); state = "" }

# Put out a comment.  A label in parentheses, (eq:name), becomes its number.
function cite(s) {
    while (match(s, /\((eq|sec):[a-z-]+\)/)) {
        text(substr(s, 1, RSTART))
        out("@literal \\" (substr(s, RSTART, 3) == "(eq" ? "ref" : "cref") \
            "{" substr(s, RSTART + 1, RLENGTH - 2) "}")
        s = substr(s, RSTART + RLENGTH - 1)
    }
    text(s)
}

# Put out s up to its n-th character, and return the rest.
function eat(s, n) {
    if (state == "block" || state == "comment") cite(substr(s, 1, n))
    else text(substr(s, 1, n))
    return substr(s, n + 1)
}

# One piece of a line.  Each turn puts out its beginning, up to a change of colour.
function colour(s,    word, i) {
    for (; s != ""; bol = 0) {
        if (state == "comment" || state == "pre" || lang == "text") {
            s = eat(s, length(s))
        } else if (state == "block" || state == "string") {
            i = state == "block" ? index(s, "*/") : string_end(s)
            if (i && state == "block") i++
            s = eat(s, i ? i : length(s))
            if (i) leave()
        } else if (lang == "C" && bol && s ~ /^ *#/) {
            enter("pre", "nwpre")
        } else if (lang == "C" && substr(s, 1, 2) == "/*") {
            enter("block", "nwcom"); s = eat(s, 2)
        } else if (lang == "C" ? substr(s, 1, 2) == "//" \
                               : s ~ /^#/ && (last == " " || last == "")) {
            enter("comment", "nwcom")
        } else if (s ~ /^["']/) {
            closer = substr(s, 1, 1)
            if (lang == "python" && substr(s, 1, 3) == closer closer closer)
                closer = closer closer closer
            enter("string", "nwstr"); s = eat(s, length(closer)); last = "a"
        } else if (match(s, /^[A-Za-z_][A-Za-z_0-9]*/)) {
            word = substr(s, 1, RLENGTH)
            if ((lang, word) in key) begin("nwkey")
            else if ((lang, word) in typ) begin("nwtyp")
            s = eat(s, RLENGTH); end(); last = "a"
        } else {
            if (!match(s, /^([0-9][0-9A-Za-z_.]*|[^A-Za-z_0-9"'\/#\\]+|\\.)/)) RLENGTH = 1
            last = substr(s, RLENGTH, 1)
            s = eat(s, RLENGTH)
        }
    }
}
# Where the string that we are in ends in s, or 0; a backslash hides what follows.
function string_end(s,    i, n) {
    n = length(closer)
    for (i = 1; i <= length(s); i++) {
        if (substr(s, i, 1) == "\\" && !(lang == "shell" && closer == "'")) i++
        else if (substr(s, i, n) == closer) return i + n - 1
    }
    return 0
}

/^@begin code/ { code = 1; state = ""; bol = 0; last = "" }
!code          { print; next }
/^@defn /      { lang = language(substr($0, 7)) }
/^@nl$/        { # TeX groups may not span lines: close here, reopen on the next.
    end(); bol = 1; last = ""
    if (state ~ /comment|pre/ || state == "string" && lang == "C") state = ""
}
/^@text /      { # Inside a comment or a string a new line starts coloured.
    if (state == "block") begin("nwcom")
    if (state == "string") begin("nwstr")
    colour(substr($0, 7)); next
}
/^@use /       { end(); last = "a"; bol = 0 }
/^@end code/   { end(); out($0); flush_chunk(); code = 0; next }
               { out($0) }
