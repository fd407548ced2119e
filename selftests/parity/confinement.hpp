// SPDX-License-Identifier: MIT
// A situation a caller can be in: confined, limited, unusual. Says how a process gets into it and
// what is known to differ there, with the reason. Never changes the process that runs the tests:
// whatever outlives one caller belongs to the object that make() returns.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace parity {

/* What the caller starts. An entrance may change it, to name the program inside a chroot, say. */
struct place {
	std::string program;
	std::vector<std::string> env;
};

/* Puts the calling process, a forked one, into the situation. */
using entrance = std::function<void(place &)>;

/* Thrown by make() or an entrance: this machine cannot do it, and why. */
class not_here final : public std::runtime_error {
public:
	using runtime_error::runtime_error;
};

/* An error that an executor is to give although fork and exec would go through. */
struct refusal {
	int error;
	const char *stage;
	const char *why;
	/* Only on a kernel where vfork fails as well. */
	bool where_vfork_fails = false;
};

struct confinement {
	std::string name;
	/* In the process that runs the tests; what the entrance needs lives as long as it. */
	std::function<entrance()> make;
	/* By the name of the executor; that of "module" goes for "blank module" too. */
	std::map<std::string, refusal> refusals = {};
	/* Why an executor may do here what vfork and exec do, and not what fork and exec do. */
	const char *like_vfork = nullptr;
	/* Why a child with nothing listed may see more than one of fork and exec. */
	const char *sees_more = nullptr;
	/* A caller of its own for each executor, since it does not survive. */
	bool separately = false;
};

using confinements = std::vector<confinement>;

/* Each of these adds those of its kind. */
void add_identities(confinements &to);
void add_security(confinements &to);
void add_tracing(confinements &to);
void add_namespaces(confinements &to);
void add_habits(confinements &to);
void add_resources(confinements &to);

/* For a make() that has nothing to prepare. */
std::function<entrance()> just(entrance enter);

/* The ordinary user of these tests, who owns nothing. */
constexpr unsigned ordinary_user = 54321;

/* Sets all ids, the groups to @user alone, and makes the process dumpable again. */
void become(unsigned user);

/* Forks; the child goes on as the caller, the parent only waits and ends like it. */
void go_on_in_child();

} // namespace parity
