/* SPDX-License-Identifier: MIT */
/* Numbers after some file actions: the last action that names one decides, else our own table. */
#include "descriptors.hpp"

#include <fcntl.h>

#include "../src/syscall.hpp"

namespace spawnctl::posix {

static bool is_taken(const action_list &list, int index, int fd) noexcept
{
	while (index-- > 0) {
		const action &former = list.actions[index];

		switch (former.kind) {
		case action::open:
		case action::dup2:
			if (former.fd == fd)
				return true;
			break;
		case action::close:
			if (former.fd == fd)
				return false;
			break;
		case action::closefrom:
			if (former.fd <= fd)
				return false;
			break;
		default:
			break;
		}
	}
	return !sys::failed(sys::call(SYS_fcntl, fd, F_GETFD));
}

bool is_lowest(const action_list &list, int index) noexcept
{
	int fd = 0;

	while (fd < list.actions[index].fd && is_taken(list, index, fd))
		fd++;
	return fd == list.actions[index].fd;
}

} // namespace spawnctl::posix
