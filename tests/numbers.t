#!/usr/bin/perl
# Exponentials and their relatives, in units in the last place.
use strict;
use warnings;
use FindBin;

exec $ENV{PYTHON} // '/usr/bin/python3', '-B', "$FindBin::Bin/peers/ulp.py"
    or die "cannot run Python: $!\n";
