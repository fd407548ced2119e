// SPDX-License-Identifier: MIT
// attributes: writes what the kernel shows of it to descriptor 1, a name, a tab and the value on
// each line; then exits, or with an argument waits until it is killed.
#include "attributes.hpp"

#include <unistd.h>

int main(int argc, char **)
{
	std::string text;

	for (const auto &[name, value] : selftest::attributes())
		text += name + "\t" + value + "\n";
	for (size_t at = 0; at < text.size();) {
		ssize_t put = write(1, text.data() + at, text.size() - at);

		if (put < 0)
			return 71;
		at += static_cast<size_t>(put);
	}
	close(1);
	while (argc > 1)
		pause();
	return 0;
}
