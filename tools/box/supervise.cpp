// SPDX-License-Identifier: MIT
// Signals are taken one by one, so nothing here runs in a handler.
#include "supervise.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "report.hpp"

namespace box {
namespace {

/* What "SigCgt" and its like in proc(5)'s status say. */
std::optional<unsigned long> find_mask(std::string_view status, std::string_view name)
{
	const size_t at = status.find(name);
	unsigned long mask = 0;

	if (at == status.npos)
		return {};
	const char *begin = status.data() + at + name.size();
	const auto [stop, error] = std::from_chars(begin, status.data() + status.size(), mask, 16);
	if (error != std::errc())
		return {};
	return mask;
}

/* Whether the signal does to the program what it says. What can't be seen is taken for no. */
bool expects(pid_t pid, int signal)
{
	const std::string path = "/proc/" + std::to_string(pid) + "/status";
	const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	char text[4096];

	if (file < 0)
		return false;
	const ssize_t size = read(file, text, sizeof(text));
	close(file);
	const std::string_view status(text, size > 0 ? static_cast<size_t>(size) : 0);
	const auto caught = find_mask(status, "SigCgt:\t");
	const auto ignored = find_mask(status, "SigIgn:\t");
	return caught && ignored && (*caught | *ignored) >> (signal - 1) & 1;
}

} // namespace

held_signals::held_signals()
{
	sigemptyset(&set_);
	for (const int signal : { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD }) {
		struct sigaction action = {};

		/* Ignored ones stay so, but a kernel that reaps by itself leaves no status to wait for. */
		sigaction(signal, nullptr, &action);
		if (signal == SIGCHLD)
			::signal(signal, SIG_DFL);
		else if (action.sa_handler == SIG_IGN)
			continue;
		sigaddset(&set_, signal);
	}
	sigprocmask(SIG_BLOCK, &set_, nullptr);
}

int supervise(spawnctl::process &program, const held_signals &signals, supervision how)
{
	int ended_by = 0;

	for (;;) {
		siginfo_t info = {};
		const int signal = sigwaitinfo(&signals.set(), &info);
		std::error_code ignored;

		if (signal == SIGCHLD) {
			if (const auto status = program.try_wait()) {
				if (status->signaled())
					return status_signal +
						(ended_by ? ended_by : status->signal());
				return status->code();
			}
		} else if (signal > 0 && !how.has_init && !expects(program.pid(), signal)) {
			ended_by = signal;
			program.kill(SIGKILL, ignored);
		} else if (signal > 0 && !(how.shares_terminal && info.si_code == SI_KERNEL)) {
			program.kill(signal, ignored);
		}
	}
}

} // namespace box
