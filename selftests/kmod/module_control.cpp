// SPDX-License-Identifier: MIT
// init_module(2) from memory, so that an altered copy needs no file and no one can mistake it for
// the module.
#include "module_control.hpp"

#include "unique_fd.hpp"

#include <sys/syscall.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace selftest {

std::string module_path()
{
	const char *given = getenv("SPAWNCTL_MODULE");
	struct utsname system;

	uname(&system);
	return given ? given : std::string(MODULE_FOLDER) + "/" + system.release + "/spawn.ko";
}

std::string module_image()
{
	return read_file(module_path());
}

int load_module(const std::string &image, const std::string &parameters)
{
	return syscall(SYS_init_module, image.data(), image.size(), parameters.c_str()) ? errno : 0;
}

int unload_module()
{
	return syscall(SYS_delete_module, "spawn", O_NONBLOCK) ? errno : 0;
}

bool is_module_loaded()
{
	return access("/sys/module/spawn/initstate", F_OK) == 0;
}

std::string with_string(std::string image, const std::string &from, const std::string &to)
{
	const std::string whole = '\0' + from + '\0';
	size_t at = image.find(whole);

	if (at == std::string::npos || from.size() != to.size())
		throw std::runtime_error("the module has no string \"" + from + "\"");
	for (; at != std::string::npos; at = image.find(whole, at))
		image.replace(at + 1, to.size(), to);
	return image;
}

loaded_module::loaded_module() : image_(module_image())
{
	if (!is_module_loaded() && load_module(image_))
		throw std::runtime_error("the module does not load");
}

loaded_module::~loaded_module()
{
	unload_module();
	load_module(image_);
}

} // namespace selftest
