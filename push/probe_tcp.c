/* One TCP connection from here, with an end to waiting: does something answer there? Sends nothing. */
#include <stdio.h>

#include "fleetwall/arena.h"
#include "visit.h"

struct probe_tcp {
	uv_loop_t *loop;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_connect_t connect;
	uv_getaddrinfo_t resolve;
	probe_done *done;
	void *context;
	unsigned handles; /* that are being closed */
	bool resolving, closing, answered;
	struct str why;
};

/* When nothing refers to it any more. */
static void finish(struct probe_tcp *probe)
{
	if (probe->handles == 0 && !probe->resolving)
		probe->done(probe->context, probe->answered, probe->why);
}

static void on_closed(uv_handle_t *handle)
{
	struct probe_tcp *probe = handle->data;

	probe->handles--;
	finish(probe);
}

static void end(struct probe_tcp *probe, bool answered, struct str why)
{
	if (probe->closing)
		return;
	probe->closing = true;
	probe->answered = answered;
	probe->why = why;
	probe->handles = 2;
	uv_close((uv_handle_t *)&probe->tcp, on_closed);
	uv_close((uv_handle_t *)&probe->timer, on_closed);
	if (probe->resolving)
		(void)uv_cancel((uv_req_t *)&probe->resolve);
}

static void on_time(uv_timer_t *timer)
{
	end(timer->data, false, STR("no answer"));
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct probe_tcp *probe = connect->data;

	end(probe, status == 0, status == 0 ? STR("") : str_of(uv_strerror(status)));
}

static void connect_to(struct probe_tcp *probe, const struct sockaddr *address)
{
	int failure = uv_tcp_connect(&probe->connect, &probe->tcp, address, on_connected);

	if (failure != 0)
		end(probe, false, str_of(uv_strerror(failure)));
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *found)
{
	struct probe_tcp *probe = resolve->data;

	probe->resolving = false;
	if (probe->closing)
		finish(probe);
	else if (status == 0)
		connect_to(probe, found->ai_addr);
	else
		end(probe, false, str_of(uv_strerror(status)));
	uv_freeaddrinfo(found);
}

static void look_up(struct probe_tcp *probe, const char *host, unsigned port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char service[16];
	int failure;

	snprintf(service, sizeof service, "%u", port);
	probe->resolve.data = probe;
	failure = uv_getaddrinfo(probe->loop, &probe->resolve, on_resolved, host, service, &hints);
	probe->resolving = failure == 0;
	if (failure != 0)
		end(probe, false, str_of(uv_strerror(failure)));
}

void probe_tcp(struct arena *arena, uv_loop_t *loop, struct str host, unsigned port, unsigned seconds, probe_done *done,
               void *context)
{
	struct probe_tcp *probe = ARENA_NEW(arena, struct probe_tcp);
	const char *name = str_c(arena, host);
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	*probe = (struct probe_tcp){.loop = loop, .done = done, .context = context};
	(void)uv_tcp_init(loop, &probe->tcp); /* makes no socket yet: always 0 */
	(void)uv_timer_init(loop, &probe->timer);
	probe->tcp.data = probe->timer.data = probe->connect.data = probe;
	(void)uv_timer_start(&probe->timer, on_time, seconds * 1000ull, 0);
	if (uv_ip4_addr(name, (int)port, &four) == 0)
		connect_to(probe, (const struct sockaddr *)&four);
	else if (uv_ip6_addr(name, (int)port, &six) == 0)
		connect_to(probe, (const struct sockaddr *)&six);
	else
		look_up(probe, name, port);
}
