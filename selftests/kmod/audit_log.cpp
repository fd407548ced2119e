// SPDX-License-Identifier: MIT
// NETLINK_AUDIT in the raw: the library of the audit daemon is not wanted for three messages.
#include "audit_log.hpp"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace selftest {
namespace {

constexpr unsigned rule_flags = AUDIT_FILTER_EXIT;

void set_status(unsigned mask, unsigned enabled, pid_t pid, struct audit_status &status)
{
	status = {};
	status.mask = mask;
	status.enabled = enabled;
	status.pid = static_cast<unsigned>(pid);
}

std::string rule_for(long nr)
{
	struct audit_rule_data rule = {};

	rule.flags = rule_flags;
	rule.action = AUDIT_ALWAYS;
	rule.mask[AUDIT_WORD(nr)] |= AUDIT_BIT(nr);
	return { reinterpret_cast<const char *>(&rule), sizeof(rule) };
}

} // namespace

audit_log::audit_log()
    : socket_(checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT), "NETLINK_AUDIT"))
{
	struct audit_status status;
	int size = 1 << 20;

	setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	set_status(AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID, 1, getpid(), status);
	request(AUDIT_SET, &status, sizeof(status));
}

audit_log::~audit_log()
{
	struct audit_status status;

	try {
		for (const auto &rule : rules_)
			request(AUDIT_DEL_RULE, rule.data(), rule.size());
		set_status(AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID, 0, 0, status);
		request(AUDIT_SET, &status, sizeof(status));
	} catch (const std::system_error &) {
		/* The VM is about to end anyway. */
	}
}

void audit_log::record_call(long nr)
{
	std::string rule = rule_for(nr);

	request(AUDIT_ADD_RULE, rule.data(), rule.size());
	rules_.push_back(rule);
}

/* Sends, and returns when the kernel has acknowledged. Records that come meanwhile are kept. */
void audit_log::request(unsigned type, const void *payload, size_t size)
{
	std::vector<char> message(NLMSG_SPACE(size));
	auto *header = reinterpret_cast<struct nlmsghdr *>(message.data());
	struct sockaddr_nl kernel = {};

	header->nlmsg_len = NLMSG_LENGTH(size);
	header->nlmsg_type = static_cast<unsigned short>(type);
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	header->nlmsg_seq = ++sequence_;
	memcpy(NLMSG_DATA(header), payload, size);
	kernel.nl_family = AF_NETLINK;
	checked(static_cast<int>(sendto(socket_.get(), message.data(), message.size(), 0,
					reinterpret_cast<struct sockaddr *>(&kernel),
					sizeof(kernel))),
		"request to audit");
	while (acknowledged_ != sequence_)
		receive();
}

/* One message: an acknowledgement, or a record, which goes to its event. */
void audit_log::receive()
{
	alignas(struct nlmsghdr) char buffer[16384];
	ssize_t got = recv(socket_.get(), buffer, sizeof(buffer) - 1, 0);
	auto *header = reinterpret_cast<struct nlmsghdr *>(buffer);

	checked(static_cast<int>(got), "records of audit");
	buffer[got] = 0;
	if (header->nlmsg_type == NLMSG_ERROR) {
		auto *answer = static_cast<struct nlmsgerr *>(NLMSG_DATA(header));

		if (answer->error)
			throw std::system_error(-answer->error, std::generic_category(), "audit");
		acknowledged_ = answer->msg.nlmsg_seq;
		return;
	}

	std::string text(static_cast<char *>(NLMSG_DATA(header)));
	size_t end = text.find("): ");
	if (!text.starts_with("audit(") || end == std::string::npos)
		return;
	std::string serial = text.substr(0, end);
	if (header->nlmsg_type == AUDIT_EOE) {
		events_.push_back(std::move(unfinished_[serial]));
		unfinished_.erase(serial);
		return;
	}
	unfinished_[serial].push_back({ header->nlmsg_type, text.substr(end + 3) });
}

audit_event audit_log::wait_for_call(pid_t pid, long nr)
{
	for (;;) {
		for (auto event = events_.begin(); event != events_.end(); event++) {
			const audit_record *call = find_record(*event, AUDIT_SYSCALL);

			if (!call || audit_field(call->text, "pid") != std::to_string(pid) ||
			    audit_field(call->text, "syscall") != std::to_string(nr))
				continue;
			audit_event found = std::move(*event);
			events_.erase(event);
			return found;
		}
		receive();
	}
}

std::string audit_field(const std::string &text, const std::string &name)
{
	const std::string key = " " + name + "=";
	const std::string line = " " + text + " ";
	size_t at = line.find(key);

	if (at == std::string::npos)
		return {};
	at += key.size();
	std::string value = line.substr(at, line.find(' ', at) - at);
	if (value.size() >= 2 && value.front() == '"')
		value = value.substr(1, value.size() - 2);
	return value;
}

const audit_record *find_record(const audit_event &event, unsigned type)
{
	for (const auto &record : event)
		if (record.type == type)
			return &record;
	return nullptr;
}

} // namespace selftest
