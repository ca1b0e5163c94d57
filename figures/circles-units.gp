experiment = "circles-units"
settings = "2 4 10 300"
name(s) = s." hidden units"
load "figures/panels.gpi"
