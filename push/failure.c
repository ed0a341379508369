/* Why a machine was not reached or not changed, in words for the ledger and for people. Decides nothing but which of
 * them do not go away by themselves. */
#include "fleetwall/ledger.h"

/* No default: the compiler finds a failure that is missing. */
struct str failure_str(enum failure failure)
{
	switch (failure) {
	case FAILURE_UNREACHABLE:
		return STR("unreachable");
	case FAILURE_HOST_KEY:
		return STR("host-key");
	case FAILURE_AUTH:
		return STR("auth");
	case FAILURE_REFUSED:
		return STR("refused");
	case FAILURE_APPLY:
		return STR("apply");
	case FAILURE_UNDO:
		return STR("undo");
	case FAILURE_ROLLED_BACK:
		return STR("rolled-back");
	case FAILURE_PROBE:
		return STR("probe");
	case FAILURE_HOOK:
		return STR("hook");
	case FAILURE_DAMAGED:
		return STR("damaged");
	case FAILURE_BUNDLE:
		return STR("bundle");
	case FAILURE_FENCE:
		return STR("fence");
	}
	return STR("");
}

bool failure_needs_person(enum failure failure)
{
	switch (failure) {
	case FAILURE_HOST_KEY:
	case FAILURE_AUTH:
	case FAILURE_REFUSED:
	case FAILURE_APPLY:
	case FAILURE_UNDO:
	case FAILURE_ROLLED_BACK:
	case FAILURE_PROBE:
		return true;
	case FAILURE_UNREACHABLE:
	case FAILURE_HOOK:
	case FAILURE_DAMAGED:
	case FAILURE_BUNDLE:
	case FAILURE_FENCE:
		return false;
	}
	return false;
}
