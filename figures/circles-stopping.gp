experiment = "circles-stopping"
settings = "3 30 300 3000"
name(s) = s." epochs"
load "figures/panels.gpi"
