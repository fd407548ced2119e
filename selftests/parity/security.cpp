// SPDX-License-Identifier: MIT
// Callers that a security mechanism binds: no_new_privs, seccomp, Landlock, AppArmor, dumpable 0, a
// program that gains privilege.
#include "confinement.hpp"

#include "report.hpp"
#include "unique_fd.hpp"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/io.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace selftest;

namespace parity {
namespace {

void set_no_new_privs()
{
	checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
}

/* From now on these system calls end with @action. */
entrance filter(std::vector<long> calls, unsigned action)
{
	return [=](place &) {
		std::vector<sock_filter> program = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							      offsetof(seccomp_data, nr)) };

		for (long nr : calls) {
			program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						   static_cast<unsigned>(nr), 0, 1));
			program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
		}
		program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
		struct sock_fprog all = { static_cast<unsigned short>(program.size()),
					  program.data() };
		set_no_new_privs();
		checked(static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &all)),
			"seccomp");
	};
}

void add_filters(confinements &to)
{
	const unsigned refuse = SECCOMP_RET_ERRNO | EPERM;

	to.push_back({ "seccomp: no mkdir", just(filter({ SYS_mkdir }, refuse)) });
	to.push_back({ "seccomp: two filters", just([=](place &where) {
			       filter({ SYS_mkdir }, refuse)(where);
			       filter({ SYS_chroot }, SECCOMP_RET_LOG)(where);
		       }) });
	to.push_back({ "seccomp: no clone",
		       just(filter({ SYS_clone, SYS_clone3, SYS_fork, SYS_vfork }, refuse)) });
	to.push_back({ "seccomp: no exec", just(filter({ SYS_execve, SYS_execveat }, refuse)) });
	to.push_back({ "seccomp: exec kills",
		       just(filter({ SYS_execve, SYS_execveat }, SECCOMP_RET_KILL_PROCESS)) });
	to.push_back({ "seccomp: exec traps",
		       just(filter({ SYS_execve, SYS_execveat }, SECCOMP_RET_TRAP)) });
	to.push_back({ .name = "seccomp: strict",
		       .make = just([](place &) {
			       checked(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), "strict mode");
		       }),
		       .separately = true });
}

entrance landlock(unsigned long long rights)
{
	return [=](place &) {
		struct landlock_ruleset_attr rules = {};

		rules.handled_access_fs = rights;
		unique_fd ruleset(static_cast<int>(
			syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0)));
		if (!ruleset)
			throw not_here("Landlock is off in this kernel");
		set_no_new_privs();
		checked(static_cast<int>(syscall(SYS_landlock_restrict_self, ruleset.get(), 0)),
			"landlock_restrict_self");
	};
}

/* As container runtimes write them. */
const char usual_profile[] = R"(
profile spawnctl_parity flags=(attach_disconnected,mediate_deleted) {
	file,
	deny /etc/shadow r,
	deny network raw,
	capability,
	network,
	signal,
	ptrace,
	unix,
	mount,
	change_profile,
}
)";

/* A file without a place in the tree is not for such a caller. */
const char narrow_profile[] = R"(
profile spawnctl_parity {
	/** mrwlkix,
	deny network raw,
	capability,
	network,
	signal,
	ptrace,
	unix,
	mount,
	change_profile,
}
)";

/* A profile that is loaded as long as it is used. */
class loaded_profile final {
public:
	explicit loaded_profile(const char *text) : path_(folder_.file("profile", text, 0600))
	{
		if (access("/sys/kernel/security/apparmor/.load", W_OK))
			throw not_here("AppArmor is off in this kernel");
		if (!parse("--replace"))
			throw not_here("apparmor_parser does not load a profile");
	}
	~loaded_profile()
	{
		if (!parse("--remove"))
			fprintf(stderr, "parity: the AppArmor profile stays loaded\n");
	}
	loaded_profile(const loaded_profile &) = delete;
	loaded_profile &operator=(const loaded_profile &) = delete;

	void enter() const
	{
		write_file("/proc/self/attr/apparmor/current", "changeprofile spawnctl_parity");
	}

private:
	bool parse(const std::string &action) const
	{
		return !system(("apparmor_parser --skip-cache " + action + " " + path_).c_str());
	}

	temporary_folder folder_;
	std::string path_;
};

std::function<entrance()> profiled(const char *text)
{
	return [text]() -> entrance {
		auto loaded = std::make_shared<loaded_profile>(text);

		return [loaded](place &) {
			loaded->enter();
		};
	};
}

/* A copy of the payload that @change makes special; the caller is an ordinary user. */
class special_program final {
public:
	explicit special_program(const std::function<void(const std::string &)> &change)
	{
		unique_fd from = open_file(payload("state"), O_RDONLY);

		path_ = folder_.file("special", read_all(from.get()), 0755);
		checked(chmod(folder_.path().c_str(), 0755), "chmod");
		change(path_);
	}

	const std::string &path() const
	{
		return path_;
	}

private:
	temporary_folder folder_;
	std::string path_;
};

void set_user_id(const std::string &path)
{
	checked(chmod(path.c_str(), 06755), "chmod");
}

void give_capability(const std::string &path)
{
	struct vfs_cap_data data = {};

	data.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
	data.data[0].permitted = 1U << CAP_NET_RAW;
	if (setxattr(path.c_str(), "security.capability", &data, sizeof(data), 0))
		throw not_here("this file system has no file capabilities");
}

std::function<entrance()> special(void (*change)(const std::string &), bool no_new_privs)
{
	return [=] {
		auto program = std::make_shared<special_program>(change);

		return [=](place &where) {
			where.program = program->path();
			become(ordinary_user);
			if (no_new_privs)
				set_no_new_privs();
		};
	};
}

void get_ports(place &)
{
	if (ioperm(0x80, 1, 1))
		throw not_here(std::string("ioperm: ") + strerrorname_np(errno));
}

} // namespace

void add_security(confinements &to)
{
	to.push_back({ "no_new_privs", just([](place &) { set_no_new_privs(); }) });
	add_filters(to);
	to.push_back({ "Landlock: no writing", just(landlock(LANDLOCK_ACCESS_FS_WRITE_FILE)) });
	to.push_back({ "Landlock: no exec", just(landlock(LANDLOCK_ACCESS_FS_EXECUTE)) });
	to.push_back({ "AppArmor profile", profiled(usual_profile) });
	to.push_back({ .name = "AppArmor, files with a place",
		       .make = profiled(narrow_profile),
		       .refusals = { { "blank module",
				       { EOPNOTSUPP, "clone",
					 "the file that leads to an empty mm has no place in the "
					 "tree" } } } });
	to.push_back({ "dumpable 0", just([](place &) {
			       checked(prctl(PR_SET_DUMPABLE, 0), "PR_SET_DUMPABLE");
		       }) });
	to.push_back({ "user, dumpable 0", just([](place &) {
			       become(ordinary_user);
			       checked(prctl(PR_SET_DUMPABLE, 0), "PR_SET_DUMPABLE");
		       }) });
	to.push_back({ "set-user-ID program", special(set_user_id, false) });
	to.push_back({ "set-user-ID, no_new_privs", special(set_user_id, true) });
	to.push_back({ "file capability", special(give_capability, false) });
	to.push_back({ "file capability, no_new_privs", special(give_capability, true) });
	to.push_back(
		{ .name = "I/O ports",
		  .make = just(get_ports),
		  .refusals = {
			  { "module",
			    { EOPNOTSUPP, "request",
			      "the ports are lost in a child that begins in the kernel" } } } });
}

} // namespace parity
