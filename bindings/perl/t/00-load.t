# SPDX-License-Identifier: MIT
use strict;
use warnings;
use Test::More tests => 7;

use_ok('Converge');
is(Converge::version(), $Converge::VERSION, 'library and module have the same version');
can_ok('Converge', @Converge::EXPORT_OK);
ok(!main->can('check'), 'nothing is exported unless asked for');
like(Converge::strerror(28), qr/another certificate/, 'a phrase');
isnt(Converge::strerror(0), Converge::strerror(50), 'another for another');
ok(!eval { Converge::strerror('28.5'); 1 }, 'no phrase for half a code');
