#!/usr/bin/perl
# The C program computes what the NumPy lines of the book compute.
use strict;
use warnings;
use FindBin;

exec $ENV{PYTHON} // '/usr/bin/python3', '-B',
    "$FindBin::Bin/peers/numpy_agrees.py"
    or die "cannot run Python: $!\n";
