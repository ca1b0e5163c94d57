# The figures of tests/faults.t: memory by command, the disk by call.
NR > 1 {
    what = $1 ": " $2
    if ($2 !~ /^memory/) {
        split($2, word, ":")
        what = word[1]
    }
    if (!(what in places))
        order[++n] = what
    places[what] += $3
    sentence[what] += $4
    abort[what] += $5
    unharmed[what] += $6
}
END {
    form = "%-52s %6s  %8s  %5s  %8s\n"
    printf form, "what fails", "places", "sentence", "abort", "unharmed"
    for (i = 1; i <= n; i++)
        printf form, order[i], places[order[i]], sentence[order[i]],
            abort[order[i]], unharmed[order[i]]
}
