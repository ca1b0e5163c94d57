experiment = "circles-decay"
settings = "0.1 0.01 0.001 0"
name(s) = "λ = ".s
load "figures/panels.gpi"
