// SPDX-License-Identifier: MIT
// Sets PATH for the programs that are searched: the folder stands behind seven that lack them.
#include "stage.hpp"

#include "method.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace bench {

namespace fs = std::filesystem;

stage::stage() : folder_("/dev/shm/spawnbench.XXXXXX")
{
	std::string path;

	check(!mkdtemp(folder_.data()), "mkdtemp in /dev/shm");
	fs::copy(PAYLOAD_FOLDER "/exit_with", folder_ + "/static");
	fs::copy(PAYLOAD_FOLDER "/exit_dynamic", folder_ + "/dynamic");
	std::ofstream(folder_ + "/script") << "#!" << folder_ << "/static\n";
	check(chmod((folder_ + "/script").c_str(), 0755) < 0, "chmod");
	for (int empty = 0; empty < 7; empty++) {
		const std::string one = folder_ + "/" + std::to_string(empty);

		fs::create_directory(one);
		path += one + ":";
	}
	setenv("PATH", (path + folder_).c_str(), 1);
}

stage::~stage()
{
	std::error_code ignored;

	fs::remove_all(folder_, ignored);
}

program::plan stage::plan(const situation &one, const std::string &own) const
{
	program::plan made;

	switch (one.program) {
	case program_kind::static_:
		made.path = own.empty() ? folder_ + "/static" : own;
		break;
	case program_kind::dynamic:
		made.path = folder_ + "/dynamic";
		break;
	case program_kind::script:
		made.path = folder_ + "/script";
		break;
	case program_kind::searched:
		made.path = "static";
		break;
	}
	made.argument_kib = one.argument_kib;
	made.what = one.what;
	made.times = one.actions;
	made.attributes = one.attributes;
	return made;
}

} // namespace bench
