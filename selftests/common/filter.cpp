// SPDX-License-Identifier: MIT
// The filters' programs.
#include "filter.hpp"

#include <linux/audit.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <unistd.h>

namespace selftest {

std::array<sock_filter, 6> filter_of(unsigned nr, unsigned verdict)
{
	return { {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	} };
}

int install_filter(unsigned nr, unsigned verdict, unsigned flags)
{
	auto program = filter_of(nr, verdict);
	struct sock_fprog filter = { static_cast<unsigned short>(program.size()), program.data() };

	checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	return checked(
		static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter)),
		"seccomp");
}

void install_argument_filter(unsigned nr, unsigned index, unsigned value, unsigned error)
{
	unsigned low = offsetof(seccomp_data, args) + 8 * index;
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };

	checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	checked(static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter)),
		"seccomp");
}

unique_fd install_notifying_filter(unsigned nr)
{
	return unique_fd(
		install_filter(nr, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

seccomp_notif receive_notification(int listener)
{
	seccomp_notif told = {};

	while (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &told) < 0) {
		/* One whose caller was interrupted before we could take it. */
		if (errno != ENOENT && errno != EINTR)
			throw std::system_error(errno, std::generic_category(), "NOTIF_RECV");
		told = {};
	}
	return told;
}

void let_through(int listener, const seccomp_notif &told)
{
	seccomp_notif_resp answer = {};

	answer.id = told.id;
	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	checked(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer), "NOTIF_SEND");
}

} // namespace selftest
