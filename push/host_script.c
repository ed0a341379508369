/* The two scripts that run on a machine, as they were built in: fleetwall-host, and what brings it there. */
#include <assert.h>

#include "fleetwall/embedded.h"
#include "transport.h"

static struct str script(const char *name)
{
	struct str text = embedded_find(embedded_push, str_of(name));

	assert(text.n > 0);
	return text;
}

struct str push_host_script(void)
{
	return script("fleetwall-host");
}

struct str push_host_bootstrap(void)
{
	return script("bootstrap.sh");
}

struct digest push_host_digest(void)
{
	return digest_of(push_host_script());
}
