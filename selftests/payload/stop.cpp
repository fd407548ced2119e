// SPDX-License-Identifier: MIT
// stop [N]: stops itself with SIGSTOP; once continued, exits with status N, or 0.
#include "bare.hpp"

int bare_main(long argc, char **argv)
{
	bare_call(62 /* kill */, bare_call(39 /* getpid */), 19 /* SIGSTOP */);
	return argc > 1 ? bare_number(argv[1]) : 0;
}
