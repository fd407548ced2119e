/* SPDX-License-Identifier: MIT */
/* A cgroup with limits for one sandbox. Must never touch one that it has not made. */
#ifndef SPAWNBOX_CGROUP_HPP
#define SPAWNBOX_CGROUP_HPP

#include <string>
#include <vector>

#include "options.hpp"

namespace box {

/* Made empty, removed when the object goes: by then all processes in it must have ended. */
class limited_cgroup final {
public:
	/* Throws std::system_error, naming the file. */
	limited_cgroup(const std::string &parent, const std::vector<cgroup_setting> &settings);
	limited_cgroup(const limited_cgroup &) = delete;
	limited_cgroup &operator=(const limited_cgroup &) = delete;
	~limited_cgroup();

	/* Its folder. */
	int fd() const
	{
		return fd_;
	}

private:
	void set(const cgroup_setting &setting) const;
	void remove() const;

	std::string path_;
	int fd_ = -1;
};

} // namespace box

#endif /* SPAWNBOX_CGROUP_HPP */
