// SPDX-License-Identifier: MIT
// Loading, attaching and reading by libbpf.
#include "tracer.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "spawnsnoop.skel.h"

namespace snoop {
namespace {

/* What libbpf complains of; shown only when it could not go on. */
std::string complaints;

int listen(enum libbpf_print_level level, const char *format, va_list values)
{
	char line[512];

	if (level == LIBBPF_WARN && vsnprintf(line, sizeof(line), format, values) > 0)
		complaints += line;
	return 0;
}

[[noreturn]] void give_up(const std::string &why)
{
	throw cannot_watch(complaints.empty() ? why : why + "\n" + complaints);
}

[[noreturn]] void explain(int error, const char *what)
{
	if (error == EPERM || error == EACCES)
		throw cannot_watch(
			"may not load BPF programs: this takes root, or CAP_BPF, CAP_PERFMON and "
			"CAP_SYS_PTRACE; a kernel locked down for confidentiality denies it to "
			"everybody");
	give_up(std::string("cannot ") + what + ": " + strerror(error) +
		"; this takes Linux 5.18 or newer with CONFIG_BPF_SYSCALL, CONFIG_FUNCTION_TRACER "
		"and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS");
}

void need_type_information()
{
	if (access("/sys/kernel/btf/vmlinux", F_OK) == 0)
		return;
	throw cannot_watch(
		"this kernel has no type information, /sys/kernel/btf/vmlinux: it takes one "
		"built with CONFIG_DEBUG_INFO_BTF, as those of distributions are");
}

bool module_tells_failures()
{
	const char *event = "events/spawn/spawn_failure/id";

	for (const char *folder : { "/sys/kernel/tracing/", "/sys/kernel/debug/tracing/" })
		if (access((std::string(folder) + event).c_str(), R_OK) == 0)
			return true;
	return false;
}

/* The parent of a process, by its /proc/PID/stat; 0 for one that is gone. */
pid_t parent_of(const std::string &process)
{
	std::ifstream file("/proc/" + process + "/stat");
	std::string line;
	pid_t parent = 0;

	/* The name, in parentheses, may hold anything. */
	if (getline(file, line))
		if (const auto end = line.rfind(')'); end != std::string::npos)
			sscanf(line.c_str() + end, ") %*c %d", &parent);
	return parent;
}

/* A process and those below it, as far as they exist now. */
std::set<pid_t> family_of(pid_t process)
{
	std::multimap<pid_t, pid_t> children;
	std::vector<pid_t> left = { process };
	std::set<pid_t> family;

	for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
		const std::string name = entry.path().filename();

		if (name.find_first_not_of("0123456789") == std::string::npos)
			children.emplace(parent_of(name), std::stoi(name));
	}
	while (!left.empty()) {
		const pid_t next = left.back();

		left.pop_back();
		if (!family.insert(next).second)
			continue;
		for (auto [at, end] = children.equal_range(next); at != end; at++)
			left.push_back(at->second);
	}
	return family;
}

} // namespace

struct tracer::state {
	spawnsnoop *skeleton = nullptr;
	ring_buffer *ring = nullptr;
	sink take;
	bool knows_stages = false;

	~state()
	{
		ring_buffer__free(ring);
		spawnsnoop__destroy(skeleton);
	}

	void open(const tracer_options &options);
	void choose(const tracer_options &options);
	void follow(pid_t process);
	static int receive(void *context, void *data, size_t size);
};

int tracer::state::receive(void *context, void *data, size_t size)
{
	snoop_record record;

	if (size >= sizeof(record)) {
		memcpy(&record, data, sizeof(record));
		static_cast<state *>(context)->take(record);
	}
	return 0;
}

void tracer::state::open(const tracer_options &options)
{
	skeleton = spawnsnoop__open();
	if (!skeleton)
		explain(errno, "open the BPF program");

	auto &filter = skeleton->rodata->filter;
	filter.by_process = options.process.has_value();
	filter.process = options.process.value_or(0);
	filter.by_tree = options.descendants;
	filter.by_cgroup = options.cgroup.has_value();

	knows_stages = module_tells_failures();
	if (!knows_stages)
		bpf_program__set_autoload(skeleton->progs.spawn_fails, false);
	bpf_map__set_max_entries(skeleton->maps.records, options.buffer_kib * 1024);
	if (int error = spawnsnoop__load(skeleton))
		explain(-error, "load the BPF program");
}

/*
 * Those that are made from now on are followed by the BPF program, so this comes after attaching: what
 * is made meanwhile is found here or there.
 */
void tracer::state::follow(pid_t process)
{
	const int tree = bpf_map__fd(skeleton->maps.tree);

	for (const pid_t member : family_of(process)) {
		const __u32 key = member;
		const __u8 one = 1;

		if (bpf_map_update_elem(tree, &key, &one, BPF_ANY))
			give_up(std::string("cannot watch the process: ") + strerror(errno));
	}
}

/* Must be known before the first event comes. */
void tracer::state::choose(const tracer_options &options)
{
	const __u32 first = 0;

	if (options.cgroup) {
		const int folder =
			::open(options.cgroup->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		const __u32 value = folder;
		bool failed = folder < 0;

		failed = failed ||
			bpf_map_update_elem(bpf_map__fd(skeleton->maps.cgroup), &first, &value,
					    BPF_ANY);
		const int error = errno;
		if (folder >= 0)
			close(folder);
		if (failed)
			throw cannot_watch(
				*options.cgroup + ": " +
				(error == EBADF ? "not the folder of a cgroup" : strerror(error)));
	}
}

tracer::tracer(const tracer_options &options, sink take) : state_(std::make_unique<state>())
{
	need_type_information();
	libbpf_set_print(listen);
	state_->take = std::move(take);
	state_->open(options);
	state_->choose(options);
	state_->ring = ring_buffer__new(bpf_map__fd(state_->skeleton->maps.records), state::receive,
					state_.get(), nullptr);
	if (!state_->ring)
		explain(errno, "read the BPF program's records");
	if (int error = spawnsnoop__attach(state_->skeleton))
		explain(-error, "attach the BPF program");
	if (options.process && options.descendants)
		state_->follow(*options.process);
}

tracer::~tracer() = default;

void tracer::poll(int milliseconds)
{
	const int got = ring_buffer__poll(state_->ring, milliseconds);

	if (got < 0 && got != -EINTR)
		throw std::system_error(-got, std::system_category(), "reading records");
}

void tracer::finish()
{
	spawnsnoop__detach(state_->skeleton);
	ring_buffer__consume(state_->ring);

	const int children = bpf_map__fd(state_->skeleton->maps.children);
	__u32 child, next;
	bool more = bpf_map_get_next_key(children, nullptr, &next) == 0;

	while (more) {
		snoop_record record;

		child = next;
		if (bpf_map_lookup_elem(children, &child, &record) == 0)
			state_->take(record);
		more = bpf_map_get_next_key(children, &child, &next) == 0;
	}
}

std::uint64_t tracer::lost() const noexcept
{
	return state_->skeleton->bss->lost;
}

bool tracer::knows_stages() const noexcept
{
	return state_->knows_stages;
}

} // namespace snoop
