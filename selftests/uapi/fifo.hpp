// SPDX-License-Identifier: MIT
// Holds a child that has an mm of its own, where a gate can't, in a call of its list: whoever opens the
// fifo for reading waits in there for let_go().
#pragma once

#include "report.hpp"
#include "unique_fd.hpp"

#include <fcntl.h>
#include <string>
#include <sys/stat.h>

namespace selftest {

class fifo final {
public:
	fifo() : path_(folder_ / "fifo")
	{
		checked(mkfifo(path_.c_str(), 0666), "mkfifo");
		checked(chmod(folder_.path().c_str(), 0755), "chmod");
	}

	const std::string &path() const
	{
		return path_;
	}
	unique_fd let_go() const
	{
		return open_file(path_, O_WRONLY);
	}

private:
	temporary_folder folder_;
	std::string path_;
};

} // namespace selftest
