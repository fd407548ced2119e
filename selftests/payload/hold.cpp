// SPDX-License-Identifier: MIT
// hold [N]: writes one byte to descriptor 1 if that is open, reads descriptor 0 until its end, and
// exits with status N, or 0. For tests that need a program to live until they say so.
#include "bare.hpp"

int bare_main(long argc, char **argv)
{
	char byte = '+';

	bare_call(1 /* write */, 1, reinterpret_cast<long>(&byte), 1);
	while (bare_call(0 /* read */, 0, reinterpret_cast<long>(&byte), 1) > 0)
		;
	return argc > 1 ? bare_number(argv[1]) : 0;
}
