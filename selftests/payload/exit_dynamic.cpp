// SPDX-License-Identifier: MIT
// exit_dynamic: exits with 0, like exit_with, but through the dynamic linker and the C library.

int main()
{
	return 0;
}
