// SPDX-License-Identifier: MIT
// The audit subsystem as its daemon sees it: switches it on, adds rules, reads the records. Only one
// can be there at a time. A kernel that has once audited gives every new task an audit context, for
// good: nothing else should be measured in that VM.
#pragma once

#include "unique_fd.hpp"

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace selftest {

struct audit_record {
	unsigned type; /* AUDIT_* */
	std::string text; /* after "audit(time:serial): " */
};

using audit_event = std::vector<audit_record>;

class audit_log final {
public:
	/* Throws std::system_error where audit is not there. */
	audit_log();
	~audit_log();
	audit_log(const audit_log &) = delete;
	audit_log &operator=(const audit_log &) = delete;

	/* Records every call of @nr, whoever makes it, as long as this lives. */
	void record_call(long nr);

	/* Waits for the record of that call by that task; all records of its event. */
	audit_event wait_for_call(pid_t pid, long nr);

private:
	void request(unsigned type, const void *payload, size_t size);
	void receive();

	unique_fd socket_;
	unsigned sequence_ = 0;
	unsigned acknowledged_ = 0;
	std::vector<std::string> rules_;
	std::map<std::string, audit_event> unfinished_;
	std::vector<audit_event> events_;
};

/* The value of "name=" in a record's text, without quotes; empty if there is none. */
std::string audit_field(const std::string &text, const std::string &name);

/* The first record of that type; nullptr if there is none. */
const audit_record *find_record(const audit_event &event, unsigned type);

} // namespace selftest
