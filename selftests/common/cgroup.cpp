// SPDX-License-Identifier: MIT
// cgroup2, mounted where nothing else looks.
#include "cgroup.hpp"

#include "unique_fd.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

namespace selftest {

own_cgroup::own_cgroup() : path_(mount_ / "spawn-test")
{
	checked(mount("none", mount_.path().c_str(), "cgroup2", 0, nullptr), "mount of cgroup2");
	checked(mkdir(path_.c_str(), 0755), "mkdir in cgroup2");
}

/* Empty again as soon as its last task has been reaped. */
own_cgroup::~own_cgroup()
{
	rmdir(path_.c_str());
	umount(mount_.path().c_str());
}

void own_cgroup::write(const std::string &file, const std::string &text) const
{
	write_file(path_ + "/" + file, text);
}

} // namespace selftest
