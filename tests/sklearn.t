#!/usr/bin/perl
# mlp is as accurate as scikit-learn's MLPClassifier on classic data.
use strict;
use warnings;
use FindBin;

$ENV{OMP_NUM_THREADS} //= 1;
exec $ENV{PYTHON} // '/usr/bin/python3', '-B',
    "$FindBin::Bin/peers/sklearn_accuracy.py"
    or die "cannot run Python: $!\n";
