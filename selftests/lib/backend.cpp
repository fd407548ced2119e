// SPDX-License-Identifier: MIT
// Who makes the child: what a program and SPAWNCTL_BACKEND ask for, what info() foretells, and what
// becomes of it when the library's descriptor of /dev/spawn is taken away.
#include "leak_guard.hpp"
#include "settings.hpp"
#include "spawning.hpp"

#include <cerrno>

using namespace selftest;
using spawnctl::backend;
using spawnctl::process;
using spawnctl::stage;

namespace {

constexpr const char *variable = "SPAWNCTL_BACKEND";

bool has_module()
{
	return spawnctl::info().module_present;
}

backend best()
{
	return has_module() ? backend::module : backend::fallback;
}

/* Who makes a child of a command that asks for @wanted. */
backend maker_of(backend wanted)
{
	process program =
		spawnctl::command(payload("exit_with")).keep_credentials().use(wanted).spawn();

	CHECK(exit_code(program) == 0);
	return program.executor();
}

void check_module_refused(backend wanted)
{
	auto program = spawnctl::command(payload("exit_with")).use(wanted);
	spawnctl::failure why;

	check_fails(program, ENOENT, stage::request);
	program.spawn(why);
	REQUIRE(why.detail);
	CHECK_THAT(why.detail, Catch::Contains("/dev/spawn"));
}

} // namespace

TEST_CASE("the module is there in a virtual machine")
{
	const auto found = spawnctl::info();

	INFO(found.module_reason);
	CHECK((found.module_present || !getenv("SPAWNCTL_VM")));
	/* All that were asked for, and the module first. */
	CHECK((executors().front().backend == spawnctl::backend::module) == found.module_present);
	if (!getenv("SPAWNCTL_EXECUTORS"))
		CHECK(executors().size() == (found.module_present ? 4 : 3));
}

TEST_CASE("backends have their words, and words their backends")
{
	CHECK(spawnctl::backend_name(backend::automatic) == std::string("auto"));
	CHECK(spawnctl::backend_name(backend::module) == std::string("module"));
	CHECK(spawnctl::backend_name(backend::fallback) == std::string("fallback"));
	CHECK(spawnctl::backend_name(static_cast<backend>(99)) != nullptr);
	for (backend which : { backend::automatic, backend::module, backend::fallback })
		CHECK(spawnctl::parse_backend(spawnctl::backend_name(which)) == which);
	for (const char *word : { "", "Module", "automatic", "module ", "fork" })
		CHECK_FALSE(spawnctl::parse_backend(word));
}

TEST_CASE("SPAWNCTL_BACKEND takes the place of automatic")
{
	for (const auto &value : { std::optional<std::string>(), std::optional<std::string>(""),
				   std::optional<std::string>("auto") }) {
		variable_setting setting(variable, value);

		CHECK(maker_of(backend::automatic) == best());
	}
	variable_setting setting(variable, "fallback");
	CHECK(maker_of(backend::automatic) == backend::fallback);
	CHECK(spawnctl::info().wanted == backend::fallback);
	CHECK_THAT(spawnctl::info().reason, Catch::EndsWith("asked for"));
}

TEST_CASE("SPAWNCTL_BACKEND=module makes a child by the module or none")
{
	variable_setting setting(variable, "module");

	if (has_module())
		CHECK(maker_of(backend::automatic) == backend::module);
	else
		check_module_refused(backend::automatic);
}

TEST_CASE("what a program asks for by name stays, whatever SPAWNCTL_BACKEND says")
{
	variable_setting setting(variable, "module");

	CHECK(maker_of(backend::fallback) == backend::fallback);
	CHECK(spawnctl::info(backend::fallback).wanted == backend::fallback);
	variable_setting other(variable, "fallback");
	if (has_module())
		CHECK(maker_of(backend::module) == backend::module);
	else
		check_module_refused(backend::module);
}

TEST_CASE("a bad word in SPAWNCTL_BACKEND fails with EINVAL at stage request")
{
	for (const char *word : { "Module", "kernel", "fallback,module", " auto" }) {
		variable_setting setting(variable, word);
		spawnctl::command wanted(payload("exit_with"));
		spawnctl::failure why;

		check_fails(wanted, EINVAL, stage::request);
		wanted.spawn(why);
		REQUIRE(why.detail);
		CHECK_THAT(why.detail, Catch::Contains(variable));
		CHECK(spawnctl::info().error == std::errc::invalid_argument);
		CHECK(spawnctl::info().executor == backend::automatic);
		/* Who asks by name is not affected. */
		CHECK(maker_of(backend::fallback) == backend::fallback);
		CHECK_FALSE(spawnctl::info(backend::fallback).error);
	}
}

EXECUTOR_TEST_CASE("info() foretells who makes the child, and why")
{
	for (backend wanted : { who.backend, backend::automatic }) {
		const auto found = spawnctl::info(wanted);
		spawnctl::failure why;
		auto program = spawnctl::command(payload("exit_with")).use(wanted).spawn(why);

		CHECK(found.wanted == wanted);
		CHECK(found.fallback_method == who.method);
		CHECK(found.error == why.code);
		CHECK(found.executor == program.executor());
		if (why)
			continue;
		CHECK(found.reason == program.reason());
		CHECK(exit_code(program) == 0);
	}
}

TEST_CASE("info() says why it would not be the module")
{
	const auto found = spawnctl::info();

	if (!found.module_present)
		CHECK_THAT(found.reason, Catch::EndsWith("/dev/spawn: No such file or directory"));
	else
		CHECK(found.module_reason.empty());
}

EXECUTOR_TEST_CASE("automatic is the fallback where the module cannot serve the caller")
{
	auto program = who.command(payload("exit_with")).use(backend::automatic).spawn();

	CHECK(exit_code(program) == 0);
	/* It does not serve one of several threads that are under a filter. */
	CHECK(program.executor() == (who.refused_call < 0 ? best() : backend::fallback));
	if (who.refused_call >= 0 && has_module())
		CHECK_THAT(program.reason(), Catch::EndsWith("Operation not supported"));
}

TEST_CASE("info() says why there is no module")
{
	const auto found = spawnctl::info(backend::module);

	if (found.module_present) {
		CHECK_FALSE(found.module_error);
		CHECK(found.module_abi > 0);
		CHECK(found.module.fds_max > 0);
		return;
	}
	CHECK(found.module_error == std::errc::no_such_file_or_directory);
	CHECK(found.module_reason == "/dev/spawn: No such file or directory");
	CHECK(found.module_abi == 0);
	CHECK(found.error == found.module_error);
	CHECK(found.executor == backend::automatic);
}

EXECUTOR_TEST_CASE("info() makes no child and leaves no descriptor")
{
	auto before = open_descriptors();

	for (int round = 0; round < 5; round++)
		spawnctl::info();
	check_nothing_left();
	CHECK(open_descriptors() == before);
}

namespace {

/* What comes of a spawn in a program that did something to the descriptor that it does not know. */
template <class Work>
int error_after(const executor &who, Work work)
{
	return in_forked_process([&] {
		auto wanted = who.command(payload("exit_with"));
		std::error_code error;

		for (const auto &[number, target] : open_descriptors())
			if (target == "/dev/spawn")
				work(number);
		process program = wanted.spawn(error);
		if (error)
			return error.value();
		if (program.wait(error).code() || program.reason() != who.reason)
			return -1;
		return error.value();
	});
}

} // namespace

EXECUTOR_TEST_CASE("a program that closes descriptors it does not know still spawns")
{
	CHECK(error_after(who, [](int fd) { close(fd); }) == 0);
	CHECK(error_after(who, [](int fd) { dup2(open("/dev/null", O_RDWR), fd); }) == 0);
	CHECK(error_after(who, [](int fd) { dup2(open("/dev/zero", O_RDWR), fd); }) == 0);
	CHECK(error_after(who, [](int fd) { dup2(make_pipe().read.get(), fd); }) == 0);
}
