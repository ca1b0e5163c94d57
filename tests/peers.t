#!/usr/bin/perl
# PyTorch and scikit-learn, where installed, agree with the library.
use strict;
use warnings;
use FindBin;

exec $ENV{PYTHON} // '/usr/bin/python3', '-B', "$FindBin::Bin/peers/judges.py"
    or die "cannot run Python: $!\n";
