// SPDX-License-Identifier: MIT
// Loads and unloads the module under test, also altered copies of it. Whoever unloads it leaves it
// loaded again: loaded_module sees to that.
#pragma once

#include <string>

namespace selftest {

/* $SPAWNCTL_MODULE, or spawn.ko of the running release in the build folder. */
std::string module_path();

/* The module's bytes. Throws std::system_error. */
std::string module_image();

/* init_module(2) and delete_module(2) without waiting: 0 or the errno. */
int load_module(const std::string &image, const std::string &parameters = "");
int unload_module();

bool is_module_loaded();

/*
 * @image with every string that is exactly @from replaced by @to, which is as long.
 * Throws std::runtime_error if there is none.
 */
std::string with_string(std::string image, const std::string &from, const std::string &to);

/* The module is loaded, as built, at the end of its life, whatever happened meanwhile. */
class loaded_module final {
public:
	loaded_module();
	~loaded_module();
	loaded_module(const loaded_module &) = delete;
	loaded_module &operator=(const loaded_module &) = delete;

	const std::string &image() const
	{
		return image_;
	}

private:
	std::string image_;
};

} // namespace selftest
