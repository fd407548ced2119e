/* SPDX-License-Identifier: MIT */
/*
 * spawn PROGRAM [ARGUMENT...]: runs it with descriptors 0, 1 and 2 and ends as it ends.
 * cc spawn.c $(pkg-config --cflags --libs libspawnctl)
 */
#include <stdio.h>

#include <spawnctl/spawnctl.h>

int main(int argc, char **argv)
{
	spawnctl_plan *plan = argc > 1 ? spawnctl_plan_new(argv[1]) : NULL;
	spawnctl_process *child = NULL;
	struct spawnctl_failure why;
	struct spawnctl_status status;
	char text[256];
	int ret = plan ? spawnctl_plan_pass_stdio(plan) : -1;

	for (int at = 2; at < argc && !ret; at++)
		ret = spawnctl_plan_arg(plan, argv[at]);
	if (ret)
		return 2;

	if (spawnctl_spawn(plan, &child, &why)) {
		spawnctl_failure_message(&why, text, sizeof(text));
		fprintf(stderr, "%s: %s\n", argv[1], text);
	} else {
		spawnctl_process_reason(child, text, sizeof(text));
		fprintf(stderr, "process %d, made by %s\n", (int)spawnctl_process_pid(child), text);
		ret = spawnctl_process_wait(child, &status);
	}
	spawnctl_plan_free(plan);
	if (!child || ret)
		return 127;
	spawnctl_process_free(child);
	return status.signal ? 128 + status.signal : status.code;
}
