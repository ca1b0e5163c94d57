#!/usr/bin/perl
# The formulae of the book hold for symbols, not only for numbers.
use strict;
use warnings;
use FindBin;

exec $ENV{PYTHON} // '/usr/bin/python3', '-B',
    "$FindBin::Bin/peers/symbolic.py"
    or die "cannot run Python: $!\n";
