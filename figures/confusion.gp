eval figure(full, 9.6)
file = results."/fashion/confusion.tsv"
classes = "T-shirt trouser pullover dress coat sandal shirt sneaker bag boot"
set size ratio 1
set lmargin at screen 0.16
set rmargin at screen 0.86
set xrange [-0.5:9.5]
set yrange [9.5:-0.5]
set border 0
unset colorbox
unset key
set palette defined (0 "#FFFFFF", 40 "#FBE3D0", 200 "#E88A45", 201 "#9CC6DF", 1000 "#4C9CCB")
set cbrange [0:1000]
set for [k = 1:10] xtics (word(classes, k) k - 1) rotate by 45 right scale 0
set for [k = 1:10] ytics (word(classes, k) k - 1) scale 0
do for [k = 1:10] {
    set xtics add (word(classes, k) k - 1) rotate by 45 right scale 0
    set ytics add (word(classes, k) k - 1) scale 0
}
set xlabel "predicted"
set ylabel "true"
plot file matrix every ::1 using ($1 - 1):2:3 with image pixels, \
    file matrix every ::1 using ($1 - 1):2:($3 > 0 ? sprintf("%d", $3) : "") with labels font ",7.5"
