// SPDX-License-Identifier: MIT
/*
 * The guest's end of the virtio-serial port: frames in, frames out, and the request that opens a session. Must not know
 * what the frames are for.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct frame_header {
	uint32_t type;
	uint32_t length;
};

static int port = -1;

int port_fd(void)
{
	return port;
}

/*
 * The VM has one port. The driver makes its node some time after it was loaded; the host gives up on a guest that never
 * says hello.
 */
void port_open(void)
{
	glob_t found;

	while (glob("/dev/vport*", 0, NULL, &found) != 0)
		usleep(1000);
	port = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
	if (port < 0)
		fail("cannot open %s: %m", found.gl_pathv[0]);
	globfree(&found);
}

static void write_all(const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(port, data, length);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			data += n;
			length -= (size_t)n;
		}
	}
}

void port_send(enum frame_type type, const void *data, size_t length)
{
	/* One write for a frame: each costs a turn of the virtqueue. */
	static char frame[sizeof(struct frame_header) + 32 * 1024];
	const size_t room = sizeof(frame) - sizeof(struct frame_header);
	const char *next = data;

	do {
		size_t part = length < room ? length : room;
		struct frame_header header = { .type = type, .length = (uint32_t)part };

		memcpy(frame, &header, sizeof(header));
		if (part > 0)
			memcpy(frame + sizeof(header), next, part);
		write_all(frame, sizeof(header) + part);
		next += part;
		length -= part;
	} while (length > 0);
}

static void read_all(char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = read(port, data, length);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			data += n;
			length -= (size_t)n;
		}
	}
}

enum frame_type port_receive(void *buffer, size_t size, size_t *length)
{
	struct frame_header header;

	read_all((char *)&header, sizeof(header));
	if (header.length > size)
		fail("a frame of type %c with %u bytes is too long", (char)header.type, header.length);
	read_all(buffer, header.length);
	*length = header.length;
	return header.type;
}

static const char *next_string(char **at, const char *end)
{
	char *string = *at;
	char *nul = string < end ? memchr(string, '\0', (size_t)(end - string)) : NULL;

	if (!nul)
		fail("the request ends early");
	*at = nul + 1;
	return string;
}

static char **next_strings(char **at, const char *end)
{
	size_t count = strtoul(next_string(at, end), NULL, 10);
	char **strings = calloc(count + 1, sizeof(*strings));

	if (!strings)
		fail("no memory for %zu strings", count);
	for (size_t i = 0; i < count; i++)
		strings[i] = (char *)next_string(at, end);
	return strings;
}

struct request port_receive_request(void)
{
	static char buffer[8 * 1024 * 1024];
	struct request request;
	char *at = buffer;
	size_t length;
	const char *end;

	if (port_receive(buffer, sizeof(buffer), &length) != FRAME_REQUEST)
		fail("the host's first frame is not a request");
	end = buffer + length;
	request.tty = next_string(&at, end);
	request.window = next_string(&at, end);
	request.hostname = next_string(&at, end);
	request.modules = next_string(&at, end);
	request.module = next_string(&at, end);
	request.directory = next_string(&at, end);
	request.argv = next_strings(&at, end);
	request.envp = next_strings(&at, end);
	return request;
}
